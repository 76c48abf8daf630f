package webtest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/filebackend"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/internal/testenv"
)

// stores are the backends that every parallel check runs on.
var stores = map[string]func(t *testing.T) backend.Backend{
	"memory": func(t *testing.T) backend.Backend { return memory(t) },
	"filesystem": func(t *testing.T) backend.Backend {
		b, err := filebackend.New(filebackend.Config{Dir: t.TempDir() + "/sessions"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return b
	},
	"redis": func(t *testing.T) backend.Backend {
		client := redis.NewClient(&redis.Options{Addr: testenv.Need(t, "REDIS_ADDR")})
		t.Cleanup(func() { client.Close() })
		return redisbackend.New(client)
	},
}

func memory(t *testing.T) *memorybackend.Backend {
	b, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A probe passes everything on to a backend, counts what is asked of it,
// remembers the keys, and can be told to fail.
type probe struct {
	backend.Backend
	calls  atomic.Int64
	writes atomic.Int64 // Create, Update
	down   atomic.Bool

	mu   sync.Mutex
	keys map[string]bool // created and not deleted since
}

func newProbe(b backend.Backend) *probe { return &probe{Backend: b, keys: make(map[string]bool)} }

var errDown = errors.New("store is down")

func (p *probe) call() error {
	p.calls.Add(1)
	if p.down.Load() {
		return errDown
	}
	return nil
}

// count returns how many calls f causes.
func (p *probe) count(f func()) int64 {
	before := p.calls.Load()
	f()
	return p.calls.Load() - before
}

// rows returns the keys that are in the store.
func (p *probe) rows() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var keys []string
	for key := range p.keys {
		if _, err := p.Backend.Load(context.Background(), key); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

func (p *probe) Load(ctx context.Context, key string) (backend.Record, error) {
	if err := p.call(); err != nil {
		return backend.Record{}, err
	}
	return p.Backend.Load(ctx, key)
}

func (p *probe) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	if err := p.call(); err != nil {
		return nil, err
	}
	p.writes.Add(1)
	p.mu.Lock()
	p.keys[key] = true
	p.mu.Unlock()
	return p.Backend.Create(ctx, key, data, ttl)
}

func (p *probe) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	if err := p.call(); err != nil {
		return nil, err
	}
	p.writes.Add(1)
	return p.Backend.Update(ctx, key, data, ttl, base)
}

func (p *probe) Touch(ctx context.Context, key string, ttl time.Duration) error {
	if err := p.call(); err != nil {
		return err
	}
	return p.Backend.Touch(ctx, key, ttl)
}

func (p *probe) Delete(ctx context.Context, key string, base backend.Revision) error {
	if err := p.call(); err != nil {
		return err
	}
	return p.Backend.Delete(ctx, key, base)
}
