package gatetest

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
)

// A site serves requests of one process, without any order.
type site struct {
	t      *testing.T
	m      *sessions.Manager
	errors atomic.Int64
}

func newSite(t *testing.T, cfg sessions.Config) *site {
	t.Helper()
	s := &site{t: t}
	cfg.Prefix, cfg.Timeout, cfg.SweepInterval = prefix, 2*time.Minute, -1
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.OnError = func(*http.Request, error) { s.errors.Add(1) }
	m, err := sessions.NewManager(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.m = m
	return s
}

// serve serves a request with a cookie and returns the cookie of the response.
// ok is false when the response would have been replaced.
func (s *site) serve(cookie string, handle func(*sessions.Session)) (set *http.Cookie, ok bool) {
	r := httptest.NewRequest("GET", "/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", sessions.DefaultName+"="+cookie)
	}
	h := http.Header{}
	var x sessions.Exchange
	s.m.Begin(&x, r, h, nil)
	handle(sessions.Default(handler{&x}))
	err := x.Commit()
	x.Finish()
	if lines := h["Set-Cookie"]; len(lines) > 0 {
		if set, err = http.ParseSetCookie(lines[0]); err != nil {
			s.t.Error(err)
		}
	}
	return set, err == nil
}

// visitor begins a session with a key and returns its cookie.
func (s *site) visitor() string {
	s.t.Helper()
	c, ok := s.serve("", func(v *sessions.Session) { v.Set("first", 1) })
	if !ok || c == nil || c.MaxAge < 0 {
		s.t.Fatal("a visitor gets no session")
	}
	return c.Value
}

// end destroys a session, so that the store is left empty.
func (s *site) end(cookie string) {
	s.serve(cookie, func(v *sessions.Session) {
		if err := v.Destroy(); err != nil {
			s.t.Error(err)
		}
	})
}

// noLostUpdates lets many requests of one session set a key of their own, all
// at once, on two processes.
func noLostUpdates(t *testing.T, b backend.Backend, o Options) {
	rounds := max(1, o.Schedules/500)
	for range rounds {
		sites := []*site{newSite(t, sessions.Config{Backend: b}), newSite(t, sessions.Config{Backend: b})}
		cookie := sites[0].visitor()
		parallel(o.Writers, func(i int) {
			_, ok := sites[i%8/7].serve(cookie, func(s *sessions.Session) { s.Set(fmt.Sprintf("key%d", i), i) })
			if !ok {
				t.Errorf("the change of request %d was not saved", i)
			}
		})
		sites[0].serve(cookie, func(s *sessions.Session) {
			for i := range o.Writers {
				if v, ok := sessions.Value[int](s, fmt.Sprintf("key%d", i)); !ok || v != i {
					t.Errorf("the change of request %d is lost", i)
				}
			}
			if err := s.Err(); err != nil {
				t.Error(err)
			}
		})
		sites[0].end(cookie)
	}
}

// atomicUpdate lets many requests of one session count, all at once, on two
// processes.
func atomicUpdate(t *testing.T, b backend.Backend, o Options) {
	sites := []*site{newSite(t, sessions.Config{Backend: b}), newSite(t, sessions.Config{Backend: b})}
	cookie := sites[0].visitor()
	var saved atomic.Int64
	parallel(o.Writers, func(i int) {
		_, ok := sites[i%8/7].serve(cookie, func(s *sessions.Session) {
			sessions.Update(s, "n", func(n int) int { return n + 1 })
		})
		if ok {
			saved.Add(1)
		}
	})
	if failed := o.Writers - int(saved.Load()); failed > 0 {
		t.Errorf("%d of %d updates failed", failed, o.Writers)
	}
	sites[0].serve(cookie, func(s *sessions.Session) {
		if n, _ := sessions.Value[int](s, "n"); n != int(saved.Load()) {
			t.Errorf("%d updates were acknowledged, %d counted", saved.Load(), n)
		}
		if err := s.Err(); err != nil {
			t.Error(err)
		}
	})
	sites[0].end(cookie)
}

// parallel calls f n times, at once.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// absent tells whether a store has no record under a key.
func absent(t *testing.T, b backend.Backend, key string) bool {
	t.Helper()
	_, err := b.Load(t.Context(), key)
	if err != nil && !errors.Is(err, backend.ErrNotFound) {
		t.Error(err)
	}
	return err != nil
}
