// Package datastorebackend keeps sessions in Datastore: Firestore in Datastore
// mode, which has replaced the older service everywhere.
//
// # Layout
//
// A record is one entity of a kind of its own, without a parent: the name in
// its key is the key that package sessions gives; the property data is the
// data, a blob that is not indexed, as an index holds 1500 bytes at most; the
// property expires is when the record will be gone, a timestamp in whole
// microseconds, indexed. Properties that others add are kept by Update and
// Touch.
//
// The revision of a record is its data. So a Touch leaves it as it is, and
// every other change is noticed, whoever makes it.
//
// # Commands
//
// Load is a lookup, Create an insert, and Delete of whatever is there a
// delete: one round trip each. The client library has no conditional write, so
// Update, Touch and Delete at a revision are a transaction: a lookup, which
// also begins it, and a commit, two round trips. A transaction that changes
// nothing ends with a rollback in place of the commit.
//
// The database is either optimistic, when the later of two transactions on one
// record fails at its commit, or pessimistic, when it waits for a lock. Both
// work. What fails because of others is repeated, up to ten times and within
// the context; then the error of the database is returned. The transactions of
// one Backend on one record take turns, so that only those of other processes
// collide with them.
// Lookups and queries are strongly consistent.
//
// # Expiry
//
// Every command compares the expiry with the clock of the program; the clocks
// of the programs must agree to the second or so. Expired entities are removed
// by Sweep, and by a TTL policy where the operator has made one; see [Schema].
// A policy is billed like other deletes and may be a day late, which harms
// nothing.
//
// # Flask
//
// With [Config.Flask] the entities are those of Flask-Session2: the properties
// data and expiry, which is null for a record that does not expire. There the
// data does not tell whose write it is: when the reply to a commit was lost and
// the client has repeated it, that is an error.
//
// # Tests
//
// This package was tested against the emulators of the Google Cloud CLI only:
// that of Datastore, which is optimistic, and that of Firestore in Datastore
// mode, which is pessimistic and needs [Config].BeginFirst. They have no TTL
// policies, quotas, access control or failovers.
package datastorebackend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"cloud.google.com/go/datastore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// A Backend keeps sessions in a kind of Datastore. It may be used by any
// number of goroutines at once. Make one with [New] or [NewWithConfig].
type Backend struct {
	redacted
	client  *datastore.Client
	kind    string
	flask   backend.FlaskLayout
	layout  layout
	maxSize int
	options []datastore.TransactionOption
	turns   turns
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

// New returns a Backend on the kind [DefaultKind] of a client that the caller
// made and will close. It does no I/O.
//
// New never fails, so that it fits into a Config literal. With a nil client
// every method of the Backend returns an error that says so; [NewWithConfig]
// returns that error at once.
func New(client *datastore.Client) *Backend { return newBackend(client, Config{}) }

// Load implements [backend.Backend] by one lookup. An entity that is no record
// gives ErrCorrupt.
func (b *Backend) Load(ctx context.Context, key string) (backend.Record, error) {
	rec, err := do(ctx, b, func() (*record, error) {
		return b.find(key, func(k *datastore.Key, dst any) error { return b.client.Get(ctx, k, dst) })
	})
	if err != nil {
		return backend.Record{}, fail(ctx, "load", key, err)
	}
	return backend.Record{Data: rec.data, Revision: rec.data, Expires: rec.expires}, nil
}

// Create implements [backend.Backend] by one insert. A record that has expired
// and was not yet removed is replaced in a transaction, two more round trips.
func (b *Backend) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	return b.createIn(ctx, b.layout, key, data, ttl)
}

// createIn is Create in a layout with or without an owner.
func (b *Backend) createIn(ctx context.Context, l layout, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	const op = "create"
	if len(data) > b.maxSize {
		return nil, fail(ctx, op, key, backend.TooLarge(len(data), b.maxSize))
	}
	rec := record{data: data, expires: expiry(b.now(), ttl)}
	err := b.insert(ctx, l, key, rec)
	if status.Code(err) == codes.AlreadyExists {
		err = b.transact(ctx, key, func(tx *datastore.Transaction) error {
			there, err := b.find(key, tx.Get)
			switch {
			case errors.Is(err, backend.ErrNotFound):
				return b.put(tx, l, key, rec)
			case errors.Is(err, backend.ErrCorrupt):
				return backend.ErrExists
			case err != nil:
				return err
			}
			return cmp.Or(b.ours(there, &rec), backend.ErrExists)
		})
	}
	if err != nil {
		return nil, fail(ctx, op, key, err)
	}
	return revision(data), nil
}

// Update implements [backend.Backend] by a transaction.
func (b *Backend) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	return b.updateIn(ctx, b.layout, key, data, ttl, base)
}

// updateIn is Update in a layout with or without an owner.
func (b *Backend) updateIn(ctx context.Context, l layout, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	const op = "update"
	if len(data) > b.maxSize {
		return nil, fail(ctx, op, key, backend.TooLarge(len(data), b.maxSize))
	}
	rec := record{data: data, expires: expiry(b.now(), ttl)}
	err := b.transact(ctx, key, func(tx *datastore.Transaction) error {
		there, err := b.find(key, tx.Get)
		switch {
		case errors.Is(err, backend.ErrCorrupt):
			return backend.ErrConflict
		case err != nil:
			return err
		case !there.is(base):
			return cmp.Or(b.ours(there, &rec), backend.ErrConflict)
		}
		return b.put(tx, l, key, record{data: data, expires: rec.expires, other: there.other})
	})
	if err != nil {
		return nil, fail(ctx, op, key, err)
	}
	return revision(data), nil
}

// Touch implements [backend.Backend] by a transaction. It changes no revision.
func (b *Backend) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return b.touchIn(ctx, b.layout, key, ttl)
}

// touchIn is Touch in a layout with or without an owner.
func (b *Backend) touchIn(ctx context.Context, l layout, key string, ttl time.Duration) error {
	return fail(ctx, "touch", key, b.transact(ctx, key, func(tx *datastore.Transaction) error {
		there, err := b.find(key, tx.Get)
		if err != nil {
			return err
		}
		until := expiry(b.now(), ttl)
		if there.expires.IsZero() || !there.expires.Before(until) {
			if l.has(there) {
				return errDone
			}
			until = there.expires
		}
		there.expires = until
		return b.put(tx, l, key, *there)
	}))
}

// Delete implements [backend.Backend] by one delete, or a transaction where
// base is given. When the reply to the latter's commit is lost and the client
// repeats it, it returns ErrNotFound.
func (b *Backend) Delete(ctx context.Context, key string, base backend.Revision) error {
	const op = "delete"
	if base == nil {
		return fail(ctx, op, key, b.remove(ctx, key))
	}
	return fail(ctx, op, key, b.transact(ctx, key, func(tx *datastore.Transaction) error {
		there, err := b.find(key, tx.Get)
		switch {
		case errors.Is(err, backend.ErrCorrupt):
			return backend.ErrConflict
		case err != nil:
			return err
		case !there.is(base):
			return backend.ErrConflict
		}
		return tx.Delete(b.name(key))
	}))
}

// Ping implements [backend.Pinger] by a lookup of an entity that need not be
// there.
func (b *Backend) Ping(ctx context.Context) error {
	_, err := do(ctx, b, func() (struct{}, error) {
		var any datastore.PropertyList
		return struct{}{}, b.client.Get(ctx, b.name("ping"), &any)
	})
	if errors.Is(err, datastore.ErrNoSuchEntity) {
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
		return fmt.Errorf("datastore: close: %w", err)
	}
	return nil
}
