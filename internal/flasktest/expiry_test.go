package flasktest

import (
	"testing"
	"time"
)

// expiry makes sessions with a short life on either side, and returns the
// check that they have ended for all.
func expiry(t *testing.T, g *group) func(*testing.T) {
	g.flask.steer(t, "lifetime/2")
	defer g.flask.steer(t, "lifetime/2678400")
	type visitor struct{ browser, thief *browser }
	visitors := make(map[*app]visitor)
	for _, a := range []*app{g.flask, g.hasty} {
		v := visitor{newBrowser(t), newBrowser(t)}
		v.thief.take(a, sent(v.browser.set(a, "a", num(1))).Value) // this one stays
		visitors[a] = v
	}
	end := time.Now().Add(shortLife + 2*time.Second) // stores round up
	return func(t *testing.T) {
		time.Sleep(time.Until(end))
		for by, v := range visitors {
			v.browser.t, v.thief.t = t, t
			if v.browser.cookie(by) != "" {
				t.Errorf("%s made a session with a short life, and the browser still has its cookie", by.name)
			}
			// Flask comes last: Flask-Session2 goes on with the ID.
			for _, a := range append(g.ours, g.flask) {
				switch {
				case by == g.flask && g.endless:
					v.thief.see(a, "a", num(1)) // nothing in the store says that it ends
				case a == g.flask && g.unchecked:
					// What it does depends on when the store sweeps.
				default:
					v.thief.see(a, "a", nil)
				}
			}
		}
	}
}
