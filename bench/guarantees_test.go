package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-session2/sessions/internal/testenv"
)

// A guarantee is a row of the table in README.md. holds runs its scenario.
type guarantee struct {
	says  string
	holds func(newSite func(handler) *site) bool
}

// TestGuarantees runs the scenario of every guarantee on every library, with
// its defaults and on a real Redis, and compares what it sees with the table
// in README.md.
func TestGuarantees(t *testing.T) {
	redisAddr := testenv.Need(t, "REDIS_ADDR")
	logger := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the libraries complain of the outages
	t.Cleanup(func() { slog.SetDefault(logger) })

	for _, lib := range libraries { // or a "no" below could be our mistake
		b := newSite(t, lib, redisAddr, pages(nil)).browser()
		b.get("set-a")
		if b.get("signin"); !b.shows("get-a", "a") || !b.shows("get-user", "bob") {
			t.Fatalf("%s does not keep a session at all", lib.name)
		}
		if b.get("signout"); b.shows("get-user", "bob") {
			t.Fatalf("%s does not sign out at all", lib.name)
		}
	}

	var table strings.Builder
	for _, g := range guarantees {
		var cells []string
		t.Run(g.says, func(t *testing.T) {
			for _, lib := range libraries {
				cell := "no"
				t.Run(lib.name, func(t *testing.T) {
					if g.holds(func(h handler) *site { return newSite(t, lib, redisAddr, h) }) {
						cell = "yes"
					}
				})
				cells = append(cells, cell)
			}
		})
		if cells[0] != cells[1] {
			t.Errorf("%s: %s with Gin, %s with Echo", g.says, cells[0], cells[1])
		}
		fmt.Fprintf(&table, "| %s | %s |\n", g.says, strings.Join(cells[1:], " | "))
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), table.String()) {
		t.Errorf("README.md does not have the table that was seen:\n%s", &table)
	}
}

// answer ends a handler: with an error or with a page.
func answer(w http.ResponseWriter, err error, page string) {
	if err != nil {
		http.Error(w, "error", http.StatusInternalServerError)
		return
	}
	_, _ = w.Write([]byte(page))
}

// pages is a handler with pages of its own, and some for every scenario.
func pages(own map[string]handler) handler {
	return func(w http.ResponseWriter, r *http.Request, s held) {
		page := strings.TrimPrefix(r.URL.Path, "/")
		if h := own[page]; h != nil {
			h(w, r, s)
			return
		}
		what, key, _ := strings.Cut(page, "-")
		switch what {
		case "set":
			err := s.Set(key, key)
			if err == nil {
				err = s.Save()
			}
			answer(w, err, "set")
		case "get":
			v, err := s.Get(key)
			answer(w, err, fmt.Sprint(v))
		case "signin":
			answer(w, s.SignIn("bob"), "signed in")
		case "signout":
			answer(w, s.SignOut(), "signed out")
		default:
			answer(w, nil, "untouched")
		}
	}
}

// A meeting lets a handler go on when the test has seen it arrive.
type meeting struct{ arrived, leave chan struct{} }

func newMeeting() meeting { return meeting{make(chan struct{}), make(chan struct{})} }

func (m meeting) hold() {
	m.arrived <- struct{}{}
	<-m.leave
}

// together lets two requests of one session load it before either changes it.
func together(newSite func(handler) *site, change func(s held, page string) error) browser {
	meet := newMeeting()
	h := func(w http.ResponseWriter, r *http.Request, s held) {
		_, err := s.Get("user")
		meet.hold()
		if err == nil {
			err = change(s, strings.TrimPrefix(r.URL.Path, "/"))
		}
		if err == nil {
			err = s.Save()
		}
		answer(w, err, "changed")
	}
	b := newSite(pages(map[string]handler{"one": h, "two": h})).browser()
	b.get("set-user")
	done := make(chan struct{})
	for _, page := range []string{"one", "two"} {
		go func(b browser) {
			b.get(page)
			done <- struct{}{}
		}(b)
	}
	<-meet.arrived
	<-meet.arrived
	close(meet.leave)
	<-done
	<-done
	return b
}
