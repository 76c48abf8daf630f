package flasktest

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/codec"
)

// TestMigration moves live sessions from Flask-Session2 over our applications
// to Flask-Session: from pickles to MessagePack.
func TestMigration(t *testing.T) {
	old := pick(flaskSession2, "redis")[0].open(t)
	g := pick(flaskSession, "redis")[0].open(t)

	// The chain by hand; it is also what the settings make.
	cfg := g.cfg
	cfg.Codec = codec.Reads(codec.FlaskMessagePack{}, codec.Pickle{})
	byHand := startSite(t, "Gin", g.manager(t, cfg))

	for _, a := range append(g.ours, byHand) {
		b := newBrowser(t)
		b.set(old.flask, "user", str("ada"), "pair", list("tuple", num(1), num(2)), "when", moment("2024-02-29T13:14:15+00:00"))
		id := b.cookie(a)

		// Reading leaves it as it is.
		b.see(a, "user", str("ada"))
		b.see(a, "pair", list("tuple", num(1), num(2)))
		b.see(old.flask, "pair", list("tuple", num(1), num(2)))

		// A change writes it anew, as Flask-Session does.
		b.set(a, "moved", num(1))
		for _, reader := range []*app{a, g.flask} {
			b.see(reader, "user", str("ada"))
			b.see(reader, "pair", list("list", num(1), num(2))) // MessagePack has no tuple
			b.see(reader, "when", moment("2024-02-29T13:14:15+00:00"))
			b.see(reader, "moved", num(1))
		}
		if b.cookie(a) != id {
			t.Error("the ID has changed")
		}

		// From here there is no way back: for Flask-Session2 the session
		// is empty, and what it then saves is all there is. docs/flask.md
		// says so.
		b.see(old.flask, "user", nil)
		b.see(a, "user", nil)
	}
}

// TestRollback moves live sessions from Flask-Session back to Flask-Session2.
func TestRollback(t *testing.T) {
	g := pick(flaskSession, "redis")[0].open(t)
	old := pick(flaskSession2, "redis")[0].open(t)
	cfg := old.cfg
	cfg.Codec = codec.Reads(codec.Pickle{}, codec.FlaskMessagePack{})
	back := startSite(t, "Gin", old.manager(t, cfg))

	b := newBrowser(t)
	b.set(g.flask, "user", str("ada"), "when", moment("2024-02-29T13:14:15+00:00"))
	b.see(back, "user", str("ada"))
	b.set(back, "moved", num(1)) // all of it becomes a pickle
	for _, a := range []*app{old.flask, back, g.flask} {
		b.see(a, "user", str("ada"))
		b.see(a, "when", moment("2024-02-29T13:14:15+00:00"))
		b.see(a, "moved", num(1))
	}
}

// TestForeignClass has Flask store an object of a class that is not on the
// list of those that are read. We do not make the object, and do not lose it:
// the visitor gets another session from us, and Flask's stays as it is.
func TestForeignClass(t *testing.T) {
	g := pick(flaskSession2, "redis")[0].open(t)
	for i, a := range g.ours {
		b := newBrowser(t)
		b.set(g.flask, "a", num(1), "share", text("Fraction", "1/3"))
		id := b.cookie(g.flask)
		other := b.thief(g.flask)
		b.set(a, "b", num(2))
		b.see(a, "b", num(2))
		b.see(a, "a", nil)
		if b.cookie(a) == id {
			t.Errorf("%s uses the ID of a session that it cannot read", a.name)
		}
		other.see(g.flask, "share", text("Fraction", "1/3"))
		other.see(g.flask, "b", nil)
		errs := g.errors.all()
		if len(errs) != i+1 || !errors.Is(errs[i], sessions.ErrCorrupt) || !strings.Contains(errs[i].Error(), "fractions.Fraction") {
			t.Errorf("reported: %v", errs)
		}
	}
}
