// Package elasticbackend keeps sessions in Elasticsearch 8 or 9.
//
// It needs nothing from a client but its method Perform, which the clients of
// go-elasticsearch v8 and v9 have, the typed ones too, and does not import
// them: they take minutes to compile.
//
// # Layout
//
// A record is one document of an index. Its _id is the key that package
// sessions gives. The document has the data in base64, in a field that is not
// indexed; expires, when the record will be gone, as Unix time in
// milliseconds; and key, a copy of the key, as Elasticsearch cannot sort by
// _id. Nothing else is indexed, whatever it holds; see [Schema].
//
// Elasticsearch has no time to live. Load and every condition compare the
// expiry with the clock of the program, and Sweep removes what has expired.
// The clocks of all programs must agree to the second or so.
//
// # Requests
//
// Load is a get by id, Create is an index request with op_type create, Update
// one with if_seq_no and if_primary_term, Delete is a delete by id, with the
// same conditions when there is a base: one round trip each. Touch is a get of
// the expiry alone and, unless the record lives long enough, a partial update
// with the conditions, as only a script could compare inside the server.
//
// The revision of a record is its sequence number and primary term, which
// every write moves, also that of a program that knows nothing of sessions,
// and its expiry, so that a conditional write need not ask for it first. A
// touch that extends moves it as well.
//
// When a condition does not hold, an update that changes nothing tells why: it
// is read from the primary shard, as a get could be answered by a replica that
// does not yet have the write whose reply was lost.
//
// # Consistency
//
// Gets by id see every write that was acknowledged, without a refresh; no
// request of a visitor waits for one. Searches lag behind by the index's
// refresh interval, one second by default. Sweep searches, so it may be late,
// and deletes by the revision that it has found, so it spares what was
// extended meanwhile. List begins with a refresh.
//
// A write is acknowledged when the primary and all replicas in sync have it on
// disk (index.translog.durability, whose default is request). It is accepted
// when the primary alone is there, unless the index's
// index.write.wait_for_active_shards says otherwise. A node that was cut off
// from the others may answer gets with old records until it notices; writes
// based on them are conflicts.
//
// # Flask
//
// With [Config.Flask] the documents are those of Flask-Session2: id, the key;
// val, the session as a JSON object, of which every byte is kept; expiration,
// a date in ISO 8601 with microseconds, or null for a record that does not
// expire. The data must be a JSON object. A Touch writes the document anew,
// and is one round trip more.
//
// There the data does not tell whose write it is, so that Create, Update and
// Delete are errors when the reply is lost, and a client must not repeat them:
// the body of a request can be had again only while nothing was sent. A client
// that has CompressRequestBody repeats it all the same, and then any answer but
// a success is an error. Both need a client that sends by net/http; by another
// transport a client fails over to no other node for a write.
package elasticbackend

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// A Backend keeps sessions in an index of Elasticsearch. It may be used by any
// number of goroutines at once. Make one with [New] or [NewWithConfig].
type Backend struct {
	redacted
	client  elastictransport.Interface
	index   string
	maxSize int
	flask   backend.FlaskLayout
	layout  layout
	schema  schema
	invalid error  // what every method returns for a client that is nil
	release func() // frees what the backend opened, or nil
	closed  atomic.Bool
	now     func() time.Time
}

// redacted keeps a Backend out of logs, with what it leads to.
type redacted = redact.Opaque

var (
	_ backend.Backend = (*Backend)(nil)
	_ backend.Sweeper = (*Backend)(nil)
	_ backend.Lister  = (*Backend)(nil)
	_ backend.Pinger  = (*Backend)(nil)
	_ io.Closer       = (*Backend)(nil)
)

// New returns a Backend on a client that the caller made, most often an
// *elasticsearch.Client:
//
//	client, err := elasticsearch.NewClient(elasticsearch.Config{...})
//	...
//	elasticbackend.New(client)
//
// It does no I/O. New never fails, so that it fits into a Config literal. With
// a nil client every method of the Backend returns an error that says so;
// [NewWithConfig] returns that error at once.
//
// A client whose addresses have a path (https://host/elastic) cannot be used
// with keys that hold a slash. The MaxIdleConnsPerHost of its http.Transport
// should be the number of requests that are served at once: the default of 2
// makes most of them dial.
func New(client elastictransport.Interface) *Backend { return newBackend(client, Config{}) }

// Load implements [backend.Backend] by one get. A document that is no record
// gives ErrCorrupt.
func (b *Backend) Load(ctx context.Context, key string) (backend.Record, error) {
	rec, err := b.live(b.get(ctx, key))
	if err != nil {
		return backend.Record{}, fail(ctx, "load", key, err)
	}
	return backend.Record{Data: rec.data, Revision: rec.revision(), Expires: rec.expires}, nil
}

// Create implements [backend.Backend] by one index request. A record that has
// expired and was not yet removed is replaced, which takes two more round
// trips.
func (b *Backend) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	return b.createFor(ctx, "", key, data, ttl)
}

