package gatetest

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
)

// A life is one session of a principal, from its sign-in on, whatever its IDs.
type life struct {
	cookie string
	over   bool        // it was found dead
	ended  atomic.Bool // a RevokeAll that began after the sign-in has returned
}

// noEscape lets a principal sign in, use, renew and end sessions, in two
// processes, while all sessions are revoked again and again. One that had been
// signed in before a RevokeAll is dead when that returns, also when it has got
// another ID meanwhile. In the end the index lists those that are alive, and
// no others.
func noEscape(t *testing.T, b backend.Backend, o Options) {
	sites := []*site{newSite(t, sessions.Config{Backend: b}), newSite(t, sessions.Config{Backend: b})}
	m, principal := sites[0].m, "ada "+rand.Text()
	if _, err := m.Sessions(t.Context(), principal); errors.Is(err, sessions.ErrNoIndex) {
		// A store without an index says so, and keeps nothing back.
		if n, err := m.RevokeAll(t.Context(), principal); n != 0 || !errors.Is(err, sessions.ErrNoIndex) {
			t.Errorf("RevokeAll ended %d sessions, %v", n, err)
		}
		return
	}
	workers, rounds, requests := 6, min(20, max(3, o.Schedules/200)), 50
	if o.Patience >= time.Second {
		workers, rounds, requests = 3, 2, 6
	}
	var mu sync.Mutex
	var lives []*life
	var over atomic.Bool
	steps := make(chan struct{}, requests*workers) // as many as can be taken, so that none is lost
	step := func() {
		select {
		case steps <- struct{}{}:
		default:
		}
	}
	// How many requests there may be for each RevokeAll, which could be slower
	// than they are: then the store would fill up.
	budget := make(chan struct{}, requests*workers)
	more := func() {
		for range cap(budget) {
			select {
			case budget <- struct{}{}:
			default:
			}
		}
	}
	parallel(workers+1, func(i int) {
		if i < workers {
			for n := 0; !over.Load(); n++ {
				<-budget
				l := &life{}
				if !sites[i%2].signIn(l, principal) {
					step()
					continue
				}
				mu.Lock()
				lives = append(lives, l)
				mu.Unlock()
				for k := 0; k < 4+i && !over.Load(); k++ {
					<-budget
					step()
					if !sites[k%2].use(l, principal, k+n) {
						break
					}
				}
			}
			return
		}
		defer func() {
			over.Store(true)
			close(budget)
		}()
		for range rounds {
			more()
			for range 2 * workers { // so that there is something to revoke
				<-steps
			}
			mu.Lock()
			before := append([]*life(nil), lives...)
			mu.Unlock()
			if _, err := sites[1].m.RevokeAll(t.Context(), principal); err != nil {
				t.Error(err)
			}
			for _, l := range before {
				l.ended.Store(true)
			}
		}
	})

	lives = slices.DeleteFunc(lives, func(l *life) bool { return l.over })
	alive := 0
	for _, l := range lives {
		if sites[0].use(l, principal, 0) {
			alive++
		}
	}
	if list, err := m.Sessions(t.Context(), principal); err != nil || len(list) != alive {
		t.Errorf("the index lists %d sessions, %d are alive; %v", len(list), alive, err)
	}
	if n, err := m.RevokeAll(t.Context(), principal); err != nil || n != alive {
		t.Errorf("RevokeAll ended %d sessions of %d; %v", n, alive, err)
	}
	for _, l := range lives {
		l.ended.Store(true)
		sites[1].use(l, principal, 0)
	}
}

// signIn begins a life. It returns false when the session was revoked before
// the response was sent.
func (s *site) signIn(l *life, principal string) bool {
	var failed error
	set, ok := s.serve("", func(v *sessions.Session) { failed = v.Login(principal) })
	switch {
	case failed != nil || !ok:
		s.t.Errorf("sign-in: %v", failed)
	case set != nil:
		l.cookie = set.Value
	}
	return l.cookie != ""
}

// use makes a request of a life and returns whether it was still signed in.
func (s *site) use(l *life, principal string, what int) bool {
	ended := l.ended.Load()
	who := ""
	set, _ := s.serve(l.cookie, func(v *sessions.Session) {
		if who = v.Principal(); who != principal {
			return
		}
		var err error
		switch what % 3 {
		case 1:
			v.Set("n", what)
		case 2:
			err = v.Regenerate()
		}
		if err != nil && !errors.Is(err, sessions.ErrGone) {
			s.t.Error(err)
		}
	})
	if who == principal && ended {
		s.t.Error("a session is alive after RevokeAll")
	}
	if set != nil && set.MaxAge >= 0 {
		l.cookie = set.Value
	}
	l.over = who != principal
	return !l.over
}
