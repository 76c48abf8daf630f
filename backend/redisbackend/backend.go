// Package redisbackend keeps sessions in Redis 7.0 or later: one server, a
// Sentinel group or a Redis Cluster.
//
// # Layout
//
// A record is one Redis string under the key that package sessions gives: 8
// bytes, big-endian, the time when the record will be gone as Unix time in
// milliseconds; 8 random bytes, the record's revision; and then the data. The
// time to live of the key in Redis is
// what ends the record, exactly and by the server's clock. The time in the
// value is for [backend.Record].Expires only and comes from the clock of the
// program that wrote it; it saves a second command for each read.
//
// The layouts of Flask's extensions, see [Config], are the same for both: the
// data alone, with the time to live of the key in Redis.
//
// # Commands
//
// Load is GET, Create is SET with NX and GET, and Delete of whatever is there
// is DEL. Update, Touch and Delete at a revision are one EVALSHA each; after
// a restart of the server or SCRIPT FLUSH, EVAL teaches the script again.
// Every command has one key. In the layouts of Flask, Load is a pipeline of
// GET and PTTL, in one round trip, and Create is SET with NX.
//
// On a plain client and on a Sentinel client, commands that come while a round
// trip is under way wait for its end, a millisecond at most, and then go
// together in one pipeline: under load that saves most of what a round trip
// costs here and in the server. A command that comes alone is sent at once.
// Each keeps its own context and its own outcome, and what was answered before
// a connection broke is neither failed nor repeated. Records of more than 16
// KiB go by themselves, which costs less. Cluster and Ring clients,
// clients with a Limiter and clients of other types are given no pipelines,
// and [Config].NoPipelining keeps them from any.
//
// # Compare-and-swap
//
// A write compares the 8 bytes of the revision, in a script. A program that
// knows nothing of revisions overwrites them with its own bytes, so it is
// noticed. Microseconds of the server's CPU time for one write, by the size
// of the data, with what else was measured (Redis 7.0.15, two shared cores,
// the least of three runs):
//
//	                                    500 B  4 KiB  64 KiB  256 KiB
//	SET, which compares nothing            11     16      35       29
//	the revision in the value              15     20     107      306
//	the old value, sent along              16     29     227      855
//	the SHA-1 digest of the old value      15     39     339     1311
//
// What is left beyond SET is the copy that a script gets of its arguments.
// SET with IFEQ or IFDEQ, which only newer servers have, was not measured. To
// repeat it, on a server that nobody else uses meanwhile:
//
//	go test -run '^$' -bench CompareAndSwap -benchtime 1000x ./backend/redisbackend
//
// # What a server must be
//
// Its maxmemory-policy should be noeviction: every other policy evicts live
// records when memory is short, which logs visitors out. Replication of Redis
// is asynchronous: in a failover, also one that was asked for, the writes that
// the old master acknowledged last are lost, a logout among them. The
// server's min-replicas-to-write narrows that window and does not close it.
//
// # What a client must be
//
// A client must read from masters only, and must not cache replies. A
// [redis.Ring] is accepted, but it moves keys to another shard while one is
// down and back afterwards, and what was deleted meanwhile comes back with
// it: prefer Cluster or Sentinel.
//
// go-redis repeats a command when a reply is lost (MaxRetries). Create and
// Update recognise what they have stored already, and Touch may be repeated.
// A Delete at a revision that is repeated finds nothing and returns
// ErrNotFound, although it was this call that removed the record. In the
// layouts of Flask, Create, Update and Delete at a revision are never repeated
// once they were sent, whatever MaxRetries and MaxRedirects of the client are,
// unless the server has refused them: a lost reply is an error.
package redisbackend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// A Backend keeps sessions in Redis. It may be used by any number of
// goroutines at once. Make one with [New] or [NewWithConfig].
type Backend struct {
	redacted
	client  redis.UniversalClient
	batches *batcher     // nil: every command is sent by itself
	loaded  atomic.Int64 // bytes of a record lately, on average
	maxSize int
	bounded bool // the client itself returns at a context's deadline
	layout  backend.FlaskLayout
	invalid error // what every method returns for a client that cannot be used
	owned   bool  // Close closes the client
	closed  atomic.Bool
	now     func() time.Time
}

// redacted keeps a Backend out of logs, with what it leads to.
type redacted = redact.Opaque

var (
	_ backend.FlaskStore = (*Backend)(nil)
	_ backend.Lister     = (*Backend)(nil)
	_ backend.Pinger     = (*Backend)(nil)
	_ io.Closer          = (*Backend)(nil)
)

// New returns a Backend on a client that the caller made and will close. It
// does no I/O.
//
// New never fails, so that it fits into a Config literal. With a client that
// cannot be used, which is nil or a cluster client that reads from replicas,
// every method of the Backend returns an error that says so; [NewWithConfig]
// returns that error at once.
//
// Every method returns when its context is done, whatever the timeouts of the
// client are. It costs a goroutine for each command unless the client is a
// plain or a cluster client with ContextTimeoutEnabled and without TLS; such
// a client is bound by the context's deadline, and by its own timeouts where
// the context is cancelled without one.
func New(client redis.UniversalClient) *Backend {
	b := &Backend{client: client, maxSize: MaxDataSize, now: time.Now}
	b.bounded, b.invalid = inspect(client)
	b.batches = newBatcher(client)
	return b
}

