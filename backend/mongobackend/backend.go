// Package mongobackend keeps sessions in MongoDB 4.4 or later: one server, a
// replica set or a sharded cluster.
//
// # Layout
//
// A record is one document: _id is the key that package sessions gives, a
// string; data is the data, a binary of the generic subtype; expires is when
// the record will be gone, a date. A TTL index on expires makes MongoDB remove
// what has expired, about once a minute. As that is late, every command has
// the expiry in its filter or checks it. The time is that of the programs,
// whose clocks must agree to the second or so.
//
// # Commands
//
// Load is findOne, Create is insertOne, Update and Touch are updateOne (Touch
// by $max, so that it cannot shorten), Delete is deleteOne: one round trip
// each, with plain operators and no transaction. Only a command that found
// nothing to do is followed by a findOne that tells why.
//
// The revision of a record is its data: the filter of Update and Delete holds
// the data that is to be replaced. So they notice every change, also that of a
// foreign program that would not move a version number. It costs the old data
// on the wire, and half of the size that a document may have.
//
// # Durability
//
// Reads go to the primary. Writes wait for the majority of a replica set,
// whatever the collection's own write concern is, since a failover undoes
// others, a logout among them; see [Config]. Writes that the driver repeats
// (retryWrites) are recognised by the server; where it cannot, Create and
// Update recognise what they have stored already, and a Delete with a base
// returns ErrNotFound.
//
// A session of the driver in the context is not used: a record that is saved
// while a transaction of the program is open does not depend on its outcome.
//
// The collection must have no collation of its own, which is the default: one
// that ignores case would take different keys for the same. A sharded
// collection must be sharded by _id or, better, its hash: by another field,
// each shard could have a record of the same key.
//
// # Flask
//
// With [Config.Flask] a record is a document of a Flask extension: _id is an
// ObjectId, id the key, val the data, expiration the date, or null for a record
// that does not expire. See [FlaskSchema]. There the data does not tell whose
// write it is: a write whose reply was lost is an error, unless the driver
// repeats it (retryWrites) and the server says how the first has ended. A
// sharded collection must be sharded by id, and not by its hash.
package mongobackend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// A Backend keeps sessions in a collection of MongoDB. It may be used by any
// number of goroutines at once. Make one with [New] or [NewWithConfig].
//
// It is a [backend.Sweeper] although the TTL index does that work, for the
// databases where the index cannot be made; see [Backend.EnsureSchema].
type Backend struct {
	redacted
	layout
	flask   backend.FlaskLayout // whose names and rules the layout has
	coll    *mongo.Collection
	maxSize int
	schema  schema
	invalid error // what every method returns for a collection that is nil
	owned   bool  // Close disconnects the client
	closed  atomic.Bool
	now     func() time.Time
}

// redacted keeps a Backend out of logs, with what it leads to.
type redacted = redact.Opaque

// attempts is how often Create tries again to store a record whose place is
// taken and then free. A unique index on another field can make it so for ever.
const attempts = 10

var (
	_ backend.Backend = (*Backend)(nil)
	_ backend.Sweeper = (*Backend)(nil)
	_ backend.Lister  = (*Backend)(nil)
	_ backend.Pinger  = (*Backend)(nil)
	_ io.Closer       = (*Backend)(nil)
)

// New returns a Backend on a collection of a client that the caller made and
// will disconnect:
//
//	mongobackend.New(client.Database("app").Collection("sessions"))
//
// It does no I/O. New never fails, so that it fits into a Config literal. With
// a nil collection every method of the Backend returns an error that says so;
// [NewWithConfig] returns that error at once.
func New(coll *mongo.Collection) *Backend { return newBackend(coll, Config{}) }

// Load implements [backend.Backend] by one findOne. A document that is no
// record gives ErrCorrupt.
func (b *Backend) Load(ctx context.Context, key string) (backend.Record, error) {
	rec, err := b.find(ctx, key)
	if err != nil {
		return backend.Record{}, fail(ctx, "load", key, err)
	}
	return backend.Record{Data: rec.data, Revision: rec.data, Expires: rec.expires}, nil
}

