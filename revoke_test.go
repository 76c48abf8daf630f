package sessions

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend/nullbackend"
)

func TestSessions(t *testing.T) {
	for _, plain := range []bool{false, true} {
		u := newUsers(t, Config{PlainIDs: plain, Lifetime: time.Hour})
		var ids []string
		for i := range 3 {
			ids = append(ids, u.login(fmt.Sprint("ada ", i), "ada"))
		}
		u.login("eve", "eve")
		u.in("nobody", func(s *Session) { s.Set("n", 1) })
		now := u.clock.now()

		list, err := u.m.Sessions(t.Context(), "ada")
		if err != nil || len(list) != 3 {
			t.Fatalf("ada has %d sessions, %v", len(list), err)
		}
		for i, info := range list {
			browser := fmt.Sprint("ada ", 2-i)
			if info.Get("browser") != browser || info.Get("no such") != nil {
				t.Errorf("session %d is of %v", i, info.Get("browser"))
			}
			for name, at := range map[string]time.Time{"Created": info.Created, "SignedIn": info.SignedIn, "Used": info.Used, "Expires": info.Expires.Add(-time.Hour)} {
				if age := now.Sub(at); age < -time.Second || age > 10*time.Second {
					t.Errorf("%s is %v ago", name, age)
				}
			}
			id := ids[2-i]
			if len(info.Handle) < 20 || validID(info.Handle) || strings.Contains(id, info.Handle) ||
				strings.Contains(u.m.storeKey(id), info.Handle) {
				t.Errorf("the handle %q of %q", info.Handle, id)
			}
			text := fmt.Sprintf("%v %+v %#v", list, info, info)
			if strings.Contains(text, id) || strings.Contains(text, u.m.storeKey(id)) || strings.Contains(text, browser) {
				t.Errorf("an Info shows too much: %s", text)
			}
			u.in(browser, func(s *Session) {
				for j := range list {
					if list[j].Is(s) != (i == j) {
						t.Errorf("session %d is that of %s: %v", j, browser, list[j].Is(s))
					}
				}
			})
		}
	}
}

func TestSessionsExpire(t *testing.T) {
	u := newUsers(t, Config{Lifetime: time.Hour, AbsoluteLifetime: 90 * time.Minute})
	u.login("a", "ada")
	u.clock.advance(40 * time.Minute)
	u.login("b", "ada")
	if !u.alive("a") { // which extends it, to its absolute limit
		t.Fatal("a has ended")
	}
	count := func(want int) {
		t.Helper()
		list, err := u.m.Sessions(t.Context(), "ada")
		if err != nil || len(list) != want {
			t.Errorf("ada has %d sessions, want %d; %v", len(list), want, err)
		}
		for _, info := range list {
			if (info.Get("browser") == "a") != info.Used.IsZero() {
				t.Errorf("%v was used at %v", info.Get("browser"), info.Used)
			}
		}
	}
	count(2)
	u.clock.advance(49 * time.Minute)
	count(2)
	u.clock.advance(2 * time.Minute)
	count(1)
	u.clock.advance(time.Hour)
	count(0)
}

func TestRevoke(t *testing.T) {
	u := newUsers(t, Config{})
	for _, b := range []string{"a", "b", "c"} {
		u.login(b, "ada")
	}
	u.login("e", "eve")
	handle := make(map[string]string)
	for _, b := range []string{"a", "e"} {
		u.in(b, func(s *Session) { handle[b] = s.Handle() })
	}
	for _, wrong := range []string{"", "x", handle["e"]} {
		if err := u.m.Revoke(t.Context(), "ada", wrong); !errors.Is(err, ErrGone) {
			t.Errorf("Revoke of a handle that ada has not: %v", err)
		}
	}
	if err := u.m.Revoke(t.Context(), "ada", handle["a"]); err != nil {
		t.Error(err)
	}
	u.wantAlive("b", "c", "e")
	if err := u.m.Revoke(t.Context(), "ada", handle["a"]); !errors.Is(err, ErrGone) {
		t.Errorf("Revoke of a revoked session: %v", err)
	}

	u.login("a", "ada")
	u.in("b", func(s *Session) {
		if n, err := s.Manager().RevokeOthers(t.Context(), s); n != 2 || err != nil {
			t.Errorf("RevokeOthers: %d, %v", n, err)
		}
	})
	u.wantAlive("b", "e")
	u.in("nobody", func(s *Session) {
		if _, err := u.m.RevokeOthers(t.Context(), s); !errors.Is(err, ErrValue) {
			t.Errorf("RevokeOthers of nobody: %v", err)
		}
	})

	u.login("a", "ada")
	if n, err := u.m.RevokeAll(t.Context(), "ada"); n != 2 || err != nil {
		t.Errorf("RevokeAll: %d, %v", n, err)
	}
	if n, err := u.m.RevokeAll(t.Context(), "ada"); n != 0 || err != nil {
		t.Errorf("RevokeAll again: %d, %v", n, err)
	}
	u.wantAlive("e")
	if len(u.errs) > 0 {
		t.Error(u.errs)
	}
}

