package sessions_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/codec"
)

var abuseRequirements = []requirement{
	{"AB-1", strangersMakeNothing},
	{"AB-2", garbageCostsNothing},
	{"AB-3", boundedWrites},
	{"AB-4", hostileRecords},
	{"AB-5", extremeDurations},
	{"AB-6", noLocks},
}

// Fails when create stores empty documents.
func strangersMakeNothing(t *testing.T) {
	m, store := newManagerOn(t, sessions.Config{})
	for n := range 10_000 {
		serve(m, request("session="+id(n)), func(s *sessions.Session) { s.Get("a"); s.ID() })
	}
	if n := store.calls(); n != 10_000 || store.loads.Load() != n {
		t.Errorf("%d store commands, %d loads", n, store.loads.Load())
	}
	if n := len(store.rows(t)); n != 0 {
		t.Errorf("%d records", n)
	}
}

func newManagerOn(t *testing.T, cfg sessions.Config) (*sessions.Manager, *store) {
	s := newStore(t)
	cfg.Backend = s
	return newManager(t, cfg), s
}

// Fails when validID returns true, and when hmacSigner.Verify does.
func garbageCostsNothing(t *testing.T) {
	m, store := newManagerOn(t, sessions.Config{})
	for _, value := range hostileValues() {
		r := request("")
		r.Header["Cookie"] = []string{"session=" + value}
		serve(m, r, func(s *sessions.Session) { s.Get("a") })
	}
	if n := store.calls(); n != 0 {
		t.Errorf("malformed cookies cost %d store commands", n)
	}
	signer, err := sessions.NewSigner(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	other, err := sessions.NewSigner(bytes.Repeat([]byte("o"), 32))
	if err != nil {
		t.Fatal(err)
	}
	m, store = newManagerOn(t, sessions.Config{Signer: signer})
	for n := range 1000 {
		for _, value := range []string{id(n), id(n) + ".", id(n) + "." + id(n), other.Sign("session", id(n)), signer.Sign("admin", id(n))} {
			serve(m, request("session="+value), func(s *sessions.Session) { s.Get("a") })
		}
	}
	if n := store.calls(); n != 0 {
		t.Errorf("forged cookies cost %d store commands", n)
	}
}

// What one request can store is bounded. Fails when encode does not look at
// MaxSize.
func boundedWrites(t *testing.T) {
	m, store := newManagerOn(t, sessions.Config{MaxSize: 10_000})
	for n := range 100 {
		serve(m, request(""), func(s *sessions.Session) {
			for i := range n {
				s.Set(fmt.Sprint("field", i), strings.Repeat("x", 1000))
				s.AddFlash(strings.Repeat("y", 1000))
			}
		})
	}
	for _, rec := range store.rows(t) {
		if len(rec.Data) > 10_000 {
			t.Errorf("a record has %d bytes", len(rec.Data))
		}
	}
	if n := len(store.rows(t)); n < 3 || n > 10 {
		t.Errorf("%d records", n)
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Fails when decoder.enter counts the elements against neither the bytes that
// are left nor those of the data.
func hostileRecords(t *testing.T) {
	const budget = 64 << 10
	for _, data := range [][]byte{
		{0xDD, 0xFF, 0xFF, 0xFF, 0xFF}, {0xDF, 0xFF, 0xFF, 0xFF, 0xFF}, {0xC6, 0xFF, 0xFF, 0xFF, 0xFF}, {0xDB, 0xFF, 0xFF, 0xFF, 0xFF},
		{0xC9, 0xFF, 0xFF, 0xFF, 0xFF, 1}, {0xDE, 0xFF, 0xFF, 0xA1, 'a', 0xDD, 0x7F, 0xFF, 0xFF, 0xFF},
		{0xDD, 0, 0x0F, 0xFF, 0xFF}, {0xDF, 0, 0x0F, 0xFF, 0xFF}, bytes.Repeat([]byte{0xDD, 0, 0x0F, 0xFF, 0xFF}, 50),
	} {
		n := allocated(func() {
			if _, err := (codec.MessagePack{}).Decode(data); err == nil {
				t.Errorf("%x was decoded", data)
			}
			if err := (codec.MessagePack{}).Split(data, func(codec.Entry) error { return nil }); err == nil {
				t.Errorf("%x was split", data)
			}
			var list []int
			_ = codec.MessagePack{}.DecodeInto(data, &list)
			var table map[string]any
			_ = codec.MessagePack{}.DecodeInto(data, &table)
		})
		if n > budget {
			t.Errorf("%d bytes of data allocate %d", len(data), n)
		}
	}
	deep := strings.Repeat("[", 1<<16)
	n := allocated(func() {
		if _, err := (codec.JSON{}).Decode([]byte(deep)); err == nil {
			t.Error("arrays without an end were decoded")
		}
	})
	if n > 8*uint64(len(deep)) {
		t.Errorf("%d bytes of JSON allocate %d", len(deep), n)
	}
}

// Fails when jitter adds to the longest Duration.
func extremeDurations(t *testing.T) {
	extremes := []time.Duration{
		math.MinInt64, math.MinInt64 + 1, -time.Hour, -3, 1, time.Second - 1, 400*day + 1, 3661 * day, math.MaxInt64 - 1, math.MaxInt64,
	}
	for _, d := range extremes {
		refused(t, fmt.Sprint("Lifetime ", d), sessions.Config{Lifetime: d})
		if d < time.Second {
			refused(t, fmt.Sprint("AbsoluteLifetime ", d), sessions.Config{AbsoluteLifetime: d})
		}
		if d < 0 {
			refused(t, fmt.Sprint("RefreshInterval ", d), sessions.Config{RefreshInterval: d})
			refused(t, fmt.Sprint("Timeout ", d), sessions.Config{Timeout: d})
		}
		m := newManager(t, sessions.Config{})
		serve(m, request(""), func(s *sessions.Session) {
			s.SetLifetime(d)
			if err := s.Err(); !errors.Is(err, sessions.ErrValue) {
				t.Errorf("SetLifetime(%v): %v", d, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{math.MaxInt64 - 1, math.MaxInt64} {
			s := mount(t, sessions.Config{AbsoluteLifetime: d, Timeout: d, RefreshInterval: d})
			v := s.visitor()
			c := v.ok("/set?a=1").cookie(t, "session")
			if c == nil || c.MaxAge != int(31*day/time.Second) || v.value("a") != "1" {
				t.Errorf("with %v the cookie is %v", d, c)
			}
			// A sweeper that is to wait for ever does.
			for range 20 {
				sweeps := &sweepCounter{store: newStore(t)}
				m := newManager(t, sessions.Config{Backend: sweeps, SweepInterval: d})
				time.Sleep(day)
				if n := sweeps.sweeps.Load(); n != 0 {
					t.Errorf("SweepInterval %v: %d sweeps in a day", d, n)
				}
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			}
		}
		time.Sleep(200 * 365 * day) // the bubble's clock begins in 2000
		s := mount(t, sessions.Config{AbsoluteLifetime: math.MaxInt64})
		v := s.visitor()
		if c := v.ok("/set?a=1").cookie(t, "session"); c == nil || !c.Expires.After(time.Now()) || v.value("a") != "1" {
			t.Errorf("in %d the cookie is %v", time.Now().Year(), c)
		}
	})
}

type sweepCounter struct {
	*store
	sweeps, removed atomic.Int64
}

func (s *sweepCounter) Sweep(ctx context.Context, limit int) (int, error) {
	s.sweeps.Add(1)
	n, err := s.store.Sweep(ctx, limit)
	s.removed.Add(int64(n))
	return n, err
}

// Fails when update computes with the session's lock held, and when the list
// of ended sessions has no limit.
func noLocks(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		var v *visitor
		s := mount(routes{"/slow": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			s := sessions.Default(c)
			sessions.Update(s, "n", func(n int) int {
				if n == 0 && v.value("a") == "1" { // another request of this session
					done := make(chan struct{})
					go func() { // and another goroutine of this request
						defer close(done)
						s.Get("a")
						s.Len()
					}()
					select {
					case <-done:
					case <-time.After(10 * time.Second):
						t.Error("the session is locked while a function of the application runs")
					}
					v.ok("/set?b=2")
				}
				return n + 1
			})
			return text(w, "slow")
		}})
		v = s.visitor()
		v.ok("/set?a=1")
		if r := s.get("/slow", v.pair()); r.StatusCode != http.StatusOK || v.value("b") != "2" {
			t.Errorf("status %d", r.StatusCode)
		}
	})

	m, _ := newManagerOn(t, sessions.Config{})
	for n := range sessions.MaxRemembered + 100 {
		serve(m, request("session="+id(n)), func(s *sessions.Session) {
			if err := s.Destroy(); err != nil {
				t.Error(err)
			}
		})
	}
	if n := m.Remembered(); n > sessions.MaxRemembered {
		t.Errorf("%d ended sessions are remembered", n)
	}
}
