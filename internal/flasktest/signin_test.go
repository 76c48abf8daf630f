package flasktest

import "testing"

// signInAndOut signs in and out on either side. A session that has ended is
// ended for all, also for who has kept its cookie.
func signInAndOut(t *testing.T, g *group) {
	for i, a := range g.ours {
		for _, in := range []*app{g.flask, a} {
			for _, out := range []*app{g.flask, a} {
				if i > 0 && in == out { // once is enough
					continue
				}
				b := newBrowser(t)
				b.set(g.flask, "before", num(1))
				visitor := b.thief(a)
				b.post(in, "/sign-in/ada", nil)
				for _, a := range g.all {
					b.see(a, "user", str("ada"))
					b.see(a, "before", num(1))
				}
				if in != g.flask || g.stack == flaskSession { // Flask-Session2 has no regeneration
					for _, a := range g.all {
						visitor.see(a, "user", nil)
						visitor.see(a, "before", nil)
					}
				}
				thief := b.thief(a)
				old := b.cookie(a)
				b.post(out, "/sign-out", nil)
				if g.stored(t, old) {
					t.Errorf("signed out in %s, and the session is still stored", out.name)
				}
				if b.cookie(a) != "" {
					t.Errorf("signed out in %s, and the browser keeps its cookie", out.name)
				}
				for _, a := range g.ours {
					b.see(a, "user", nil)
					thief.see(a, "user", nil)
				}
				b.see(g.flask, "user", nil)
				thief.see(g.flask, "user", nil)
			}
		}
	}
}
