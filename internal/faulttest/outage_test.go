//go:build linux

package faulttest

import (
	"errors"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-session2/sessions"
)

// outage has one fault begin at each moment of a request's life.
//
// Each of these makes it fail: find returns no error with the fresh session
// after a failed load; Commit forgives every error; Fail leaves the Set-Cookie
// lines of the handler; Regenerate or Destroy do not note their failure for
// Commit; touch returns its error; do of redisbackend waits for the client.
func outage(t *testing.T, st store, f fault) {
	b, p := st.behind(t)
	s := newSite(t, st.app, b, nil)
	// With its longer Lifetime, every session of s is to be touched.
	touching := newSite(t, st.app, b, func(cfg *sessions.Config) {
		cfg.Prefix, cfg.Lifetime, cfg.RefreshInterval = s.prefix, 2*cfg.Lifetime, sessions.RefreshAlways
	})

	// during has a visitor with a session ask an application for something,
	// with the fault between load and save, and heals it.
	during := func(asked *site, path string) (*visitor, answer) {
		t.Helper()
		for range 20 {
			v := s.signIn(t)
			v.site = asked
			asked.logs.take()
			asked.meanwhile(func() { p.inject(f) })
			a := v.get(path)
			if asked.happened() {
				p.heal(t)
				return v, a
			}
			t.Logf("%s: the load took too long without any fault: status %d", path, a.StatusCode)
		}
		t.Fatal("no load was in time")
		return nil, answer{}
	}

	t.Run("load", func(t *testing.T) {
		v, leaving := s.signIn(t), s.signIn(t)
		cookie := v.cookie
		s.logs.take()
		p.inject(f)
		if a := v.get("/"); a.StatusCode != http.StatusOK || a.body != "untouched" || a.sent != nil {
			t.Errorf("a page that uses no session: status %d, %q", a.StatusCode, a.body)
		}
		v.refused("reading", v.get("/get?key=a"))
		v.refused("a new visitor", s.visitor(t).get("/do?op=set&key=a&value=2"))
		leaving.refused("logout", leaving.get("/do?op=destroy"))
		p.heal(t)
		v.want("/get?key=a", "1")
		if v.cookie != cookie {
			t.Error("the cookie has changed")
		}
		if a := leaving.try("/get?key=a"); a.body != "1" && a.body != "" || a.sent != nil {
			t.Errorf("after a logout that failed: %q, cookie %v", a.body, a.sent)
		}
	})
	t.Run("save", func(t *testing.T) {
		v, a := during(s, "/do?load=1&op=set&key=b&value=2")
		v.refused("save", a)
		v.want("/get?key=a", "1")
		if a := v.try("/get?key=b"); a.body != "" && a.body != "2" {
			t.Errorf("stored is %q", a.body)
		}
	})
	t.Run("regenerate", func(t *testing.T) {
		v, a := during(s, "/do?load=1&op=regenerate")
		v.refused("regenerate", a)
		v.want("/get?key=a", "1")
	})
	t.Run("destroy", func(t *testing.T) {
		v, a := during(s, "/do?load=1&op=destroy")
		v.refused("destroy", a)
		if a := v.try("/get?key=a"); a.body != "1" && a.body != "" || a.sent != nil {
			t.Errorf("after a logout that failed: %q, cookie %v", a.body, a.sent)
		}
	})
	t.Run("touch", func(t *testing.T) {
		v, a := during(touching, "/do?load=1")
		if a.StatusCode != http.StatusCreated || a.body != "the handler's bytes" || a.sent != nil {
			t.Errorf("a request that changed nothing: status %d, %q, cookie %v", a.StatusCode, a.body, a.sent)
		}
		v.prompt("touch", a)
		if errs := touching.logs.take(); len(errs) != 1 || !errors.Is(errs[0], sessions.ErrUnavailable) {
			t.Errorf("reported: %v", errs)
		}
		if a := v.try("/get?key=a"); a.body != "1" {
			t.Errorf("afterwards: %q", a.body)
		}
	})
}

// goroutines has many requests of all applications wait for stores that do not
// answer. What waits must go away by itself.
//
// It fails when a command that was given up leaves a goroutine that nothing
// ends: tried with do of redisbackend, its channel without a buffer.
func goroutines(t *testing.T) {
	type place struct {
		p *proxy
		v *visitor
	}
	var places []place
	for _, st := range stores {
		if os.Getenv(st.env) == "" && os.Getenv("SESSIONS_REQUIRE_SERVICES") != "1" {
			t.Logf("without %s, as %s is not set", st.name, st.env)
			continue
		}
		b, p := st.behind(t)
		places = append(places, place{p, newSite(t, st.app, b, nil).signIn(t)})
	}
	const crowd = 20
	visit := func() {
		var all sync.WaitGroup
		for _, pl := range places {
			for range crowd {
				all.Go(func() { (&visitor{t: t, site: pl.v.site, cookie: pl.v.cookie}).get("/get?key=a") })
			}
		}
		all.Wait()
	}
	visit() // so that the clients have the connections that they keep
	before := runtime.NumGoroutine()
	for _, pl := range places {
		pl.p.inject(blackHole)
	}
	visit()
	waiting, _ := inBackends(t)
	for _, pl := range places {
		pl.p.heal(t)
	}
	for _, pl := range places {
		pl.v.want("/get?key=a", "1")
	}
	for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		left, stacks := inBackends(t)
		all := runtime.NumGoroutine()
		if left == 0 && all <= before+crowd { // the clients may keep other connections than before
			t.Logf("%d goroutines before, %d after %d requests, of which %d were left waiting", before, all, crowd*len(places), waiting)
			return
		}
		if time.Since(start) > patience {
			t.Fatalf("%d goroutines before, %d after, %d of the backends:\n%s", before, all, left, stacks)
		}
	}
}

// inBackends returns how many goroutines are in commands of the backends, and
// where all are.
func inBackends(t *testing.T) (n int, stacks string) {
	t.Helper()
	var text strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(text.String(), "\n\n") {
		if strings.Contains(block, "/sessions/backend/") || strings.Contains(block, "/sessions/internal/sqlstore") {
			same, _, _ := strings.Cut(block, " @ ")
			many, err := strconv.Atoi(strings.TrimSpace(same[strings.LastIndex(same, "\n")+1:]))
			if err != nil {
				t.Fatalf("a profile that begins with %q", same)
			}
			n += many
		}
	}
	return n, text.String()
}
