package flasktest

import (
	"net/http"
	"testing"
)

// writers has both sides write at the same time.
func writers(t *testing.T, g *group) {
	for _, a := range g.ours {
		b := newBrowser(t)
		b.set(g.flask, "a", num(1))
		other := b.thief(a) // a second tab

		// We have loaded, Flask writes, we commit: both are there.
		end := b.begin(a, "/set", dict("dict", "ours", num(1)))
		other.set(g.flask, "theirs", num(1))
		end()
		for _, a := range g.all {
			b.see(a, "ours", num(1))
			b.see(a, "theirs", num(1))
		}

		// The same with one key, which both count.
		end = b.begin(a, "/count/n", nil)
		other.answer(other.post(g.flask, "/count/n", nil), "1")
		end()
		b.see(g.flask, "n", num(2))

		// The same with a list, to which both append.
		b.set(g.flask, "list", list("list", num(0)))
		end = b.begin(a, "/append/list", num(1))
		other.post(g.flask, "/append/list", num(2))
		end()
		b.see(g.flask, "list", list("list", num(0), num(2), num(1)))

		// Flask has loaded, we write, Flask saves: as Flask stores the
		// whole session as it has loaded it, what we wrote is lost.
		// docs/flask.md says so.
		end = b.begin(g.flask, "/set", dict("dict", "theirs", num(2)))
		other.set(a, "ours", num(2))
		other.see(a, "ours", num(2))
		end()
		b.see(a, "theirs", num(2))
		b.see(a, "ours", num(1))

		// We have loaded, Flask ends the session, we commit: it stays
		// ended.
		old := b.cookie(a)
		end = b.begin(a, "/set", dict("dict", "late", num(1)))
		other.post(g.flask, "/sign-out", nil)
		if r := end(); r.StatusCode != http.StatusOK && r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d", a.name, r.StatusCode)
		}
		if g.stored(t, old) {
			t.Errorf("%s has stored a session again that was signed out of", a.name)
		}
		other.see(a, "late", nil)

		// Flask has loaded, we end the session, Flask saves: that revives
		// it, where it does not fail. docs/flask.md says so.
		b = newBrowser(t)
		b.set(g.flask, "a", num(1))
		thief := b.thief(a)
		end = b.begin(g.flask, "/set", dict("dict", "late", num(1)))
		thief.post(a, "/sign-out", nil)
		if r := end(); g.stale {
			b.status(r, http.StatusInternalServerError)
			b.see(a, "late", nil)
		} else {
			b.status(r, http.StatusOK)
			b.see(a, "late", num(1))
		}
	}
}