// Load implements [backend.Backend] by one round trip. A value that is no
// record gives ErrCorrupt.
func (b *Backend) Load(ctx context.Context, key string) (backend.Record, error) {
	const op = "load"
	if b.layout != backend.NoFlask {
		rec, err := b.loadFlask(ctx, key)
		return rec, fail(ctx, op, key, err)
	}
	cmd := redis.NewStringCmd(ctx, "get", key)
	size := b.loaded.Load()
	err := b.process(ctx, cmd, int(size))
	if errors.Is(err, redis.Nil) {
		err = backend.ErrNotFound
	}
	if err != nil {
		return backend.Record{}, fail(ctx, op, key, err)
	}
	value, err := cmd.Bytes()
	if err != nil {
		return backend.Record{}, fail(ctx, op, key, err)
	}
	b.loaded.Store(size + (int64(len(value))-size)/16)
	rec, err := decode(value)
	if err != nil {
		return backend.Record{}, fail(ctx, op, key, err)
	}
	return rec, nil
}

// Create implements [backend.Backend] by one SET with NX and, but for the
// layouts of Flask, GET. Redis before 7.0 rejects that as a syntax error.
func (b *Backend) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	const op = "create"
	if len(data) > b.maxSize {
		return nil, fail(ctx, op, key, backend.TooLarge(len(data), b.maxSize))
	}
	ttl = wholeMillis(ttl)
	if b.layout != backend.NoFlask {
		if err := b.createFlask(ctx, key, data, ttl); err != nil {
			return nil, fail(ctx, op, key, err)
		}
		return dataRevision(data), nil
	}
	value := encode(data, b.now().Add(ttl))
	cmd := redis.NewStringCmd(ctx, "set", key, value, "px", ttl.Milliseconds(), "nx", "get")
	err := b.process(ctx, cmd, len(value))
	switch {
	case errors.Is(err, redis.Nil): // there was no record, so this one is stored
		return revision(value), nil
	case redis.HasErrorPrefix(err, "WRONGTYPE"):
		return nil, fail(ctx, op, key, backend.ErrExists)
	case err != nil:
		return nil, fail(ctx, op, key, err)
	}
	old := cmd.Val()
	if len(old) < headerSize || old[headerSize:] != string(data) {
		return nil, fail(ctx, op, key, backend.ErrExists)
	}
	return backend.Revision(old[expirySize:headerSize]), nil
}

// Update implements [backend.Backend] by one EVALSHA.
func (b *Backend) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	const op = "update"
	if len(data) > b.maxSize {
		return nil, fail(ctx, op, key, backend.TooLarge(len(data), b.maxSize))
	}
	ttl = wholeMillis(ttl)
	if b.layout != backend.NoFlask {
		if err := b.runOnce(ctx, op, key, updateFlask, digest(base), data, ttl.Milliseconds()); err != nil {
			return nil, err
		}
		return dataRevision(data), nil
	}
	value := encode(data, b.now().Add(ttl))
	if err := b.run(ctx, op, key, updateScript, len(value), value, []byte(base), ttl.Milliseconds()); err != nil {
		return nil, err
	}
	return revision(value), nil
}

// Touch implements [backend.Backend] by one EVALSHA. It changes no revision.
func (b *Backend) Touch(ctx context.Context, key string, ttl time.Duration) error {
	ttl = wholeMillis(ttl)
	if b.layout != backend.NoFlask {
		return b.run(ctx, "touch", key, touchFlask, 0, ttl.Milliseconds())
	}
	return b.run(ctx, "touch", key, touchScript, 0, expiry(b.now().Add(ttl)), ttl.Milliseconds())
}

// Delete implements [backend.Backend] by one DEL, or one EVALSHA where base
// is given. When the latter's reply is lost and the client repeats the
// command, it returns ErrNotFound.
func (b *Backend) Delete(ctx context.Context, key string, base backend.Revision) error {
	const op = "delete"
	switch {
	case base != nil && b.layout != backend.NoFlask:
		return b.runOnce(ctx, op, key, deleteFlask, digest(base))
	case base != nil:
		return b.run(ctx, op, key, deleteScript, 0, []byte(base))
	}
	return fail(ctx, op, key, b.process(ctx, redis.NewIntCmd(ctx, "del", key), 0))
}

// Ping implements [backend.Pinger]. Of a cluster it asks one node.
func (b *Backend) Ping(ctx context.Context) error {
	_, err := do(ctx, b, func() (string, error) { return b.client.Ping(ctx).Result() })
	return fail(ctx, "ping", "", err)
}

// Close makes every later call return ErrClosed. It closes the client only
// when the backend was opened by its settings. It may be called repeatedly.
func (b *Backend) Close() error {
	if b.closed.Swap(true) || !b.owned {
		return nil
	}
	if err := b.client.Close(); err != nil {
		return fmt.Errorf("redis: close: %w", err)
	}
	return nil
}

// wholeMillis rounds a time to live up to what Redis counts in.
func wholeMillis(ttl time.Duration) time.Duration {
	if rest := ttl % time.Millisecond; rest > 0 {
		ttl += time.Millisecond - rest
	}
	return ttl
}
