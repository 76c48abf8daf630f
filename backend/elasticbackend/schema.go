package elasticbackend

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/go-session2/sessions/backend"
)

// Schema returns the settings of an index of sessions: the body of the request
//
//	PUT /sessions
//
// for operators who make the index themselves, as they may to say how many
// shards and replicas it has, or the template in an index template. See
// [Config].SkipSchema.
func Schema() string {
	return body(properties)
}

func body(properties string) string {
	return `{"mappings": {"dynamic": false, "properties": ` + properties + `}}`
}

// EnsureSchema makes the index of [Schema] if it is not there, and adds the
// fields to one that is. Any number of processes may do so at the same time.
// It returns an error when the program may not, or when the index has other
// fields of the same names.
//
// Without [Config.SkipSchema] the backend calls it once by itself, before its
// first write, and returns its error from that write. When the index is found
// missing later, the next write makes it again.
func (b *Backend) EnsureSchema(ctx context.Context) error {
	return fail(ctx, "ensure schema", "", b.ensure(ctx))
}

func (b *Backend) ensure(ctx context.Context) error {
	fields := request{method: http.MethodPut, endpoint: mappingEndpoint, body: []byte(`{"properties": ` + b.layout.properties + `}`)}
	err := b.administer(ctx, fields)
	if is(err, noIndex) {
		err = b.administer(ctx, request{method: http.MethodPut, body: []byte(body(b.layout.properties))})
		if is(err, indexExists) { // another process was faster
			err = b.administer(ctx, fields)
		}
	}
	if b.flask != backend.NoFlask && (is(err, otherFields) || is(err, otherObject)) {
		err = nil // what Elasticsearch has guessed from Flask's documents does
	}
	return err
}

// administer sends a request that changes the index.
func (b *Backend) administer(ctx context.Context, r request) error {
	var reply struct{ Acknowledged bool }
	err := b.do(ctx, r, &reply)
	if err == nil && !reply.Acknowledged {
		err = errors.New("not all nodes have acknowledged the index in time")
	}
	return err
}

// A schema is what is known of the index.
type schema struct {
	skip  bool
	ready atomic.Bool
	turn  chan struct{} // of size 1: held by the one who makes the index
}

// forget makes the next write look for the index.
func (s *schema) forget() { s.ready.Store(false) }

// prepare makes the index, once.
func (b *Backend) prepare(ctx context.Context) error {
	s := &b.schema
	if s.skip || s.ready.Load() || b.invalid != nil || b.closed.Load() {
		return nil // the last two are told by do
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.ready.Load() {
		return nil
	}
	err := b.ensure(ctx)
	if err == nil {
		s.ready.Store(true)
	}
	return err
}
