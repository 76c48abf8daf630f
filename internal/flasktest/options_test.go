package flasktest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestSigned has the cookies signed. That has nothing to do with the store.
func TestSigned(t *testing.T) {
	for _, s := range append(pick(flaskSession2, "redis"), pick(flaskSession, "redis")...) {
		t.Run(s.title(), func(t *testing.T) {
			t.Parallel()
			g := s.open(t, signed)
			t.Run("Keys", func(t *testing.T) { keys(t, g) })
			t.Run("Flashes", func(t *testing.T) { flashesBothWays(t, g) })
			t.Run("SignIn", func(t *testing.T) { signInAndOut(t, g) })
			t.Run("Forged", func(t *testing.T) { forged(t, g) })
		})
	}
}

// forged changes the signature of a cookie, or omits it.
func forged(t *testing.T, g *group) {
	b := newBrowser(t)
	b.set(g.flask, "user", str("ada"))
	value := b.cookie(g.flask)
	id, signature, ok := strings.Cut(value, ".")
	if !ok {
		t.Fatal("the cookie is not signed")
	}
	for _, a := range g.all {
		if c := sent(b.set(a, "by", str(a.name))); c != nil && c.Value != value {
			t.Errorf("%s signs the ID otherwise than Flask", a.name)
		}
	}
	other := "A"
	if signature[0] == 'A' {
		other = "B"
	}
	for _, bad := range []string{id, id + ".", id + "." + other + signature[1:], "x" + value} {
		for _, a := range g.all {
			forger := newBrowser(t)
			forger.take(a, bad)
			forger.see(a, "user", nil)
		}
	}
}

// TestIDLength has Flask make IDs of another length than ours.
func TestIDLength(t *testing.T) {
	g := pick(flaskSession, "redis")[0].open(t, func(settings map[string]any) { settings["SESSION_ID_LENGTH"] = 16 })
	t.Run("Keys", func(t *testing.T) { keys(t, g) })
	t.Run("SignIn", func(t *testing.T) { signInAndOut(t, g) })
}

// TestTemporary has sessions that end with the browser from the start, with
// the extension and the stores that can store them.
func TestTemporary(t *testing.T) {
	works := slices.Concat(
		pick(flaskSession2, "memcached", "filesystem", "dynamodb"),
		pick(flaskSession, "redis", "redis json", "memcached", "filesystem", "mongodb", "sqlalchemy sqlite", "dynamodb"))
	for _, s := range works {
		t.Run(s.title(), func(t *testing.T) {
			t.Parallel()
			g := s.open(t, temporary)
			for _, a := range g.all {
				b := newBrowser(t)
				if c := sent(b.set(a, "a", num(1))); c == nil || !c.Expires.IsZero() || c.MaxAge != 0 {
					t.Errorf("%s: a session that is to end with the browser has the cookie %v", a.name, c)
				}
				b.see(g.flask, "_permanent", nil)
				b.see(g.ours[0], "_permanent", nil)
			}
			t.Run("Keys", func(t *testing.T) { keys(t, g) })
			t.Run("Flashes", func(t *testing.T) { flashesBothWays(t, g) })
			t.Run("SignIn", func(t *testing.T) { signInAndOut(t, g) })
			t.Run("Permanence", func(t *testing.T) { permanence(t, g) })
		})
	}
}

// TestTemporaryFlaskSession2 has such sessions where Flask-Session2 cannot
// store them. We read what it has stored, without an expiry, and go on with
// it; and Flask reads what we have stored. docs/flask.md tells what it does.
func TestTemporaryFlaskSession2(t *testing.T) {
	for _, s := range pick(flaskSession2, "redis", "mongodb", "sqlalchemy sqlite", "elasticsearch", "datastore", "firestore") {
		t.Run(s.title(), func(t *testing.T) {
			t.Parallel()
			g := s.open(t, temporary)
			for _, a := range g.ours {
				b := newBrowser(t)
				b.set(g.flask, "a", num(1))
				if g.temporary == never {
					b.see(a, "a", nil)
				} else {
					b.see(a, "a", num(1))
				}
				b.set(a, "b", num(2)) // which gives it an expiry
				b.see(g.flask, "b", num(2))

				b = newBrowser(t)
				b.set(a, "b", num(2))
				b.set(g.flask, "a", num(1))
				switch r := b.do(g.flask, "GET", "/session", nil); g.temporary {
				case never: // what we have stored is left as it was
					b.status(r, http.StatusOK)
					b.see(a, "a", nil)
					b.see(a, "b", num(2))
				case dropped:
					b.status(r, http.StatusOK)
					b.see(a, "b", nil)
				case broken:
					if g.typ != "datastore" { // where it has deleted the session
						b.status(r, http.StatusInternalServerError)
						b.see(a, "a", num(1))
						b.set(a, "b", num(3)) // which gives it an expiry
						b.see(g.flask, "b", num(3))
					}
				}
			}
		})
	}
}

// TestPeeweePermanence is about the one store of Flask-Session2 that has all
// sessions permanent, or none: there its cookies are always permanent.
func TestPeeweePermanence(t *testing.T) {
	for _, o := range []option{nil, temporary} {
		g := pick(flaskSession2, "peewee sqlite")[0].open(t, o)
		b := newBrowser(t)
		r := b.set(g.flask, "a", num(1))
		if c := sent(r); c == nil || c.Expires.IsZero() {
			t.Errorf("Flask sends the cookie %v", c)
		}
		if o == nil {
			b.fails(g.flask, "/permanent/0", nil)
		}
		for _, a := range g.ours {
			b.post(a, "/permanent/0", nil)
			b.see(a, "_permanent", tag{"t": "bool", "v": false})
			b.see(a, "a", num(1))
			b.post(a, "/permanent/1", nil)
			b.see(g.flask, "a", num(1))
		}
	}
}