// Create implements [backend.Backend] by one insertOne. A record that has
// expired and was not yet removed is replaced, which takes two more round
// trips.
func (b *Backend) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	return b.create(ctx, b.layout, key, data, ttl)
}

// create is Create in a layout with or without an owner.
func (b *Backend) create(ctx context.Context, l layout, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	const op = "create"
	if len(data) > b.maxSize {
		return nil, fail(ctx, op, key, backend.TooLarge(len(data), b.maxSize))
	}
	expires := b.now().Add(ttl)
	for range attempts {
		done, err := b.insert(ctx, l, key, data, expires)
		if done {
			b.prepare() //nolint:contextcheck // it goes on after the request
			return revision(data), nil
		}
		if err != nil && !mongo.IsDuplicateKeyError(err) {
			return nil, fail(ctx, op, key, err)
		}
		rec, err := b.find(ctx, key)
		switch {
		case err == nil && b.same(rec, data):
			return revision(data), nil
		case err == nil, errors.Is(err, backend.ErrCorrupt):
			return nil, fail(ctx, op, key, backend.ErrExists)
		case !errors.Is(err, backend.ErrNotFound):
			return nil, fail(ctx, op, key, err)
		}
		done, err = b.update(ctx, l.ended(key, b.now()), l.set(data, expires))
		if done {
			return revision(data), nil
		}
		if err != nil {
			return nil, fail(ctx, op, key, err)
		}
		// It was removed meanwhile, or somebody else was faster.
	}
	return nil, fail(ctx, op, key, errors.New("there is no such record, but a unique index of the collection refuses it"))
}

// Update implements [backend.Backend] by one updateOne.
func (b *Backend) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	return b.replace(ctx, b.layout, key, data, ttl, base)
}

// replace is Update in a layout with or without an owner.
func (b *Backend) replace(ctx context.Context, l layout, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	const op = "update"
	if len(data) > b.maxSize {
		return nil, fail(ctx, op, key, backend.TooLarge(len(data), b.maxSize))
	}
	now := b.now()
	if base != nil {
		done, err := b.update(ctx, l.at(key, base, now), l.set(data, now.Add(ttl)))
		if done {
			if b.flask != backend.NoFlask {
				b.prepare() //nolint:contextcheck // as in Create, as Flask may have created all records
			}
			return revision(data), nil
		}
		if err != nil {
			return nil, fail(ctx, op, key, err)
		}
	}
	rec, err := b.why(ctx, key)
	if rec != nil && b.same(rec, data) {
		return revision(data), nil
	}
	return nil, fail(ctx, op, key, err)
}

// Touch implements [backend.Backend] by one updateOne. It changes no revision.
func (b *Backend) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return b.touch(ctx, b.layout, key, ttl)
}

// touch is Touch in a layout with or without an owner.
func (b *Backend) touch(ctx context.Context, l layout, key string, ttl time.Duration) error {
	now := b.now()
	done, err := b.update(ctx, l.live(key, now), l.extend(now.Add(ttl)))
	if err == nil && !done {
		err = backend.ErrNotFound
	}
	return fail(ctx, "touch", key, err)
}

// Delete implements [backend.Backend] by one deleteOne.
func (b *Backend) Delete(ctx context.Context, key string, base backend.Revision) error {
	const op = "delete"
	filter := b.only(key)
	if base != nil {
		filter = b.at(key, base, b.now())
	}
	count, err := b.remove(ctx, filter)
	if err == nil && count == 0 && base != nil {
		_, err = b.why(ctx, key)
	}
	return fail(ctx, op, key, err)
}

// Ping implements [backend.Pinger]: it returns nil when the primary answers.
func (b *Backend) Ping(ctx context.Context) error {
	return fail(ctx, "ping", "", b.do(ctx, func(ctx context.Context) error {
		return b.coll.Database().Client().Ping(ctx, primary)
	}))
}

// Close makes every later call return ErrClosed, and stops a creation of the
// index that still runs. It disconnects the client only when the backend was
// opened by its settings. It may be called repeatedly.
func (b *Backend) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	b.schema.stop()
	if !b.owned {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := b.coll.Database().Client().Disconnect(ctx); err != nil {
		return fmt.Errorf("mongodb: close: %w", err)
	}
	return nil
}
