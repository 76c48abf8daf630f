// Package firestorebackend keeps sessions in Firestore, in a database in
// native mode.
//
// # Layout
//
// A record is one document of a collection of its own: the document's ID is
// the key that package sessions gives; the field data is the data, bytes; the
// field expires is when the record will be gone, a timestamp in whole
// microseconds. Fields that others add are kept by Update and Touch.
//
// The revision of a record is the update time of its document, which Firestore
// moves with every change, whoever makes it; a Touch moves it too.
//
// # Commands
//
// Load is a get, Create a create, Update and Delete are a write with the
// precondition that the update time is that of the base: one round trip each.
// Touch is a get and, unless the record lives that long already, a write with
// a precondition, of the expiry alone. A write whose precondition fails is
// followed by a get that tells why. A write that the database gives up because
// of others is repeated, up to ten times and within the context. No transaction
// is used, so no lock is held. Reads and writes of a document are strongly
// consistent.
//
// Firestore asks for about one write a second to one document, sustained.
// Many requests of one session that all write will see conflicts and, well
// above that rate, errors.
//
// # Expiry
//
// Every command compares the expiry with the clock of the program; the clocks
// of the programs must agree to the second or so. Expired documents are
// removed by Sweep, which needs the index on expires that Firestore keeps by
// default, and by a TTL policy where the operator has made one; see [Schema].
// A policy is billed like other deletes and may be a day late, which harms
// nothing.
//
// # Flask
//
// With [Config.Flask] the documents have the fields of Flask-Session2: id, the
// key; val, the data; expiration, a timestamp, or null for a record that does
// not expire. There the data does not tell whose write it is. The client
// library repeats a commit whose reply was lost, and has no option against it:
// a write that is refused and finds its data with its own expiry, to the
// microsecond, is an error. When the reply to a Delete with a base is lost it
// is still ErrNotFound, and when somebody else writes just between the two
// commits it is a conflict.
//
// # Tests
//
// This package was tested against the emulator of the Google Cloud CLI only.
// The emulator has no TTL policies, quotas, access control or failovers.
package firestorebackend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"cloud.google.com/go/firestore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// A Backend keeps sessions in a collection of Firestore. It may be used by any
// number of goroutines at once. Make one with [New] or [NewWithConfig].
type Backend struct {
	redacted
	client  *firestore.Client
	coll    *firestore.CollectionRef
	flask   backend.FlaskLayout
	layout  layout
	maxSize int
	invalid error // what every method returns for a client that is nil
	owned   bool  // Close closes the client
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

// New returns a Backend on the collection [DefaultCollection] of a client that
// the caller made and will close. It does no I/O.
//
// New never fails, so that it fits into a Config literal. With a nil client
// every method of the Backend returns an error that says so; [NewWithConfig]
// returns that error at once.
func New(client *firestore.Client) *Backend { return newBackend(client, Config{}) }

// Load implements [backend.Backend] by one get. A document that is no record
// gives ErrCorrupt.
func (b *Backend) Load(ctx context.Context, key string) (backend.Record, error) {
	rec, err := b.find(ctx, key)
	if err != nil {
		return backend.Record{}, fail(ctx, "load", key, err)
	}
	return backend.Record{Data: rec.data, Revision: rec.revision(), Expires: rec.expires}, nil
}

// Create implements [backend.Backend] by one create. A record that has expired
// and was not yet removed is replaced, which takes two more round trips.
func (b *Backend) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	return b.createIn(ctx, &b.layout, key, data, ttl)
}

