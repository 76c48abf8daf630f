package datastorebackend

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cloud.google.com/go/datastore"

	"github.com/go-session2/sessions/backend"
)

var _ backend.Indexer = (*Backend)(nil)

// ownerProperty is the property of the owner, which only the entities that
// have one have. Datastore keeps an index on it by default.
const ownerProperty = "owner"

// Indexed implements [backend.Indexer]: the owner is a property of the entity,
// stored together with the record. The layout of Flask has no place for it.
func (b *Backend) Indexed(owner string) (backend.Index, error) {
	if b.flask != backend.NoFlask {
		return nil, fmt.Errorf("datastore: %w: the entities of Flask have no property for owners", backend.ErrNoIndex)
	}
	l := b.layout
	l.owner = owner
	return view{Backend: b, layout: l}, nil
}

// A view writes records for the owner in its layout.
type view struct {
	*Backend
	layout layout
}

// Create implements [backend.Backend] as that of the Backend does.
func (v view) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	return v.createIn(ctx, v.layout, key, data, ttl)
}

// Update implements [backend.Backend] as that of the Backend does.
func (v view) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	return v.updateIn(ctx, v.layout, key, data, ttl, base)
}

// Touch implements [backend.Backend] as that of the Backend does.
func (v view) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return v.touchIn(ctx, v.layout, key, ttl)
}

// Owned implements [backend.Index] by one query, which is strongly consistent.
// It reads the records and compares the expiry by itself, as a query for both
// properties would need an index that Datastore does not keep by default.
func (v view) Owned(ctx context.Context) (keys []string, err error) {
	type result struct {
		names []*datastore.Key
		lists []datastore.PropertyList
	}
	found, err := do(ctx, v.Backend, func() (r result, err error) {
		q := datastore.NewQuery(v.kind).FilterField(ownerProperty, "=", v.layout.owner)
		r.names, err = v.client.GetAll(ctx, q, &r.lists)
		return r, err
	})
	if err != nil {
		return nil, fail(ctx, "list by owner", v.layout.owner, err)
	}
	now := v.now()
	for i, name := range found.names {
		if rec, err := v.layout.decode(found.lists[i]); err == nil && rec.live(now) && name.Parent == nil {
			keys = append(keys, name.Name)
		}
	}
	return keys, nil
}

// owned returns the properties that are stored beside those of the record:
// what this package knows nothing of, with the owner of the layout.
func (l layout) owned(other datastore.PropertyList) datastore.PropertyList {
	if l.owner == "" {
		return other
	}
	other = slices.DeleteFunc(slices.Clone(other), func(p datastore.Property) bool { return p.Name == ownerProperty })
	return append(other, datastore.Property{Name: ownerProperty, Value: l.owner})
}

// has reports whether a record has the owner of the layout, if it has one.
func (l layout) has(r *record) bool {
	return l.owner == "" || slices.ContainsFunc(r.other, func(p datastore.Property) bool {
		return p.Name == ownerProperty && p.Value == l.owner
	})
}
