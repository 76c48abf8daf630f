package webtest

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/go-session2/sessions"
)

// parallel checks requests of one session that run at the same time, on
// different kinds of stores.
func parallel(t *testing.T, f Framework) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			p := newProbe(open(t))
			t.Run("distinct keys", func(t *testing.T) {
				const writers = 100
				b := f.site(t, shop, sessions.Config{Backend: p}).browser()
				b.get("/set?a=1")
				var wg sync.WaitGroup
				for i := range writers {
					wg.Go(func() { b.get(fmt.Sprintf("/set?k%d=%d", i, i)) })
				}
				wg.Wait()
				for i := range writers {
					b.want(fmt.Sprintf("/get?key=k%d", i), fmt.Sprint(i))
				}
			})
			t.Run("increments", func(t *testing.T) {
				const increments = 200
				b := f.site(t, shop, sessions.Config{Backend: p}).browser()
				b.get("/set?a=1")
				var wg sync.WaitGroup
				for range increments {
					wg.Go(func() { b.get("/count") })
				}
				wg.Wait()
				b.want("/count", fmt.Sprint(increments+1))
			})
			t.Run("flashes", func(t *testing.T) {
				b := f.site(t, shop, sessions.Config{Backend: p}).browser()
				b.get("/set?a=1")
				var wg sync.WaitGroup
				for range 10 {
					wg.Go(func() { b.get("/flash") })
				}
				wg.Wait()
				if r := b.get("/flashes?category=warning"); len(r.body) != len("[{warning careful}]")*10-9 {
					t.Errorf("flashes %s", r.body)
				}
			})
			inFlight(t, f, p)
		})
	}
}

// inFlight checks that a request which is running while its session ends
// cannot revive it, and sends no cookie that would replace a newer one.
func inFlight(t *testing.T, f Framework, p *probe) {
	for _, kind := range []string{"reads", "writes", "empties", "regenerates", "first reads", "first writes", "first regenerates"} {
		for _, end := range []string{"/logout", "/login"} {
			t.Run(kind+" across "+end, func(t *testing.T) {
				entered, resume := make(chan struct{}), make(chan struct{})
				routes := Routes{"/slow": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
					s := sessions.Default(c)
					kind, late := strings.CutPrefix(kind, "first ")
					if !late { // else it has not loaded its session yet
						s.Get("a")
					}
					close(entered)
					<-resume
					switch kind {
					case "reads":
						s.Get("a")
					case "writes":
						s.Set("late", "yes")
						sessions.Update(s, "n", func(n int) int { return n + 1 })
					case "empties":
						s.Clear()
					case "regenerates":
						if err := s.Regenerate(); err == nil {
							t.Error("Regenerate of a session that has ended succeeded")
						}
						s.Set("late", "yes")
					}
					return text(w, "slow")
				}}
				for path, h := range shop {
					routes[path] = h
				}
				cfg := sessions.Config{Backend: p, RefreshInterval: sessions.RefreshAlways, Logger: quiet}
				b := f.site(t, routes, cfg).browser()
				b.get("/set?a=1")
				old := b.cookie()
				slow := b.site.browser()
				replies := make(chan reply)
				go func() { replies <- slow.do("GET", "/slow", "Cookie", "session="+old) }()
				<-entered
				rows := len(p.rows())
				b.get(end)
				close(resume)
				r := <-replies
				slow.noCookie(r)
				if r.StatusCode != http.StatusOK || r.body != "slow" {
					t.Errorf("status %d, body %q", r.StatusCode, r.body)
				}
				if got := slow.get("/get?key=a", "Cookie", "session="+old); got.body != "" {
					t.Error("the old ID works again")
				}
				want := rows
				if end == "/logout" {
					want = rows - 1
				}
				if n := len(p.rows()); n != want {
					t.Errorf("%d rows, want %d", n, want)
				}
				if end == "/login" {
					b.want("/get?key=late", "")
					b.want("/get?key=user", "ada")
				}
			})
		}
	}
}
