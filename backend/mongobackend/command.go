package mongobackend

import (
	"bytes"
	"context"
	"errors"
	"time"

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
		if b.flask != backend.NoFlask {
			raw, err = b.first(ctx, key)
		} else {
			raw, err = b.coll.FindOne(ctx, b.only(key)).Raw()
		}
		return err
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		err = backend.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	rec, err := b.decode(raw)
	if err == nil && rec.ended(b.now()) {
		return nil, backend.ErrNotFound
	}
	return rec, err
}

// insert stores a record under a key that is not in use. An error about a
// duplicate key, or none, says that it is.
func (b *Backend) insert(ctx context.Context, l layout, key string, data []byte, expires time.Time) (done bool, err error) {
	err = b.do(ctx, func(ctx context.Context) error {
		if b.flask != backend.NoFlask {
			done, err = b.upsert(ctx, key, data, expires)
			return err
		}
		_, err := b.coll.InsertOne(ctx, l.document(key, data, expires))
		done = err == nil
		return err
	})
	return done, err
}

// same reports whether the record is of a write with this data. Without a
// write token that is not known.
func (b *Backend) same(rec *record, data []byte) bool {
	return b.flask == backend.NoFlask && bytes.Equal(rec.data, data)
}

// remove removes the document that a filter finds and returns how many it
// found.
func (b *Backend) remove(ctx context.Context, filter bson.D) (count int64, err error) {
	err = b.do(ctx, func(ctx context.Context) error {
		var res *mongo.DeleteResult
		var err error
		if b.flask != backend.NoFlask { // which may have stored two
			res, err = b.coll.DeleteMany(ctx, filter)
		} else {
			res, err = b.coll.DeleteOne(ctx, filter)
		}
		if err == nil {
			count = res.DeletedCount
		}
		return err
	})
	return count, err
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
	opts = opts.SetLimit(int64(limit)).SetBatchSize(int32(min(limit, maxBatch))).SetProjection(bson.D{{Key: b.id, Value: 1}})
	err = b.do(ctx, func(ctx context.Context) error {
		cursor, err := b.coll.Find(ctx, filter, opts)
		if err != nil {
			return err
		}
		defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
		for cursor.Next(ctx) {
			if key, ok := cursor.Current.Lookup(b.id).StringValueOK(); ok {
				keys = append(keys, key)
			}
		}
		return cursor.Err()
	})
	return keys, err
}
