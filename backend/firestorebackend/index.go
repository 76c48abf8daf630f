package firestorebackend

import (
	"context"
	"fmt"
	"time"

	"cloud.google.com/go/firestore"

	"github.com/go-session2/sessions/backend"
)

var _ backend.Indexer = (*Backend)(nil)

// ownerField is the field of the owner, which only the documents that have one
// have. Firestore keeps an index on it by default.
const ownerField = "owner"

// Indexed implements [backend.Indexer]: the owner is a field of the document,
// stored by the write that stores the record. The layout of Flask has no place
// for it.
func (b *Backend) Indexed(owner string) (backend.Index, error) {
	if b.flask != backend.NoFlask {
		return nil, fmt.Errorf("firestore: %w: the documents of Flask have no field for owners", backend.ErrNoIndex)
	}
	l := b.layout
	l.owner = owner
	return view{Backend: b, layout: &l}, nil
}

// A view writes records for the owner in its layout.
type view struct {
	*Backend
	layout *layout
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

// Owned implements [backend.Index] by one query. It compares the expiry by
// itself, as the query would need an index of both fields.
func (v view) Owned(ctx context.Context) (keys []string, err error) {
	found, err := do(ctx, v.Backend, func() ([]*firestore.DocumentSnapshot, error) {
		q := v.coll.Where(ownerField, "==", v.layout.owner).Select(v.layout.expires)
		return q.Documents(ctx).GetAll()
	})
	if err != nil {
		return nil, fail(ctx, "list by owner", v.layout.owner, err)
	}
	now := v.now()
	for _, doc := range found {
		if expires, ok := doc.Data()[v.layout.expires].(time.Time); ok && now.Before(expires) {
			keys = append(keys, doc.Ref.ID)
		}
	}
	return keys, nil
}
