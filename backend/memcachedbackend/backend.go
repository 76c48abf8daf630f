// Package memcachedbackend keeps sessions in memcached 1.4 or later, one server
// or several.
//
// # Layout
//
// A record is one item under the key that package sessions gives, with flags
// 0: 8 bytes, big-endian, the time when the record will be gone as Unix time
// in milliseconds, and then the data. The item's own expiry is what ends the
// record, by the server's clock; memcached checks it on every command. The
// time in the value comes from the clock of the program that wrote it: it is
// [backend.Record].Expires, and what Touch compares.
//
// The server counts in whole seconds and rounds down, so a record is given one
// or two seconds more than its time to live. More than 30 days are sent as a
// time, as memcached asks for: then it is up to three, and the clocks of
// program and server must agree. A time that no longer fits into the 32 bits of memcached
// (January 2038) is sent as no expiry at all, and the time in the value ends
// the record.
//
// In the layouts of Flask's extensions, see [Config], the value is the data
// alone, and the item's expiry is what the server knows: nothing tells it in
// return, so Expires is always the zero time, package sessions touches a
// session with every request that uses it, and a touch can also shorten a
// life. Flask-Session2 stores its items without any expiry. They get one when
// a program of this package changes or touches them. After January 2038 so
// does no item.
//
// # Commands
//
// Load is gets, Create is add, Delete of whatever is there is delete. Update
// on a revision of Load is one cas, and so is Delete, which stores an item
// that has expired already, as memcached has no conditional delete in its
// classic protocol. The server does not tell the CAS number of what it has
// stored, so a revision of Create or Update costs a gets before the cas.
// Touch is gets and, unless the record lives long enough, a cas that rewrites
// the item: it costs its size twice, but it can neither shorten a longer life
// that somebody else has just given the record nor bring it back. The touch
// command could do the former, and is what the layouts of Flask have to use.
//
// There is never a set: one that is too large removes the stored item.
//
// A cas that fails is followed by a gets, which tells what has happened:
// whether it was this very write whose reply was lost, whether the record was
// only touched (then the cas is tried again), or whether it was changed. In
// the layouts of Flask it does not tell the first of these: there an add or cas
// that was repeated because its connection broke, and then failed, is an error.
//
// # What a server must be
//
// memcached is a cache. A restart, and memory running short, log visitors
// out: watch the evictions. Servers must have CAS numbers (no option -C).
//
// With several servers each key belongs to one of them. When the list of
// servers changes, most keys move, so that most visitors are logged out. When
// a server is taken out of the list and comes back with its old items, what
// was deleted meanwhile is there again, a logged-out session included, until
// it expires: restart a server before it comes back. For the same reason do
// not use a selector that leaves out servers by itself when they do not
// answer. All programs must have the same servers in the same order.
//
// A proxy must pass gets and cas on and may not repeat or replicate commands.
package memcachedbackend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// A Backend keeps sessions in memcached. It may be used by any number of
// goroutines at once. Make one with [New] or [NewWithConfig].
//
// It is no [backend.Lister], as memcached cannot enumerate its keys.
type Backend struct {
	redacted
	client  *memcache.Client
	maxSize int
	layout  backend.FlaskLayout
	owned   bool // Close closes the client
	closed  atomic.Bool
	now     func() time.Time
}

// redacted keeps a Backend out of logs, with what it leads to.
type redacted = redact.Opaque

// attempts is how often Create tries again to store a record whose place is
// taken and then free. A proxy that hides errors can answer so for ever.
const attempts = 10

var (
	_ backend.FlaskStore = (*Backend)(nil)
	_ backend.Pinger     = (*Backend)(nil)
	_ io.Closer          = (*Backend)(nil)
)

// New returns a Backend on a client that the caller made and will close. It
// does no I/O.
//
// New never fails, so that it fits into a Config literal. With a nil client
// every method of the Backend returns an error that says so; [NewWithConfig]
// returns that error at once.
//
// Every method returns when its context is done. As the client knows nothing
// of contexts, that costs a goroutine for each command, which goes on until
// the client's Timeout. Set MaxIdleConns of the client to the number of
// requests that are served at once: its default of 2 makes most commands dial.
// When a connection turns out to be broken, the backend closes the idle ones of
// the client and tries again.
//
// memcache.New looks up the addresses of the servers once, and leaves out all
// of them, without an error, when one cannot be found.
func New(client *memcache.Client) *Backend {
	return &Backend{client: client, maxSize: DefaultMaxSize, now: time.Now}
}

