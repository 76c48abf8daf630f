package sessions_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
)

var lifecycleRequirements = []requirement{
	{"LC-1", destroyed},
	{"LC-2", destroyFails},
	{"LC-3", inFlight},
	{"LC-4", hooks},
	{"LC-5", revoked},
	{"LC-6", listedKeys},
	{"LC-7", limited},
	{"LC-9", nothingToEnd},
}

// Fails when remove deletes nothing.
func destroyed(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		store := newStore(t)
		s := mount(nil, sessions.Config{Backend: store})
		node := mount(nil, sessions.Config{Backend: store}) // another process
		v := s.visitor()
		v.ok("/set?a=1")
		old := v.pair()
		r := v.ok("/logout")
		if c := r.cookie(t, "session"); c == nil || c.MaxAge >= 0 {
			t.Errorf("cookies %v", r.Cookies())
		}
		if n := len(store.rows(t)); n != 0 {
			t.Errorf("%d records are left", n)
		}
		for _, s := range []*site{s, node} {
			if r := s.get("/get?key=a", old); r.body != "" {
				t.Error("the cookie still works")
			}
		}
	})
}

// Fails when Manager.destroy forgets the store's error.
func destroyFails(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		for _, readFirst := range []bool{false, true} {
			var got error
			s := mount(routes{"/careless": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
				if readFirst {
					sessions.Default(c).Get("a")
				}
				got = sessions.Default(c).Destroy() // and goes on
				return text(w, "you are logged out")
			}})
			v := s.visitor()
			v.ok("/set?a=1")
			s.store.meddle = func(_ context.Context, op, _ string) error {
				if op == "delete" {
					return errors.New("no answer")
				}
				return nil
			}
			r := v.get("/careless")
			if !errors.Is(got, sessions.ErrUnavailable) {
				t.Errorf("Destroy: %v", got)
			}
			if r.StatusCode != http.StatusServiceUnavailable || strings.Contains(r.body, "logged out") || len(r.Cookies()) != 0 {
				t.Errorf("status %d, body %q, cookies %v", r.StatusCode, r.body, r.Cookies())
			}
			s.store.meddle = nil
			v.ok("/careless") // the browser still has what it needs for another try
			if n := len(s.store.rows(t)); n != 0 || got != nil {
				t.Errorf("%d records, %v", n, got)
			}
		}
	})
}

// The schedules are TestGate/G1's; this is the one that everybody loses. Fails
// when an Update that finds nothing creates the record instead.
func inFlight(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		for _, end := range []string{"/logout", "/login"} {
			var s *site
			var v *visitor
			s = mount(routes{"/slow": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
				sessions.Default(c).Get("a")
				v.ok(end)
				sessions.Default(c).Set("late", "yes")
				return text(w, "slow")
			}})
			v = s.visitor()
			v.ok("/set?a=1")
			old := v.pair()
			r := s.get("/slow", old)
			if len(r.Cookies()) != 0 {
				t.Errorf("%s: the slower response has cookies %v", end, r.Cookies())
			}
			if r := s.get("/get?key=a", old); r.body != "" {
				t.Errorf("%s: the old ID works again", end)
			}
			if end == "/login" && v.value("late") != "" {
				t.Error("the old session's change is in the new one")
			}
		}
	})
}

// There is no hook that a Destroy calls. OnError is told of failures when
// everything is done. Fails when Manager.destroy reports before it deletes.
func hooks(t *testing.T) {
	store := newStore(t)
	m := newManager(t, sessions.Config{Backend: store, OnError: func(*http.Request, error) { panic("hook is broken") }})
	r := request("")
	line := serve(m, r, func(s *sessions.Session) { s.Set("a", 1) }).Get("Set-Cookie")
	pair, _, _ := strings.Cut(line, ";")
	serve(m, request(pair), func(s *sessions.Session) {
		if err := s.Destroy(); err != nil {
			t.Error(err)
		}
	})
	if n := len(store.rows(t)); n != 0 {
		t.Errorf("%d records are left", n)
	}
}

// What a Lister lists are store keys. Fails when storeKey returns the ID.
func listedKeys(t *testing.T) {
	s := mount(t)
	v := s.visitor()
	v.ok("/set?a=1")
	keys, _, err := s.store.List(t.Context(), "session:", "", 10)
	if err != nil || len(keys) != 1 {
		t.Fatalf("keys %v, %v", keys, err)
	}
	for _, value := range []string{keys[0], strings.TrimPrefix(keys[0], "session:")} {
		if r := s.get("/get?key=a", "session="+value); r.body != "" {
			t.Error("what is listed works as a cookie")
		}
	}
}

// Fails when create stores empty documents.
func nothingToEnd(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil)
		for _, target := range []string{"/", "/get?key=a", "/logout", "/clear", "/none"} {
			for _, cookie := range []string{"", "session=rubbish", "other=1"} {
				r := s.get(target, cookie)
				// A cookie of our name that is no session's is removed by a logout.
				if n := len(r.Cookies()); n != 0 && (target != "/logout" || cookie != "session=rubbish") {
					t.Errorf("%s with %q: cookies %v", target, cookie, r.Cookies())
				}
			}
		}
		if n := s.store.calls(); n != 0 {
			t.Errorf("%d store commands", n)
		}
		if r := s.get("/logout", "session="+id(1)); r.StatusCode != http.StatusOK {
			t.Errorf("status %d", r.StatusCode)
		}
		if n := s.store.creates.Load() + s.store.updates.Load(); n != 0 {
			t.Errorf("%d writes", n)
		}
	})
}
