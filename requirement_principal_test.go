package sessions_test

import (
	"net/http"
	"testing"

	"github.com/go-session2/sessions"
)

// accounts are the routes of an application that knows its users.
var accounts = routes{
	"/sign-in": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
		if err := sessions.Default(c).Login(r.URL.Query().Get("user")); err != nil {
			return err
		}
		return text(w, "welcome")
	},
	"/who": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		return text(w, sessions.Default(c).Principal())
	},
	"/sign-out-others": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
		s := sessions.Default(c)
		if _, err := s.Manager().RevokeOthers(r.Context(), s); err != nil {
			return err
		}
		return text(w, "done")
	},
	"/sign-out-all": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
		s := sessions.Default(c)
		if _, err := s.Manager().RevokeAll(r.Context(), s.Principal()); err != nil {
			return err
		}
		return text(w, "done")
	},
}

// Fails when Login does not regenerate, or does not clear what another
// principal has left.
func signIn(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(accounts)
		v := s.visitor()
		v.ok("/set?cart=tea")
		before := v.pair()
		v.ok("/sign-in?user=ada")
		if v.pair() == before || s.get("/get?key=cart", before).body != "" {
			t.Error("the ID of before the sign-in is alive")
		}
		if v.ok("/who").body != "ada" || v.value("cart") != "tea" {
			t.Error("the session is not the visitor's")
		}
		v.ok("/sign-in?user=eve")
		if v.ok("/who").body != "eve" || v.value("cart") != "" {
			t.Error("eve has what ada has left")
		}
	})
}

// Fails when look finds nothing, or revoke keeps nothing.
func revoked(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		store := newStore(t)
		sites := []*site{mount(accounts, sessions.Config{Backend: store}), mount(accounts, sessions.Config{Backend: store})}
		var ada []*visitor
		for i := range 4 {
			v := sites[i%2].visitor()
			v.ok("/sign-in?user=ada")
			ada = append(ada, v)
		}
		eve := sites[0].visitor()
		eve.ok("/sign-in?user=eve")
		alive := func(want ...bool) {
			t.Helper()
			for i, v := range ada {
				if got := v.ok("/who").body == "ada"; got != want[i] {
					t.Errorf("session %d is alive: %v", i, got)
				}
			}
			if eve.ok("/who").body != "eve" {
				t.Error("the session of somebody else has ended")
			}
		}
		ada[1].ok("/sign-out-others")
		alive(false, true, false, false)
		ada[2].ok("/sign-in?user=ada")
		ada[1].ok("/sign-out-all")
		alive(false, false, false, false)
	})
}

// Fails when evict ends nothing.
func limited(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(accounts, sessions.Config{MaxPerPrincipal: 2})
		var ada []*visitor
		for range 4 {
			v := s.visitor()
			v.ok("/sign-in?user=ada")
			ada = append(ada, v)
		}
		for i, v := range ada {
			if got := v.ok("/who").body == "ada"; got != (i >= 2) {
				t.Errorf("session %d is alive: %v", i, got)
			}
		}
	})
}
