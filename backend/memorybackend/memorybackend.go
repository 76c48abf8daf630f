// Package memorybackend keeps sessions in the memory of the process: for
// tests, for development and for programs of a single process that may lose
// all sessions when they end.
package memorybackend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

func init() {
	backend.Register("memory", func(s *backend.Settings) (backend.Backend, error) {
		return New(Config{MaxSessions: s.Int("SESSION_MEMORY_MAX", 0)})
	})
}

// defaultMaxSessions is at 500 bytes a session about 70 MB.
const defaultMaxSessions = 100_000

// Config configures a Backend. The zero value is ready to use.
type Config struct {
	// MaxSessions is the number of records that the backend holds at most,
	// so that visitors cannot fill the memory. When it is reached, expired
	// records make room; when there are none, Create returns
	// [backend.ErrFull]. A live record is never evicted. Default: 100,000,
	// which are about 70 MB at 500 bytes a session. The setting is
	// SESSION_MEMORY_MAX.
	MaxSessions int

	// Now returns the time, for tests that do not want to wait. Any number
	// of goroutines may call it. Default: time.Now.
	Now func() time.Time
}

// shardCount is the number of parts that the records are divided into, each
// with its own lock: enough that even many cores seldom meet at one.
const shardCount = 128

// Backend is a [backend.Backend] in memory. It starts no goroutine: expired
// records go when Sweep is called or when room is needed. Its methods may be
// called by any number of goroutines at once, and those that read one record
// lock out no other reader.
type Backend struct {
	redacted
	now    func() time.Time
	max    int64
	count  atomic.Int64 // the records of all shards
	seed   maphash.Seed
	shards [shardCount]shard
	index  index
}

// redacted keeps a Backend out of logs, with what it leads to.
type redacted = redact.Opaque

var (
	_ backend.Backend = (*Backend)(nil)
	_ backend.Pinger  = (*Backend)(nil)
)

// New returns an empty Backend. It returns an error when MaxSessions is
// negative.
func New(cfg Config) (*Backend, error) {
	if cfg.MaxSessions < 0 {
		return nil, errors.New("memory: Config.MaxSessions (SESSION_MEMORY_MAX) must not be negative; 0 is the default of 100,000")
	}
	if cfg.MaxSessions == 0 {
		cfg.MaxSessions = defaultMaxSessions
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	b := &Backend{now: cfg.Now, max: int64(cfg.MaxSessions), seed: maphash.MakeSeed()}
	for i := range b.shards {
		b.shards[i].open()
	}
	return b, nil
}

func (b *Backend) shard(key string) *shard {
	return &b.shards[maphash.String(b.seed, key)%shardCount]
}

func (b *Backend) nano() int64 { return b.now().UnixNano() }

// Load returns the record under key, without copying it. Errors:
// [backend.ErrNotFound], [backend.ErrClosed], those of the context.
func (b *Backend) Load(ctx context.Context, key string) (backend.Record, error) {
	if err := ctx.Err(); err != nil {
		return backend.Record{}, failed("load", err)
	}
	s, now := b.shard(key), b.nano()
	s.mu.RLock()
	r, err := s.live(key, now)
	s.mu.RUnlock()
	if err != nil {
		return backend.Record{}, failed("load", err)
	}
	return backend.Record{Data: r.data, Revision: backend.Revision(r.data), Expires: time.Unix(0, r.expires)}, nil
}

// Create stores a copy of data. Errors: [backend.ErrExists],
// [backend.ErrFull], [backend.ErrClosed], those of the context.
func (b *Backend) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	if err := ctx.Err(); err != nil {
		return nil, failed("create", err)
	}
	s := b.shard(key)
	fresh := record{data: copyOf(data), expires: b.nano() + int64(ttl)}
	for {
		rev, err := b.create(s, key, fresh)
		if err == nil {
			return rev, nil
		}
		if !errors.Is(err, backend.ErrFull) || b.sweep(1) == 0 {
			return nil, failed("create", err)
		}
	}
}

