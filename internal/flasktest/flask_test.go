package flasktest

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"testing"
)

// TestMain lets more stores be tested at once than there are cores: most of
// the time they wait, for a process to start or for sessions to expire.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// checks are what must hold on every store.
var checks = []struct {
	name string
	run  func(t *testing.T, g *group)
}{
	{"Values", values},
	{"Keys", keys},
	{"Large", large},
	{"Flashes", flashesBothWays},
	{"SignIn", signInAndOut},
	{"Writers", writers},
	{"Permanence", permanence},
}

// TestFlask runs the checks on every store, with the defaults of the Flask
// extensions.
func TestFlask(t *testing.T) {
	for _, s := range stores {
		t.Run(s.title(), func(t *testing.T) {
			t.Parallel()
			g := s.open(t)
			expired := expiry(t, g) // begins to wait
			for _, c := range checks {
				t.Run(c.name, func(t *testing.T) { c.run(t, g) })
			}
			t.Run("Expiry", expired)
		})
	}
}

// keys sets, changes and removes keys on either side, down to the last.
func keys(t *testing.T, g *group) {
	b := newBrowser(t)
	for _, a := range g.all {
		b.see(a, "name", nil)
	}
	b.set(g.flask, "name", str("Flask"))
	id := b.cookie(g.flask)
	for i, a := range g.ours {
		b.set(a, a.name, num(i))
		b.answer(b.post(a, "/count/n", nil), fmt.Sprint(2*i+1))
		b.answer(b.post(g.flask, "/count/n", nil), fmt.Sprint(2*i+2))
		b.see(g.flask, a.name, num(i))
		b.see(a, "name", str("Flask"))
	}
	if b.cookie(g.flask) != id {
		t.Error("the session has changed its ID")
	}
	b.answer(b.post(g.flask, "/pop/Gin", nil), indexed(g, "Gin"))
	for _, a := range g.ours {
		b.see(a, "Gin", nil)
	}
	b.answer(b.post(g.ours[0], "/pop/name", nil), str("Flask"))
	b.see(g.flask, "name", nil)

	// An empty session, left by either side, is one to all.
	for _, last := range g.all {
		b := newBrowser(t)
		b.set(g.flask, "name", str("only"))
		b.answer(b.post(last, "/pop/name", nil), str("only"))
		for _, a := range g.all {
			b.see(a, "name", nil)
		}
		for i, a := range g.all {
			b.set(a, fmt.Sprint("k", i), num(i))
		}
		for _, a := range g.all {
			for i := range g.all {
				b.see(a, fmt.Sprint("k", i), num(i))
			}
		}
	}
}

// indexed is the number of one of our applications.
func indexed(g *group, name string) tag {
	for i, a := range g.ours {
		if a.name == name {
			return num(i)
		}
	}
	return nil
}

// large moves much data.
func large(t *testing.T, g *group) {
	var numbers []any
	for i := range g.size() / 100 {
		numbers = append(numbers, num(i*i))
	}
	much := make([]byte, g.size())
	for i := range much {
		much[i] = "abcdefghijklmnopqrstuvwxyz \n"[i*i%28]
	}
	b := newBrowser(t)
	b.set(g.flask, "much", str(string(much)))
	b.set(g.ours[0], "many", list("list", numbers...))
	for _, a := range g.all {
		b.see(a, "much", str(string(much)))
		b.see(a, "many", list("list", numbers...))
	}
}

// size is how many characters a large session has.
func (s store) size() int {
	if s.name == "sqlalchemy mariadb" || s.name == "peewee mariadb" {
		return 40_000 // the column that SQLAlchemy makes holds 65,535 bytes
	}
	return 200_000
}

// flashesBothWays shows messages on the other side, once and in order.
func flashesBothWays(t *testing.T, g *group) {
	for _, a := range g.ours {
		b := newBrowser(t)
		b.post(g.flask, "/flash/message", str("from Flask"))
		b.post(a, "/flash/warning", str("from us"))
		b.post(g.flask, "/flash/message", str("again"))
		want := list("list",
			list("tuple", str("message"), str("from Flask")),
			list("tuple", str("warning"), str("from us")),
			list("tuple", str("message"), str("again")))
		other := b.thief(a) // two tabs
		b.answer(b.get(a, "/flashes"), want)
		for _, a := range g.all {
			other.answer(other.get(a, "/flashes"), list("list"))
		}
		b.post(a, "/flash/warning", str("one more"))
		b.answer(b.get(g.flask, "/flashes"), list("list", g.pair(str("warning"), str("one more"))))
		b.answer(b.get(a, "/flashes"), list("list"))
	}
}

// pair is a flash message as Flask reads it from the store.
func (s store) pair(items ...any) tag {
	if s.pickled() {
		return list("tuple", items...)
	}
	return list("list", items...)
}

// permanence makes sessions end with the browser, and last, on either side.
func permanence(t *testing.T, g *group) {
	if g.temporary != kept {
		return // TestTemporaryFlaskSession2 is about them
	}
	for _, a := range g.ours {
		b := newBrowser(t)
		b.set(g.flask, "a", num(1))
		for i, by := range []*app{a, g.flask} {
			r := b.post(by, "/permanent/0", nil)
			if c := sent(r); c == nil || !c.Expires.IsZero() || c.MaxAge != 0 {
				t.Errorf("%s: made temporary the session gets the cookie %v", by.name, c)
			}
			for _, a := range g.all {
				b.see(a, "_permanent", tag{"t": "bool", "v": false})
				b.set(a, "a", num(i))
			}
			r = b.post(by, "/permanent/1", nil)
			if c := sent(r); c == nil || c.Expires.IsZero() {
				t.Errorf("%s: made permanent the session gets the cookie %v", by.name, c)
			}
			for _, a := range g.all {
				b.see(a, "_permanent", tag{"t": "bool", "v": true})
				b.see(a, "a", num(i))
			}
		}
	}
}

// fails checks that a request fails, as an application does that cannot store
// a session.
func (b *browser) fails(a *app, path string, body any) {
	b.t.Helper()
	if a.name == "Flask" {
		b.status(b.do(a, "POST", path, body), http.StatusInternalServerError)
		return
	}
	b.status(b.do(a, "POST", path, body), http.StatusServiceUnavailable)
}
