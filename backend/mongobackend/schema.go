package mongobackend

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/go-session2/sessions/backend"
)

// schemaTimeout bounds the creation of the index in the background. It takes
// that long only in a large collection that has none.
const schemaTimeout = 10 * time.Minute

// Schema returns the indexes that a collection of sessions needs: one by
// which MongoDB removes what has expired, and one to find the sessions of a
// user. In the shell of MongoDB they are
//
//	db.sessions.createIndex({expires: 1}, {expireAfterSeconds: 0})
//	db.sessions.createIndex({owner: 1}, {sparse: true})
func Schema() []mongo.IndexModel {
	return []mongo.IndexModel{
		{Keys: bson.D{{Key: native.expires, Value: 1}}, Options: options.Index().SetExpireAfterSeconds(0)},
		{Keys: bson.D{{Key: ownerField, Value: 1}}, Options: options.Index().SetSparse(true)},
	}
}

// EnsureSchema creates the indexes of [Schema], or in the layout of Flask those
// of [FlaskSchema], where they are missing. Any number of
// processes may do so at the same time. It returns an error when the program
// may not create it, when the database knows no TTL index, or when there is
// another index on the field.
//
// Without [Config.SkipSchema] the backend calls it once by itself and leaves
// an error at that: records still end on time, and Sweep removes them, slower
// than with the index. A program that wants to know calls it when it starts.
func (b *Backend) EnsureSchema(ctx context.Context) error {
	return fail(ctx, "ensure schema", "", b.do(ctx, func(ctx context.Context) error {
		indexes := Schema()
		if b.flask != backend.NoFlask {
			indexes = FlaskSchema()
		}
		var errs []error
		for _, index := range indexes { // one by one, as one may be refused
			_, err := b.coll.Indexes().CreateOne(ctx, index)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}))
}

// A schema is the state of the creation of the index in the background.
type schema struct {
	skip bool

	mu      sync.Mutex
	started bool
	stopped bool
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

// prepare begins to create the index, once. It is not waited for, as the
// context of a request may end before an index is built, and the server would
// then give up what it has built.
func (b *Backend) prepare() {
	s := &b.schema
	if s.skip {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started || s.stopped {
		return
	}
	s.started = true
	ctx, cancel := context.WithTimeout(context.Background(), schemaTimeout)
	s.cancel = cancel
	s.done.Go(func() {
		defer cancel()
		// The records do not depend on the index; see EnsureSchema.
		_ = b.EnsureSchema(ctx)
	})
}

// stop ends the creation and waits until it has ended.
func (s *schema) stop() {
	s.mu.Lock()
	s.stopped = true
	if s.cancel != nil {
		s.cancel()
	}
	s.mu.Unlock()
	s.done.Wait()
}
