package sessions

import (
	"errors"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

const day = 24 * time.Hour

func set(key string, v any) func(*Session) { return func(s *Session) { s.Set(key, v) } }

func read(s *Session) { s.Get("a") }

func (b *bench) alive() bool {
	b.t.Helper()
	var v any
	b.request(func(s *Session) { v = s.Get("a") })
	return v != nil
}

func TestSlidingLifetime(t *testing.T) {
	b := newBench(t, Config{Lifetime: 10 * day})
	b.request(set("a", 1))

	b.clock.advance(day - time.Minute) // less than a tenth
	if c := b.request(read); c != nil || b.store.touches != 0 {
		t.Errorf("refreshed before it was due: cookie %v, %d touches", c, b.store.touches)
	}
	b.clock.advance(2 * time.Minute)
	if c := b.request(read); c == nil || c.MaxAge != int(10*day/time.Second) || b.store.touches != 1 {
		t.Errorf("a due refresh: cookie %v, %d touches", c, b.store.touches)
	}
	if c := b.request(read); c != nil || b.store.touches != 1 {
		t.Errorf("refreshed twice: cookie %v, %d touches", c, b.store.touches)
	}
	b.clock.advance(10*day - time.Minute)
	if !b.alive() {
		t.Error("expired before its time")
	}
	b.clock.advance(10*day + time.Minute)
	if b.alive() {
		t.Error("lives after its time")
	}
}

// A write must not move the expiry without the cookie's: a browser would drop
// the cookie of a session that is in use.
func TestExpiryMovesWithTheCookie(t *testing.T) {
	b := newBench(t, Config{Lifetime: 10 * day})
	b.request(set("a", 0))
	promised := b.clock.now().Add(10 * day)
	for i := range 200 {
		b.clock.advance(4 * time.Hour)
		if c := b.request(set("a", i+1)); c != nil {
			promised = b.clock.now().Add(time.Duration(c.MaxAge) * time.Second)
		}
		if !b.clock.now().Before(promised) {
			t.Fatalf("the browser has dropped the cookie after %d writes", i+1)
		}
	}
	if !b.alive() {
		t.Error("a session in use has expired")
	}
	if b.store.touches != 0 {
		t.Errorf("%d touches beside writes", b.store.touches)
	}
}

func TestRefreshPolicies(t *testing.T) {
	for name, test := range map[string]struct {
		interval time.Duration
		touches  int
	}{"always": {RefreshAlways, 5}, "never": {RefreshNever, 0}, "a minute": {time.Minute, 5}, "two hours": {2 * time.Hour, 2}} {
		b := newBench(t, Config{RefreshInterval: test.interval, Lifetime: 100 * time.Hour})
		b.request(set("a", 1))
		for range 5 {
			b.clock.advance(time.Hour)
			b.request(read)
		}
		if b.store.touches != test.touches {
			t.Errorf("%s: %d touches, want %d", name, b.store.touches, test.touches)
		}
	}
}

func TestAbsoluteLifetime(t *testing.T) {
	b := newBench(t, Config{Lifetime: 10 * day, AbsoluteLifetime: 15 * day})
	b.request(set("a", 1))
	for range 14 {
		b.clock.advance(day)
		b.request(set("a", time.Now().UnixNano()))
	}
	b.request(func(s *Session) {
		if err := s.Regenerate(); err != nil {
			t.Fatal(err)
		}
	})
	if c := b.request(set("a", 2)); c != nil && c.MaxAge > int(day/time.Second) {
		t.Errorf("the cookie outlives the session: %v", c)
	}
	if !b.alive() {
		t.Error("ended early")
	}
	b.clock.advance(day + time.Second)
	if b.alive() {
		t.Error("regenerating has extended the absolute lifetime")
	}
}

func TestSetLifetime(t *testing.T) {
	b := newBench(t, Config{Lifetime: 10 * day})
	b.request(func(s *Session) {
		s.Set("a", 1)
		s.SetLifetime(time.Hour)
	})
	b.clock.advance(59 * time.Minute)
	if !b.alive() { // and this extends it
		t.Error("ended early")
	}
	b.clock.advance(59 * time.Minute)
	if !b.alive() {
		t.Error("did not slide")
	}
	b.clock.advance(61 * time.Minute)
	if b.alive() {
		t.Error("lives after its own lifetime")
	}
	for _, d := range []time.Duration{0, -1, time.Millisecond, 401 * day} {
		b := newBench(t, Config{})
		b.request(func(s *Session) { s.SetLifetime(d) })
		if len(b.errs) == 0 || !errors.Is(b.errs[0], ErrValue) {
			t.Errorf("SetLifetime(%v): %v", d, b.errs)
		}
	}
}

// A touch that fails, or comes too late, fails no request.
func TestTouchFailure(t *testing.T) {
	b := newBench(t, Config{RefreshInterval: RefreshAlways})
	b.request(set("a", 1))
	b.clock.advance(time.Hour)
	c := b.request(func(s *Session) {
		s.Get("a")
		if err := b.store.Delete(t.Context(), s.state.key, nil); err != nil {
			t.Fatal(err)
		}
	})
	if c != nil || len(b.errs) != 0 {
		t.Errorf("cookie %v, errors %v", c, b.errs)
	}
	b.request(set("a", 1))
	b.clock.advance(time.Hour)
	c = b.request(func(s *Session) {
		s.Get("a")
		b.store.Close()
	})
	if c != nil || len(b.errs) != 1 || !errors.Is(b.errs[0], backend.ErrClosed) || !errors.Is(b.errs[0], ErrUnavailable) {
		t.Errorf("cookie %v, errors %v", c, b.errs)
	}
}

// Expiry is read from the clock, in every state of a request.
func TestExpiryDuringTheRequest(t *testing.T) {
	b := newBench(t, Config{Lifetime: time.Hour})
	b.request(set("a", 1))
	c := b.request(func(s *Session) {
		s.Get("a")
		b.clock.advance(2 * time.Hour)
		s.Set("b", 2)
	})
	if c != nil || len(b.errs) != 1 || !errors.Is(b.errs[0], ErrGone) {
		t.Errorf("cookie %v, errors %v", c, b.errs)
	}
}
