package mongobackend

import (
	"context"
	"fmt"
	"math"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/go-session2/sessions/backend"
)

var _ backend.Indexer = (*Backend)(nil)

// ownerField is the field of the owner, which only the documents that have one
// have. See [Schema] for its index.
const ownerField = "owner"

// Indexed implements [backend.Indexer]: the owner is a field of the document,
// written by the command that writes the record. The layouts of Flask have no
// place for it.
func (b *Backend) Indexed(owner string) (backend.Index, error) {
	if b.flask != backend.NoFlask {
		return nil, fmt.Errorf("mongodb: %w: the documents of Flask have no field for owners", backend.ErrNoIndex)
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
	return v.create(ctx, v.layout, key, data, ttl)
}

// Update implements [backend.Backend] as that of the Backend does.
func (v view) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	return v.replace(ctx, v.layout, key, data, ttl, base)
}

// Touch implements [backend.Backend] as that of the Backend does.
func (v view) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return v.touch(ctx, v.layout, key, ttl)
}

// Owned implements [backend.Index] by one find. Without the index of [Schema]
// it looks at the whole collection.
func (v view) Owned(ctx context.Context) ([]string, error) {
	filter := bson.D{
		{Key: ownerField, Value: v.layout.owner},
		{Key: v.layout.expires, Value: bson.D{{Key: "$gt", Value: instant(v.now())}}},
	}
	keys, err := v.keys(ctx, filter, options.Find(), math.MaxInt32)
	return keys, fail(ctx, "list by owner", v.layout.owner, err)
}