// A request that is running when its session is revoked cannot revive it, and
// sends no cookie.
func TestRevokeInFlight(t *testing.T) {
	for name, write := range map[string]func(s *Session) error{
		"Set":        func(s *Session) error { s.Set("n", 2); return nil },
		"Save":       func(s *Session) error { s.Set("n", 2); return s.Save() },
		"Regenerate": (*Session).Regenerate,
		"Login":      func(s *Session) error { return s.Login("ada") },
	} {
		u := newUsers(t, Config{})
		u.login("a", "ada")
		u.errs = nil
		sent := u.in("a", func(s *Session) {
			_ = s.Get("browser")
			if n, err := u.m.RevokeAll(t.Context(), "ada"); n != 1 || err != nil {
				t.Errorf("RevokeAll: %d, %v", n, err)
			}
			if err := write(s); name != "Set" && !errors.Is(err, ErrGone) {
				t.Errorf("%s: %v", name, err)
			}
		})
		if sent != nil {
			t.Errorf("%s: the cookie %v was sent", name, sent)
		}
		u.wantAlive()
		if list, err := u.m.Sessions(t.Context(), "ada"); len(list) != 0 || err != nil {
			t.Errorf("%s: ada has %d sessions, %v", name, len(list), err)
		}
	}
}

// The index is asked, and only then something happens: a session that moves,
// or is signed in, while RevokeAll is running is ended as well.
func TestRevokeAllMeets(t *testing.T) {
	for name, meet := range map[string]func(u *users){
		"Regenerate": func(u *users) {
			u.in("a", func(s *Session) {
				if err := s.Regenerate(); err != nil {
					t.Error(err)
				}
			})
		},
		"Regenerate elsewhere": func(u *users) {
			here, cfg := u.m, u.m.cfg
			other, err := NewManager(cfg)
			if err != nil {
				t.Fatal(err)
			}
			u.m = other
			defer func() { u.m = here }()
			u.in("a", func(s *Session) {
				if err := s.Regenerate(); err != nil {
					t.Error(err)
				}
			})
		},
		"Login":                func(u *users) { u.login("b", "ada") },
		"Login of the same":    func(u *users) { u.login("a", "ada") },
		"Logout":               func(u *users) { u.in("a", func(s *Session) { _ = s.Logout() }) },
		"Logout, Login":        func(u *users) { u.in("a", func(s *Session) { _ = s.Logout() }); u.login("a", "ada") },
		"a change of the user": func(u *users) { u.login("c", "ada"); u.login("c", "cyd") },
	} {
		for _, when := range []string{"before", "after"} {
			for _, nth := range []int{1, 2} { // of the looks
				u := newUsers(t, Config{})
				u.login("a", "ada")
				looks := 0
				hook := func() {
					if looks++; looks == nth {
						meet(u)
					}
				}
				if when == "before" {
					u.store.before = hook
				} else {
					u.store.after = func([]string) { hook() }
				}
				if _, err := u.m.RevokeAll(t.Context(), "ada"); err != nil {
					t.Error(err)
				}
				u.store.before, u.store.after = nil, nil
				for browser := range u.browsers {
					u.in(browser, func(s *Session) {
						if s.Principal() == "ada" {
							t.Errorf("%s %s look %d: %s is signed in", name, when, nth, browser)
						}
					})
				}
			}
		}
	}
}

// A look that misses a session that moves is not trusted.
func TestRevokeAllMissed(t *testing.T) {
	u := newUsers(t, Config{})
	u.login("a", "ada")
	u.store.blind = true
	if n, err := u.m.RevokeAll(t.Context(), "ada"); n != 1 || err != nil {
		t.Errorf("RevokeAll: %d, %v", n, err)
	}
	u.wantAlive()
}

// What the index lists counts only if the session says the same.
func TestRevokeForeign(t *testing.T) {
	u := newUsers(t, Config{})
	u.login("a", "ada")
	u.store.extra = []string{u.m.storeKey(u.login("e", "eve"))}
	u.in("n", func(s *Session) { s.Set("n", 1) })
	if n, err := u.m.RevokeAll(t.Context(), "ada"); n != 1 || err != nil {
		t.Errorf("RevokeAll: %d, %v", n, err)
	}
	u.wantAlive("e")
	if list, err := u.m.Sessions(t.Context(), "ada"); len(list) != 0 || err != nil {
		t.Errorf("ada has %d sessions, %v", len(list), err)
	}
}

