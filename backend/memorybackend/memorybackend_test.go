package memorybackend_test

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
	"github.com/go-session2/sessions/backend/memorybackend"
)

// A clock can be moved forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

func open(t testing.TB, cfg memorybackend.Config) *memorybackend.Backend {
	t.Helper()
	b, err := memorybackend.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// harness returns one whose backends all have the configuration cfg.
func harness(cfg memorybackend.Config) backendtest.Harness {
	var first *memorybackend.Backend
	return backendtest.Harness{
		Open: func(t testing.TB) backend.Backend {
			b := open(t, cfg)
			if first == nil {
				first = b
			}
			return b
		},
		Overwrite: func(t testing.TB, key string, data []byte) {
			rec, err := first.Load(t.Context(), key)
			if err == nil {
				_, err = first.Update(t.Context(), key, data, time.Hour, rec.Revision)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		Resolution: time.Millisecond,
	}
}

func TestConformance(t *testing.T) {
	t.Run("own clock", func(t *testing.T) {
		var c clock
		h := harness(memorybackend.Config{Now: c.now})
		h.Advance = c.advance
		backendtest.Run(t, h)
	})
	t.Run("real clock", func(t *testing.T) { backendtest.Run(t, harness(memorybackend.Config{})) })
}

func TestOpen(t *testing.T) {
	b, err := backend.Open("memory", backend.NewSettings(map[string]any{"SESSION_MEMORY_MAX": "2"}))
	if err != nil {
		t.Fatal(err)
	}
	create(t, b, 2)
	if _, err := b.Create(t.Context(), "one more", nil, time.Hour); !errors.Is(err, backend.ErrFull) {
		t.Errorf("Create beyond SESSION_MEMORY_MAX returned %v", err)
	}
	for _, bad := range []any{-1, "many"} {
		if _, err := backend.Open("memory", backend.NewSettings(map[string]any{"SESSION_MEMORY_MAX": bad})); err == nil {
			t.Errorf("SESSION_MEMORY_MAX=%v was accepted", bad)
		} else if !strings.Contains(err.Error(), "SESSION_MEMORY_MAX") {
			t.Errorf("the error does not name SESSION_MEMORY_MAX: %v", err)
		}
	}
}

// create stores n records that live for an hour, under the keys "0" and so on.
func create(t testing.TB, b backend.Backend, n int) {
	t.Helper()
	for i := range n {
		if _, err := b.Create(t.Context(), strconv.Itoa(i), []byte("data"), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFull(t *testing.T) {
	const n = 1000
	var c clock
	ctx := t.Context()
	b := open(t, memorybackend.Config{MaxSessions: n, Now: c.now})
	create(t, b, n)

	_, err := b.Create(ctx, "new", []byte("new"), time.Hour)
	if !errors.Is(err, backend.ErrFull) {
		t.Fatalf("Create on a full store returned %v", err)
	}
	if _, err := b.Create(ctx, "0", []byte("data"), time.Hour); err != nil {
		t.Errorf("a repeated Create on a full store returned %v", err)
	}
	if _, err := b.Create(ctx, "0", []byte("other"), time.Hour); !errors.Is(err, backend.ErrExists) {
		t.Errorf("Create of a key in use on a full store returned %v", err)
	}
	if err := b.Delete(ctx, "0", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Create(ctx, "new", []byte("new"), time.Hour); err != nil {
		t.Fatalf("Create after a Delete returned %v", err)
	}

	// Of the records that have expired, as many go as room is needed for.
	const kept = 10
	for i := 1; i <= kept; i++ {
		if err := b.Touch(ctx, strconv.Itoa(i), 3*time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	c.advance(2 * time.Hour)
	for i := range n - kept {
		if _, err := b.Create(ctx, fmt.Sprintf("late %d", i), []byte("late"), time.Hour); err != nil {
			t.Fatalf("Create number %d, with room to make, returned %v", i, err)
		}
	}
	if _, err := b.Create(ctx, "new", []byte("new"), time.Hour); !errors.Is(err, backend.ErrFull) {
		t.Errorf("Create on a store that is full again returned %v", err)
	}
	for i := 1; i <= kept; i++ {
		if _, err := b.Load(ctx, strconv.Itoa(i)); err != nil {
			t.Errorf("a live record was evicted: %v", err)
		}
	}
}

// A record that is replaced or removed after its expiry counts once.
func TestFullCountsExpired(t *testing.T) {
	var c clock
	ctx := t.Context()
	b := open(t, memorybackend.Config{MaxSessions: 2, Now: c.now})
	for range 5 {
		create(t, b, 2)
		c.advance(2 * time.Hour)
	}
	create(t, b, 1)
	if err := b.Delete(ctx, "1", nil); err != nil {
		t.Fatal(err)
	}
	create(t, b, 2)
	if _, err := b.Create(ctx, "2", nil, time.Hour); !errors.Is(err, backend.ErrFull) {
		t.Errorf("Create on a full store returned %v", err)
	}
}

func TestFullRace(t *testing.T) {
	const n, writers = 500, 8
	var c clock
	b := open(t, memorybackend.Config{MaxSessions: n, Now: c.now})
	for round := range 3 {
		var stored atomic.Int64
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range n {
					_, err := b.Create(t.Context(), fmt.Sprint(round, w, i), []byte("data"), time.Hour)
					if err == nil {
						stored.Add(1)
					} else if !errors.Is(err, backend.ErrFull) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got := stored.Load(); got != n {
			t.Errorf("%d records were stored, MaxSessions is %d", got, n)
		}
		c.advance(2 * time.Hour)
	}
}

// The bytes that are given are copied, so that their spare capacity is not
// kept, nor a caller's mistake stored.
func TestCopies(t *testing.T) {
	ctx := t.Context()
	b := open(t, memorybackend.Config{})
	data := []byte("created")
	rev, err := b.Create(ctx, "k", data, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	clear(data)
	data = []byte("updated")
	if _, err := b.Update(ctx, "k", data, time.Hour, rev); err != nil {
		t.Fatal(err)
	}
	clear(data)
	rec, err := b.Load(ctx, "k")
	if err != nil || string(rec.Data) != "updated" || cap(rec.Data) > 2*len(rec.Data) {
		t.Errorf("Load returned %q of capacity %d, %v", rec.Data, cap(rec.Data), err)
	}
	again, err := b.Load(ctx, "k")
	if err != nil || &again.Data[0] != &rec.Data[0] {
		t.Errorf("Load copies: %v", err)
	}
}

func TestListArguments(t *testing.T) {
	b := open(t, memorybackend.Config{})
	create(t, b, 10)
	for _, cursor := range []string{"x", "-1:a", "128:a", "12", ":"} {
		if _, _, err := b.List(t.Context(), "", cursor, 10); err == nil {
			t.Errorf("the cursor %q was accepted", cursor)
		}
	}
	for _, limit := range []int{0, -1} {
		if _, _, err := b.List(t.Context(), "", "", limit); err == nil {
			t.Errorf("the limit %d was accepted", limit)
		}
	}
}

// An idle session of 500 bytes, with the key that package sessions uses, must
// take less than twice as much memory.
func TestMemory(t *testing.T) {
	const n, size = 50_000, 500
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	b := open(t, memorybackend.Config{})
	buffer := make([]byte, size, 4*size)
	for i := range n {
		if _, err := b.Create(t.Context(), fmt.Sprintf("session:%043d", i), buffer, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	each := int(heap()-before) / n
	runtime.KeepAlive(b)
	t.Logf("%d bytes per session of %d", each, size)
	if each > 2*size {
		t.Errorf("a session of %d bytes takes %d", size, each)
	}
}

func BenchmarkBackend(b *testing.B) { backendtest.Benchmark(b, harness(memorybackend.Config{})) }
