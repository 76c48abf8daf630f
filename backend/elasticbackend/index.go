package elasticbackend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/go-session2/sessions/backend"
)

var _ backend.Indexer = (*Backend)(nil)

// ownerField is the field of the owner, which only the documents that have one
// have.
const ownerField = "owner"

// Indexed implements [backend.Indexer]: the owner is a field of the document,
// stored by the request that stores the record. The layout of Flask has no
// place for it.
//
// An Update replaces the document. One that does not go through a view takes
// the owner from the revision that it is based on.
func (b *Backend) Indexed(owner string) (backend.Index, error) {
	if b.flask != backend.NoFlask {
		return nil, fmt.Errorf("elasticsearch: %w: the documents of Flask have no field for owners", backend.ErrNoIndex)
	}
	return view{Backend: b, owner: owner}, nil
}

// A view writes records for an owner.
type view struct {
	*Backend
	owner string
}

// Create implements [backend.Backend] as that of the Backend does.
func (v view) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	return v.createFor(ctx, v.owner, key, data, ttl)
}

// Update implements [backend.Backend] as that of the Backend does.
func (v view) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	return v.updateFor(ctx, v.owner, key, data, ttl, base)
}

// Touch implements [backend.Backend] as that of the Backend does.
func (v view) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return v.touchFor(ctx, v.owner, key, ttl)
}

// Owned implements [backend.Index] by a refresh, after which a search finds
// all that was written before, and a search for each 1000 records.
func (v view) Owned(ctx context.Context) (keys []string, err error) {
	const op = "list by owner"
	if err := v.searchable(ctx); err != nil {
		return nil, fail(ctx, op, v.owner, err)
	}
	err = v.do(ctx, request{method: http.MethodPost, endpoint: refreshEndpoint}, &struct{}{})
	if is(err, noIndex) {
		return nil, nil
	}
	if err != nil {
		return nil, fail(ctx, op, v.owner, err)
	}
	q := query{
		Query: map[string]any{"bool": map[string]any{"filter": []any{
			map[string]any{"term": map[string]string{ownerField: v.owner}},
			map[string]any{"range": map[string]any{v.layout.expires: map[string]any{
				"gt": v.now().UnixMilli(), "format": "epoch_millis",
			}}},
		}}},
		Sort: []string{v.layout.key},
		Size: maxPage,
	}
	for {
		hits, err := v.search(ctx, q)
		if err != nil {
			return nil, fail(ctx, op, v.owner, err)
		}
		for _, h := range hits {
			keys = append(keys, h.ID)
		}
		if len(hits) < q.Size {
			return keys, nil
		}
		q.SearchAfter = []string{hits[len(hits)-1].ID}
	}
}

// searchable sees to it that the field is in the mapping: in one without it a
// search finds nothing, and says nothing.
func (b *Backend) searchable(ctx context.Context) error {
	if !b.schema.skip {
		return b.prepare(ctx)
	}
	var reply map[string]struct {
		Mappings struct {
			Properties map[string]struct{ Type string }
		}
	}
	err := b.do(ctx, request{method: http.MethodGet, endpoint: mappingEndpoint}, &reply)
	if is(err, noIndex) {
		return nil
	}
	for _, index := range reply {
		if index.Mappings.Properties[ownerField].Type != "keyword" {
			return fmt.Errorf("%w: its mapping has no keyword %s: see Schema", backend.ErrNoIndex, ownerField)
		}
	}
	return err
}

// encodeOwned is encode for a record that has an owner.
func encodeOwned(key string, data []byte, expires time.Time, owner string) ([]byte, error) {
	if data == nil {
		data = []byte{}
	}
	millis := expires.UnixMilli()
	return json.Marshal(document{Key: key, Data: &data, Expires: &millis, Owner: owner})
}

// ownerOf returns the owner that a document has.
func ownerOf(s source) string {
	if d, ok := s.(*document); ok {
		return d.Owner
	}
	return ""
}
