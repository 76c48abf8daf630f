package mongobackend

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/go-session2/sessions/backend"
)

// do runs a command of the driver, outside of a transaction that the context
// may carry.
func (b *Backend) do(ctx context.Context, command func(context.Context) error) error {
	switch {
	case b.closed.Load():
		return backend.ErrClosed
	case b.invalid != nil:
		return b.invalid
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if mongo.SessionFromContext(ctx) != nil {
		ctx = mongo.NewSessionContext(ctx, nil)
	}
	return command(ctx)
}

// find returns the record under key.
func (b *Backend) find(ctx context.Context, key string) (*record, error) {
	var raw bson.Raw
	err := b.do(ctx, func(ctx context.Context) (err error) {
		raw, err = b.coll.FindOne(ctx, only(key)).Raw()
		return err
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		err = backend.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	rec, err := decode(raw)
	if err == nil && !b.now().Before(rec.expires) {
		return nil, backend.ErrNotFound
	}
	return rec, err
}

// update changes the document that a filter finds and returns whether it found
// one.
func (b *Backend) update(ctx context.Context, filter, change bson.D) (done bool, err error) {
	err = b.do(ctx, func(ctx context.Context) error {
		res, err := b.coll.UpdateOne(ctx, filter, change)
		if err == nil {
			done = res.MatchedCount > 0
		}
		return err
	})
	return done, err
}

// why returns the error of a command that did not find the record under key at
// its revision. With ErrConflict comes the record that is there instead,
// unless it is corrupt.
func (b *Backend) why(ctx context.Context, key string) (*record, error) {
	rec, err := b.find(ctx, key)
	if err == nil || errors.Is(err, backend.ErrCorrupt) {
		err = backend.ErrConflict
	}
	return rec, err
}

// keys returns the keys of at most limit documents that a filter finds.
func (b *Backend) keys(ctx context.Context, filter bson.D, opts *options.FindOptionsBuilder, limit int) (keys []string, err error) {
	opts = opts.SetLimit(int64(limit)).SetBatchSize(int32(min(limit, maxBatch))).SetProjection(bson.D{{Key: idField, Value: 1}})
	err = b.do(ctx, func(ctx context.Context) error {
		cursor, err := b.coll.Find(ctx, filter, opts)
		if err != nil {
			return err
		}
		defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
		for cursor.Next(ctx) {
			if key, ok := cursor.Current.Lookup(idField).StringValueOK(); ok {
				keys = append(keys, key)
			}
		}
		return cursor.Err()
	})
	return keys, err
}
