package sessions

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/memorybackend"
)

// An indexed store runs hooks before and after an index is asked.
type indexed struct {
	*memorybackend.Backend
	views  atomic.Int64
	before func()
	after  func(keys []string)
	extra  []string // keys that the index lists as well
	blind  bool     // the next look misses everything, as a record that moves can be missed
}

type indexedView struct {
	backend.Index
	store *indexed
}

func (x *indexed) Indexed(owner string) (backend.Index, error) {
	x.views.Add(1)
	ix, err := x.Backend.Indexed(owner)
	return indexedView{ix, x}, err
}

func (v indexedView) Owned(ctx context.Context) ([]string, error) {
	if v.store.before != nil {
		v.store.before()
	}
	keys, err := v.Index.Owned(ctx)
	if keys = append(keys, v.store.extra...); v.store.blind {
		keys, v.store.blind = nil, false
	}
	if v.store.after != nil {
		v.store.after(keys)
	}
	return keys, err
}

// users is a bench with an indexed store and a browser for each name.
type users struct {
	*bench
	store    *indexed
	browsers map[string]map[string]*http.Cookie
}

func newUsers(t *testing.T, cfg Config) *users {
	t.Helper()
	u := &users{bench: newBench(t, Config{}), browsers: make(map[string]map[string]*http.Cookie)}
	u.store = &indexed{Backend: u.bench.store.Backend}
	cfg.Backend, cfg.Logger, cfg.SweepInterval = u.store, u.m.cfg.Logger, -1
	cfg.OnError = func(_ *http.Request, err error) { u.errs = append(u.errs, err) }
	m, err := NewManager(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m.now = u.clock.now
	u.m = m
	return u
}

// in runs a handler as a request of a browser.
func (u *users) in(browser string, handler func(s *Session)) *http.Cookie {
	u.t.Helper()
	if u.browsers[browser] == nil {
		u.browsers[browser] = make(map[string]*http.Cookie)
	}
	u.cookies = u.browsers[browser]
	return u.request(handler)
}

// login signs a principal in, at another millisecond than the last.
func (u *users) login(browser, principal string) (id string) {
	u.t.Helper()
	u.clock.advance(time.Second)
	u.in(browser, func(s *Session) {
		s.Set("browser", browser)
		if err := s.Login(principal); err != nil {
			u.t.Errorf("Login in %s: %v", browser, err)
		}
		id = s.ID()
	})
	return id
}

// alive tells whether a browser is signed in.
func (u *users) alive(browser string) (alive bool) {
	u.t.Helper()
	u.in(browser, func(s *Session) { alive = s.Principal() != "" })
	return alive
}

func (u *users) wantAlive(want ...string) {
	u.t.Helper()
	for browser := range u.browsers {
		if got := u.alive(browser); got != slices.Contains(want, browser) {
			u.t.Errorf("%s is signed in: %v", browser, got)
		}
	}
}

func TestLogin(t *testing.T) {
	u := newUsers(t, Config{})
	var before string
	u.in("a", func(s *Session) { s.Set("cart", "tea"); before = s.ID() })
	old := u.browsers["a"][DefaultName]
	var after string
	sent := u.in("a", func(s *Session) {
		if err := s.Login("ada"); err != nil {
			t.Fatal(err)
		}
		after = s.ID()
		if rec, err := u.store.Load(t.Context(), u.m.storeKey(after)); err != nil || len(rec.Data) == 0 {
			t.Errorf("the session is not in the store when Login returns: %v", err)
		}
	})
	if after == before || sent == nil || sent.Value != after {
		t.Errorf("the ID was %v, is %v, and the cookie %v", before, after, sent)
	}
	u.in("a", func(s *Session) {
		if s.Principal() != "ada" || s.Get("cart") != "tea" || !slices.Equal(s.Keys(), []string{"cart"}) {
			t.Errorf("after the sign-in: %q, %v", s.Principal(), s.Keys())
		}
	})
	u.browsers["old"] = map[string]*http.Cookie{DefaultName: old}
	u.wantAlive("a")

	// Another principal gets nothing of the one before.
	u.login("a", "eve")
	u.in("a", func(s *Session) {
		if s.Principal() != "eve" || s.Get("cart") != nil {
			t.Errorf("eve has %q, %v", s.Principal(), s.Get("cart"))
		}
		if err := s.Login(""); !errors.Is(err, ErrValue) || s.Principal() != "eve" {
			t.Errorf("Login of nobody: %v", err)
		}
	})
	u.in("a", func(s *Session) {
		if err := s.Logout(); err != nil {
			t.Error(err)
		}
	})
	u.in("a", func(s *Session) {
		if !s.IsNew() {
			t.Error("the session is there after Logout")
		}
	})
	if len(u.errs) > 0 {
		t.Error(u.errs)
	}
}

// A Login that fails leaves nobody signed in, under no ID.
func TestLoginFails(t *testing.T) {
	u := newUsers(t, Config{})
	u.in("a", func(s *Session) { s.Set("cart", "tea") })

	// After the response the browser cannot get the new ID.
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(u.browsers["a"][DefaultName])
	x := &Exchange{}
	u.m.Begin(x, r, make(http.Header), nil)
	_ = x.session.Get("cart")
	if err := x.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := x.session.Login("ada"); !errors.Is(err, ErrCommitted) {
		t.Errorf("Login after the response: %v", err)
	}
	x.Finish()
	u.wantAlive()

	// Another request has ended the session.
	u.in("a", func(s *Session) {
		_ = s.Get("cart")
		if err := u.store.Delete(t.Context(), u.m.storeKey(s.ID()), nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Login("ada"); !errors.Is(err, ErrGone) {
			t.Errorf("Login in a session that has ended: %v", err)
		}
	})
	u.wantAlive()
	if list, err := u.m.Sessions(t.Context(), "ada"); err != nil || len(list) != 0 {
		t.Errorf("ada has %d sessions, %v", len(list), err)
	}
}

func TestSetPrincipal(t *testing.T) {
	u := newUsers(t, Config{})
	count := func(principal string, want int) {
		t.Helper()
		if list, err := u.m.Sessions(t.Context(), principal); err != nil || len(list) != want {
			t.Errorf("%q has %d sessions, want %d; %v", principal, len(list), want, err)
		}
	}
	u.in("a", func(s *Session) { s.SetPrincipal("ada") })
	count("ada", 1)
	u.in("a", func(s *Session) { s.SetPrincipal("ada") })
	views := u.store.views.Load()
	u.in("a", func(s *Session) { s.Set("n", 1) }) // moves no expiry
	if u.store.views.Load() != views {
		t.Error("a write that moves no expiry asks the index")
	}
	for i, use := range []func(s *Session){func(s *Session) { s.Set("n", 2) }, func(s *Session) { _ = s.Get("n") }} {
		u.clock.advance(10 * 24 * time.Hour)
		views = u.store.views.Load()
		if u.in("a", use); u.store.views.Load() == views {
			t.Errorf("use %d, which moves the expiry, does not ask the index", i)
		}
	}
	u.in("a", func(s *Session) { s.SetPrincipal("eve") })
	count("ada", 0)
	count("eve", 1)
	u.in("a", func(s *Session) { s.SetPrincipal("") })
	count("eve", 0)
	u.in("a", func(s *Session) { s.SetPrincipal("eve") })
	count("eve", 1)
	u.in("a", func(s *Session) { s.Clear(); s.Set("n", 1) })
	count("eve", 0)
	count("", 0)
	u.in("a", func(s *Session) {
		if s.Principal() != "" || s.Get("n") != 1 {
			t.Errorf("after Clear: %q, %v", s.Principal(), s.Get("n"))
		}
	})
}

// A session without a principal never meets the index.
func TestNoPrincipal(t *testing.T) {
	u := newUsers(t, Config{RefreshInterval: RefreshAlways})
	u.store.views.Store(0)
	for range 3 {
		u.clock.advance(time.Minute)
		u.in("a", func(s *Session) { s.Set("n", u.clock.now().Unix()) })
		u.in("a", func(s *Session) { _ = s.Get("n") })
	}
	u.in("a", func(s *Session) {
		if err := s.Regenerate(); err != nil {
			t.Error(err)
		}
	})
	u.in("a", func(s *Session) {
		if err := s.Destroy(); err != nil {
			t.Error(err)
		}
	})
	if n := u.store.views.Load(); n != 0 {
		t.Errorf("the index was asked for %d times", n)
	}
}

// The owner in the store tells neither the principal nor that of others.
func TestOwner(t *testing.T) {
	m := newUsers(t, Config{}).m
	seen := map[string]bool{}
	for _, cfg := range []Config{{}, {Prefix: "other:"}, {Name: "admin"}, {Prefix: "session:s", Name: "ession"}} {
		m := newUsers(t, cfg).m
		for _, p := range []string{"ada", "eve", strings.Repeat("x", 1000), "\x00", "é"} {
			o := m.owner(p)
			if seen[o] || len(o) != 43 || strings.Contains(o, p) || strings.Trim(o, alphabet) != "" {
				t.Errorf("the owner of %q is %q", p, o)
			}
			seen[o] = true
		}
	}
	if m.owner("ada") != newUsers(t, Config{}).m.owner("ada") {
		t.Error("two processes have different owners")
	}
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