// A record that cannot be read is not said to be revoked.
func TestRevokeCorrupt(t *testing.T) {
	u := newUsers(t, Config{})
	u.login("a", "ada")
	key := u.m.storeKey(u.login("b", "ada"))
	rec, err := u.store.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = u.store.Update(t.Context(), key, []byte("damaged"), time.Hour, rec.Revision); err != nil {
		t.Fatal(err)
	}
	if list, err := u.m.Sessions(t.Context(), "ada"); len(list) != 1 || err != nil {
		t.Errorf("ada has %d sessions, %v", len(list), err)
	}
	if n, err := u.m.RevokeAll(t.Context(), "ada"); n != 1 || !errors.Is(err, ErrCorrupt) {
		t.Errorf("RevokeAll: %d, %v", n, err)
	}
	u.wantAlive()
}

func TestMaxPerPrincipal(t *testing.T) {
	u := newUsers(t, Config{MaxPerPrincipal: 2})
	u.in("a", func(s *Session) { s.Set("began", "long ago") })
	u.clock.advance(time.Hour)
	for _, b := range []string{"b", "c", "a"} {
		u.login(b, "ada")
	}
	u.login("e", "eve")
	u.wantAlive("a", "c", "e")

	// A clock that is behind makes no new session the oldest.
	u.clock.advance(-30 * time.Minute)
	u.login("d", "ada")
	u.wantAlive("a", "d", "e")
	u.login("d", "ada") // again, in the same browser
	u.wantAlive("a", "d", "e")
}

// Of two sign-ins at once the one that has noted its time first ends itself
// when it finds the other, which could not see it.
func TestMaxPerPrincipalMeets(t *testing.T) {
	u := newUsers(t, Config{MaxPerPrincipal: 1})
	u.in("a", func(s *Session) { s.Set("cart", "tea") })
	u.store.after = func([]string) { u.store.after = nil; u.login("b", "ada"); u.cookies = u.browsers["a"] }
	sent := u.in("a", func(s *Session) {
		if err := s.Login("ada"); !errors.Is(err, ErrGone) {
			t.Errorf("Login of the session that was ended: %v", err)
		}
		s.Set("late", 1)
	})
	if sent != nil {
		t.Errorf("the cookie %v was sent", sent)
	}
	u.wantAlive("b")
}

// Many sign-ins at once leave as many sessions as there may be, and whoever
// is told that it was not signed in gets no cookie.
func TestMaxPerPrincipalRace(t *testing.T) {
	const limit, each = 3, 20
	cfg := newUsers(t, Config{MaxPerPrincipal: limit}).m.cfg
	cfg.OnError = nil
	m, err := NewManager(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range each {
		wg.Go(func() {
			<-start
			var x Exchange
			m.Begin(&x, httptest.NewRequest("GET", "/", nil), make(http.Header), nil)
			loginErr := x.session.Login("ada")
			if loginErr != nil && !errors.Is(loginErr, ErrGone) {
				t.Error(loginErr)
			}
			if err := x.Commit(); err != nil {
				t.Error(err)
			}
			// Another may end the session after Login, too.
			if sent := x.session.header.Get("Set-Cookie"); sent != "" && loginErr != nil {
				t.Errorf("Login: %v, and the cookie %q was sent", loginErr, sent)
			}
			x.Finish()
		})
	}
	close(start)
	wg.Wait()
	list, err := m.Sessions(t.Context(), "ada")
	if err != nil || len(list) != limit {
		t.Errorf("ada has %d sessions, %v", len(list), err)
	}
}

func TestNoIndex(t *testing.T) {
	plain := struct{ *nullbackend.Backend }{nullbackend.New()}
	m, err := NewManager(Config{Backend: plain})
	if err != nil {
		t.Fatal(err)
	}
	_, listErr := m.Sessions(t.Context(), "ada")
	_, allErr := m.RevokeAll(t.Context(), "ada")
	for _, err := range []error{listErr, allErr, m.Revoke(t.Context(), "ada", "x")} {
		if !errors.Is(err, ErrNoIndex) {
			t.Errorf("a store without an index: %v", err)
		}
	}
	for _, cfg := range []Config{{Backend: plain, MaxPerPrincipal: 1}, {MaxPerPrincipal: -1}} {
		if _, err := NewManager(cfg); err == nil {
			t.Errorf("MaxPerPrincipal: %d was accepted", cfg.MaxPerPrincipal)
		}
	}
	if !slices.Contains(knownSettings, "SESSION_MAX_PER_PRINCIPAL") {
		t.Error("the setting is not known")
	}
}