// Load implements [backend.Backend] by one gets. A value that is no record
// gives ErrCorrupt.
func (b *Backend) Load(ctx context.Context, key string) (backend.Record, error) {
	e, err := b.get(ctx, key)
	if err != nil {
		return backend.Record{}, fail("load", key, err)
	}
	return backend.Record{Data: e.data(), Expires: e.expires, Revision: b.revisionOf(e)}, nil
}

// Create implements [backend.Backend] by one add.
func (b *Backend) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	const op = "create"
	item, err := b.item(key, data, ttl)
	if err != nil {
		return nil, fail(op, key, err)
	}
	for range attempts {
		repeated, err := b.write(ctx, func() error { return b.client.Add(item) })
		switch {
		case err == nil:
			return b.revision(item.Value, 0), nil
		case !errors.Is(err, memcache.ErrNotStored):
			return nil, fail(op, key, err)
		case repeated && b.flask():
			return nil, fail(op, key, errLost)
		}
		e, err := b.getAny(ctx, key)
		switch {
		case errors.Is(err, backend.ErrCorrupt):
			return nil, fail(op, key, backend.ErrExists)
		case err == nil && e.ended(b.now()):
			err = b.cas(ctx, e.grave())
		case err == nil && bytes.Equal(e.data(), data) && !b.flask():
			return b.revisionOf(e), nil
		case err == nil:
			return nil, fail(op, key, backend.ErrExists)
		}
		// What was in the way has gone meanwhile, or was replaced by
		// something that the next round will see.
		if err != nil && !errors.Is(err, backend.ErrNotFound) && !errors.Is(err, backend.ErrConflict) {
			return nil, fail(op, key, err)
		}
	}
	return nil, fail(op, key, errors.New("the server says that there is a record, but has none"))
}

// Update implements [backend.Backend] by one cas, or gets and cas for a
// revision that Create or Update returned.
func (b *Backend) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	const op = "update"
	item, err := b.item(key, data, ttl)
	if err != nil {
		return nil, fail(op, key, err)
	}
	stored, err := b.swap(ctx, item, base)
	switch {
	case err == nil:
		return b.revision(item.Value, 0), nil
	case errors.Is(err, backend.ErrConflict) && stored != nil && bytes.Equal(stored.data(), data) && !b.flask():
		return b.revisionOf(stored), nil
	}
	return nil, fail(op, key, err)
}

// Touch implements [backend.Backend] by one gets when the record lives long
// enough, else by gets and cas. It changes no revision. In the layouts of
// Flask it is one touch, which also shortens the life of a record that had
// longer to live.
func (b *Backend) Touch(ctx context.Context, key string, ttl time.Duration) error {
	const op = "touch"
	if b.flask() {
		return fail(op, key, b.touchFlask(ctx, key, ttl))
	}
	expires := b.now().Add(ttl)
	for {
		e, err := b.get(ctx, key)
		if err != nil {
			return fail(op, key, err)
		}
		if !e.expires.Before(expires) {
			return nil
		}
		err = b.cas(ctx, e.until(expires, b.now()))
		if !errors.Is(err, backend.ErrConflict) {
			return fail(op, key, err)
		}
	}
}

// Delete implements [backend.Backend] by one delete. With a base it is one
// cas, or gets and cas for a revision that Create or Update returned; when the
// connection breaks before the reply, the cas is repeated, finds nothing, and
// the error is ErrNotFound, or in the layouts of Flask that the reply was lost.
func (b *Backend) Delete(ctx context.Context, key string, base backend.Revision) error {
	const op = "delete"
	if base != nil {
		_, err := b.swap(ctx, grave(key), base)
		return fail(op, key, err)
	}
	err := b.do(ctx, func() error { return b.client.Delete(key) })
	if errors.Is(err, memcache.ErrCacheMiss) {
		err = nil
	}
	return fail(op, key, err)
}

// Ping implements [backend.Pinger]: it returns nil when all servers answer.
func (b *Backend) Ping(ctx context.Context) error {
	return fail("ping", "", b.do(ctx, b.client.Ping))
}

// Close makes every later call return ErrClosed. It closes the client only
// when the backend was opened by its settings. It may be called repeatedly.
func (b *Backend) Close() error {
	if b.closed.Swap(true) || !b.owned {
		return nil
	}
	if err := b.client.Close(); err != nil {
		return fmt.Errorf("memcached: close: %w", err)
	}
	return nil
}