// create is one attempt of Create, which fails when the store is full.
func (b *Backend) create(s *shard, key string, fresh record) (backend.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch old, err := s.live(key, b.nano()); {
	case err == nil && bytes.Equal(old.data, fresh.data):
		return backend.Revision(old.data), nil
	case err == nil:
		return nil, backend.ErrExists
	case errors.Is(err, backend.ErrClosed):
		return nil, err
	}
	if _, expired := s.records[key]; !expired && b.count.Add(1) > b.max {
		b.count.Add(-1)
		return nil, fmt.Errorf("%w: MaxSessions is %d", backend.ErrFull, b.max)
	}
	// A key that is part of a longer string would keep all of it in memory.
	s.put(strings.Clone(key), fresh)
	return backend.Revision(fresh.data), nil
}

// Update replaces the record under key by a copy of data. Errors:
// [backend.ErrNotFound], [backend.ErrConflict], [backend.ErrClosed], those of
// the context.
func (b *Backend) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	if err := ctx.Err(); err != nil {
		return nil, failed("update", err)
	}
	s := b.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := b.nano()
	old, err := s.live(key, now)
	if err != nil {
		return nil, failed("update", err)
	}
	if !old.at(base) {
		if bytes.Equal(old.data, data) {
			return backend.Revision(old.data), nil
		}
		return nil, failed("update", backend.ErrConflict)
	}
	fresh := record{data: copyOf(data), expires: now + int64(ttl)}
	s.put(key, fresh)
	return backend.Revision(fresh.data), nil
}

// Touch extends the life of the record under key. Errors:
// [backend.ErrNotFound], [backend.ErrClosed], those of the context.
func (b *Backend) Touch(ctx context.Context, key string, ttl time.Duration) error {
	if err := ctx.Err(); err != nil {
		return failed("touch", err)
	}
	s := b.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := b.nano()
	r, err := s.live(key, now)
	if err != nil {
		return failed("touch", err)
	}
	if expires := now + int64(ttl); expires > r.expires {
		r.expires = expires
		s.put(key, r)
	}
	return nil
}

// Delete removes the record under key. Errors: with a base
// [backend.ErrNotFound] and [backend.ErrConflict]; [backend.ErrClosed], those
// of the context.
func (b *Backend) Delete(ctx context.Context, key string, base backend.Revision) error {
	if err := ctx.Err(); err != nil {
		return failed("delete", err)
	}
	s := b.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.live(key, b.nano())
	if errors.Is(err, backend.ErrClosed) {
		return failed("delete", err)
	}
	if base != nil && err != nil {
		return failed("delete", err)
	}
	if base != nil && !r.at(base) {
		return failed("delete", backend.ErrConflict)
	}
	if _, ok := s.records[key]; ok {
		delete(s.records, key)
		b.index.remove(key)
		b.count.Add(-1)
	}
	return nil
}

// Ping returns nil while the backend is open, and else [backend.ErrClosed] or
// the error of the context.
func (b *Backend) Ping(ctx context.Context) error { return b.ready(ctx, "ping") }

// ready returns the error of the context, or ErrClosed.
func (b *Backend) ready(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return failed(op, err)
	}
	s := &b.shards[0]
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.records == nil {
		return failed(op, backend.ErrClosed)
	}
	return nil
}

// Close drops all records. It always returns nil, and may be called more than
// once.
func (b *Backend) Close() error {
	for i := range b.shards {
		b.shards[i].close()
	}
	b.index.clear()
	return nil
}

func failed(op string, err error) error { return fmt.Errorf("memory: %s: %w", op, err) }

// copyOf returns a copy that holds no more memory than it needs, and that is
// not nil, as it is also the revision.
func copyOf(data []byte) []byte {
	c := make([]byte, len(data))
	copy(c, data)
	return c
}