// createIn is Create in a layout with or without an owner.
func (b *Backend) createIn(ctx context.Context, l *layout, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	const op = "create"
	if len(data) > b.maxSize {
		return nil, fail(ctx, op, key, backend.TooLarge(len(data), b.maxSize))
	}
	rec := record{data: data, expires: expiry(b.now(), ttl)}
	for {
		var err error
		if rec.updated, err = b.create(ctx, key, l.document(key, rec)); err == nil {
			return rec.revision(), nil
		}
		if status.Code(err) != codes.AlreadyExists {
			return nil, fail(ctx, op, key, err)
		}
		there, err := b.get(ctx, key)
		switch {
		case errors.Is(err, backend.ErrNotFound):
			continue // it was removed meanwhile
		case errors.Is(err, backend.ErrCorrupt):
			return nil, fail(ctx, op, key, backend.ErrExists)
		case err != nil:
			return nil, fail(ctx, op, key, err)
		case there.live(b.now()):
			if rev, err := b.ours(there, rec); rev != nil || err != nil {
				return rev, fail(ctx, op, key, err)
			}
			return nil, fail(ctx, op, key, backend.ErrExists)
		}
		rec.updated, err = b.update(ctx, key, l.changes(rec), there.updated)
		if err == nil {
			return rec.revision(), nil
		}
		if !refused(err) {
			return nil, fail(ctx, op, key, err)
		}
		// It was removed meanwhile, or somebody else was faster.
	}
}

// Update implements [backend.Backend] by one write.
func (b *Backend) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	return b.updateIn(ctx, &b.layout, key, data, ttl, base)
}

// updateIn is Update in a layout with or without an owner.
func (b *Backend) updateIn(ctx context.Context, l *layout, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	const op = "update"
	if len(data) > b.maxSize {
		return nil, fail(ctx, op, key, backend.TooLarge(len(data), b.maxSize))
	}
	now := b.now()
	rec := record{data: data, expires: expiry(now, ttl)}
	if old, ok := parse(base); ok && old.live(now) {
		var err error
		rec.updated, err = b.update(ctx, key, l.changes(rec), old.updated)
		if err == nil {
			return rec.revision(), nil
		}
		if !refused(err) {
			return nil, fail(ctx, op, key, err)
		}
	}
	there, err := b.why(ctx, key)
	if there != nil {
		if rev, err := b.ours(there, rec); rev != nil || err != nil {
			return rev, fail(ctx, op, key, err)
		}
	}
	return nil, fail(ctx, op, key, err)
}

// Touch implements [backend.Backend] by a get and a write, or the get alone
// when the record lives that long already. It moves the revision.
func (b *Backend) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return b.touchIn(ctx, &b.layout, key, ttl)
}

// touchIn is Touch in a layout with or without an owner.
func (b *Backend) touchIn(ctx context.Context, l *layout, key string, ttl time.Duration) error {
	const op = "touch"
	for {
		rec, err := b.find(ctx, key)
		if err != nil {
			return fail(ctx, op, key, err)
		}
		until := expiry(b.now(), ttl)
		if rec.expires.IsZero() || !rec.expires.Before(until) {
			if l.owner == "" || l.owner == rec.owner {
				return nil
			}
			until = rec.expires
		}
		_, err = b.update(ctx, key, l.extension(until), rec.updated)
		if !refused(err) {
			return fail(ctx, op, key, err)
		}
		// It was changed meanwhile, and may live long enough now.
	}
}

// Delete implements [backend.Backend] by one write. When the reply to a Delete
// with a base is lost and the client repeats the command, it returns
// ErrNotFound.
func (b *Backend) Delete(ctx context.Context, key string, base backend.Revision) error {
	const op = "delete"
	if base == nil {
		return fail(ctx, op, key, b.remove(ctx, key))
	}
	if old, ok := parse(base); ok && old.live(b.now()) {
		err := b.remove(ctx, key, firestore.LastUpdateTime(old.updated))
		if !refused(err) {
			return fail(ctx, op, key, err)
		}
	}
	_, err := b.why(ctx, key)
	return fail(ctx, op, key, err)
}

// Ping implements [backend.Pinger] by a get of a document that need not be
// there.
func (b *Backend) Ping(ctx context.Context) error {
	_, err := b.get(ctx, "ping")
	if errors.Is(err, backend.ErrNotFound) || errors.Is(err, backend.ErrCorrupt) {
		err = nil
	}
	return fail(ctx, "ping", "", err)
}

// Close makes every later call return ErrClosed. It closes the client only
// when the backend was opened by its settings. It may be called repeatedly.
func (b *Backend) Close() error {
	if b.closed.Swap(true) || !b.owned {
		return nil
	}
	if err := b.client.Close(); err != nil {
		return fmt.Errorf("firestore: close: %w", err)
	}
	return nil
}