// createFor is Create for an owner, or for none.
func (b *Backend) createFor(ctx context.Context, owner, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	const op = "create"
	doc, err := b.draft(ctx, owner, key, data, ttl)
	if err != nil {
		return nil, fail(ctx, op, key, err)
	}
	for {
		rev, err := b.put(ctx, key, doc, nil)
		if !errors.Is(err, errConflict) {
			return rev, fail(ctx, op, key, err)
		}
		rec, err := b.getPrimary(ctx, key)
		switch {
		case errors.Is(err, backend.ErrCorrupt):
			return nil, fail(ctx, op, key, backend.ErrExists)
		case errors.Is(err, backend.ErrNotFound):
			continue // it was removed meanwhile
		case err != nil:
			return nil, fail(ctx, op, key, err)
		case !rec.ended(b.now()) && b.isOurs(rec, data):
			return rec.revision(), nil
		case !rec.ended(b.now()):
			return nil, fail(ctx, op, key, backend.ErrExists)
		}
		rev, err = b.put(ctx, key, doc, &rec.state)
		if !errors.Is(err, errConflict) {
			return rev, fail(ctx, op, key, err)
		}
	}
}

// Update implements [backend.Backend] by one index request.
func (b *Backend) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	return b.updateFor(ctx, "", key, data, ttl, base)
}

// updateFor is Update for an owner, or for whom the record has.
func (b *Backend) updateFor(ctx context.Context, owner, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	const op = "update"
	at := parseRevision(base)
	if at != nil && owner == "" {
		owner = at.owner
	}
	doc, err := b.draft(ctx, owner, key, data, ttl)
	if err != nil {
		return nil, fail(ctx, op, key, err)
	}
	read := b.get
	if at != nil && !at.ended(b.now()) {
		rev, err := b.put(ctx, key, doc, at)
		if !errors.Is(err, errConflict) {
			return rev, fail(ctx, op, key, err)
		}
		read = b.getPrimary
	}
	rec, err := b.why(read(ctx, key))
	if rec != nil && b.isOurs(rec, data) {
		return rec.revision(), nil
	}
	return nil, fail(ctx, op, key, err)
}

// isOurs reports whether a record is what a write whose reply was lost has
// stored. In a layout of Flask the data does not tell.
func (b *Backend) isOurs(rec *record, data []byte) bool {
	return b.flask == backend.NoFlask && bytes.Equal(rec.data, data)
}

// Touch implements [backend.Backend] by one get when the record lives long
// enough, else by a get and a partial update, which moves the revision. The
// server writes the whole document again.
func (b *Backend) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return b.touchFor(ctx, "", key, ttl)
}

// touchFor is Touch for an owner, or for whom the record has.
func (b *Backend) touchFor(ctx context.Context, owner, key string, ttl time.Duration) error {
	const op = "touch"
	until := b.now().Add(ttl)
	for {
		at, err := b.getState(ctx, key, owner)
		if err == nil && at.ended(b.now()) {
			err = backend.ErrNotFound
		}
		enough := err == nil && (at.expires.IsZero() || !at.expires.Before(until))
		if err != nil || enough && (owner == "" || owner == at.owner) {
			return fail(ctx, op, key, err)
		}
		expires := until
		if enough {
			expires = at.expires
		}
		err = b.extend(ctx, key, expires, at, owner)
		if !errors.Is(err, errConflict) {
			return fail(ctx, op, key, err)
		}
		// It was written or touched meanwhile: look again.
	}
}

// Delete implements [backend.Backend] by one delete. With a base whose reply
// was lost and that the client has repeated it returns ErrNotFound.
func (b *Backend) Delete(ctx context.Context, key string, base backend.Revision) error {
	const op = "delete"
	if base == nil {
		err := b.remove(ctx, key, nil)
		if errors.Is(err, backend.ErrNotFound) {
			return nil
		}
		return fail(ctx, op, key, err)
	}
	read := b.get
	if at := parseRevision(base); at != nil && !at.ended(b.now()) {
		err := b.remove(ctx, key, at)
		if !errors.Is(err, errConflict) {
			return fail(ctx, op, key, err)
		}
		read = b.getPrimary
	}
	_, err := b.why(read(ctx, key))
	return fail(ctx, op, key, err)
}

// Ping implements [backend.Pinger]: it returns nil when a get by id is
// answered, which needs no right that Load does not need. Where the index is
// left to the operator, it must exist.
func (b *Backend) Ping(ctx context.Context) error {
	err := b.do(ctx, request{method: http.MethodGet, endpoint: docEndpoint, key: "ping", query: url.Values{"_source": {"false"}}}, &struct{}{})
	if is(err, absent) || is(err, noIndex) && !b.schema.skip {
		err = nil
	}
	return fail(ctx, "ping", "", err)
}

// Close makes every later call return ErrClosed. It closes idle connections
// only when the backend opened the client by its settings. It may be called
// repeatedly.
func (b *Backend) Close() error {
	if !b.closed.Swap(true) && b.release != nil {
		b.release()
	}
	return nil
}
