package memcachedbackend

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
	"github.com/go-session2/sessions/internal/testenv"
)

// connect returns a client for the server of the tests.
func connect(t testing.TB) *memcache.Client {
	c := memcache.New(testenv.Need(t, "MEMCACHED_ADDR"))
	c.Timeout = 5 * time.Second
	c.MaxIdleConns = 32
	t.Cleanup(func() { c.Close() })
	return c
}

func TestConformance(t *testing.T) {
	client := connect(t)
	open := func(t testing.TB) backend.Backend { return New(connect(t)) }
	backendtest.Run(t, backendtest.Harness{
		Open:   open,
		Reopen: open,
		Overwrite: func(t testing.TB, key string, data []byte) {
			item := &memcache.Item{Key: key, Value: encode(data, time.Now().Add(time.Hour)), Expiration: 3600}
			if err := client.Set(item); err != nil {
				t.Fatal(err)
			}
		},
		Resolution: 2 * time.Second,
		MaxSize:    DefaultMaxSize,
	})
}

func newKey() string { return "test:" + rand.Text() }

// create stores a record under a new key.
func create(t testing.TB, b *Backend, data string, ttl time.Duration) (key string, rev backend.Revision) {
	t.Helper()
	key = newKey()
	rev, err := b.Create(context.Background(), key, []byte(data), ttl)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connect(t).Delete(key) })
	return key, rev
}

func load(t testing.TB, b *Backend, key string) backend.Record {
	t.Helper()
	rec, err := b.Load(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// TestLimits stores the most that DefaultMaxSize and memcached allow, and one
// byte more of a key.
func TestLimits(t *testing.T) {
	b, ctx := New(connect(t)), context.Background()
	key := newKey()
	key += strings.Repeat("k", 250-len(key))
	data := []byte(strings.Repeat("d", DefaultMaxSize))
	if _, err := b.Create(ctx, key, data, time.Minute); err != nil {
		t.Fatal(err)
	}
	if rec := load(t, b, key); len(rec.Data) != DefaultMaxSize {
		t.Errorf("%d bytes came back", len(rec.Data))
	}
	if err := b.Delete(ctx, key, nil); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{key + "k", "with space", "with\nline"} {
		_, err := b.Create(ctx, bad, data[:10], time.Minute)
		if !errors.Is(err, memcache.ErrMalformedKey) || strings.Contains(err.Error(), bad) {
			t.Errorf("Create with a key that memcached does not allow: %v", err)
		}
	}
}

// TestServerLimit lets the server refuse what MaxSize allows. The stored
// record must stay, which it would not after a set.
func TestServerLimit(t *testing.T) {
	ctx := context.Background()
	b, err := NewWithConfig(connect(t), Config{MaxSize: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	key, _ := create(t, b, "small", time.Minute)
	for _, rev := range []backend.Revision{revision(encode([]byte("small"), time.Now()), 0), load(t, b, key).Revision} {
		_, err = b.Update(ctx, key, make([]byte, 3<<20), time.Minute, rev)
		if !errors.Is(err, backend.ErrTooLarge) || !strings.Contains(err.Error(), "1 MiB") {
			t.Errorf("Update with more than the server takes: %v", err)
		}
	}
	if _, err = b.Create(ctx, newKey(), make([]byte, 3<<20), time.Minute); !errors.Is(err, backend.ErrTooLarge) {
		t.Errorf("Create with more than the server takes: %v", err)
	}
	if rec := load(t, b, key); string(rec.Data) != "small" {
		t.Errorf("the record holds %d bytes", len(rec.Data))
	}
}

// TestTouchRace has many touch a record at once. The longest must win, in the
// value and in memcached.
func TestTouchRace(t *testing.T) {
	b, ctx := New(connect(t)), context.Background()
	key, _ := create(t, b, "data", time.Minute)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if err := b.Touch(ctx, key, time.Duration(i%20+1)*time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if left := time.Until(load(t, b, key).Expires); left < 19*time.Hour {
		t.Errorf("the value says that %v are left", left)
	}
	if left := secondsLeft(t, key); left < 19*3600 {
		t.Errorf("memcached says that %d seconds are left", left)
	}
}

// TestTouchedUpdate has a touch come between the Load and the Update or
// Delete of others, which must not mind.
func TestTouchedUpdate(t *testing.T) {
	b, ctx := New(connect(t)), context.Background()
	key, _ := create(t, b, "data", time.Minute)
	rec := load(t, b, key)
	for i := range 3 {
		if err := b.Touch(ctx, key, time.Duration(i+1)*time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Update(ctx, key, []byte("more"), time.Minute, rec.Revision); err != nil {
		t.Fatal(err)
	}
	rec = load(t, b, key)
	if err := b.Touch(ctx, key, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(ctx, key, rec.Revision); err != nil {
		t.Fatal(err)
	}
}

func TestNilClient(t *testing.T) {
	if _, err := NewWithConfig(nil, Config{}); err == nil {
		t.Error("NewWithConfig takes a nil client")
	}
	b := New(nil)
	if _, err := b.Load(context.Background(), "k"); !errors.Is(err, errNoClient) {
		t.Errorf("Load: %v", err)
	}
	if err := b.Ping(context.Background()); !errors.Is(err, errNoClient) {
		t.Errorf("Ping: %v", err)
	}
	for _, size := range []int{-1, maxMaxSize + 1} {
		if _, err := NewWithConfig(memcache.New(), Config{MaxSize: size}); err == nil {
			t.Errorf("NewWithConfig takes the MaxSize %d", size)
		}
	}
}

func BenchmarkBackend(b *testing.B) {
	backendtest.Benchmark(b, backendtest.Harness{
		Open: func(t testing.TB) backend.Backend { return New(connect(t)) },
	})
}
