package sessions_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
)

// Fails when eachCookie compares names without their case, and when it trims
// every white space of Unicode.
func exactNames(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil, strict)
		header := s.get("/set?a=1").Header.Get("Set-Cookie")
		pair, _, _ := strings.Cut(header, ";")
		name, value, _ := strings.Cut(pair, "=")
		before := s.store.calls()
		for _, line := range []string{
			"%5F%5FHost-session=" + value, "..Host-session=" + value, "__HOST-session=" + value, "__host-session=" + value,
			"\u2000" + pair, "\u00a0" + pair, "\u0085" + pair, "\xa0" + pair, "\x85" + pair, "\x00" + pair, "\v" + pair, "\f" + pair,
			"=" + pair, "==" + pair, `$Version=1; "` + name + `"=` + value, "$" + pair, name + `="` + value + `"`,
			name + " =" + value, name + "\t=" + value, name + "\u00a0=" + value, name + "[]=" + value, name + ".x=" + value,
			"x" + pair, "a=" + pair, "a, " + pair, `"` + pair + `"`, "a=\"; b=" + pair, name + ":" + value, name, name + value,
			pair + ";", // the one that is ours
		} {
			ours := line == pair+";"
			r := s.get("/get?key=a", line)
			if (r.body == "1") != ours {
				t.Errorf("%q: body %q", line, r.body)
			}
			if !ours && s.store.calls() != before {
				t.Fatalf("%q reached the store", line)
			}
		}
	})
}

// Fails when find returns the first session that it finds.
func tossedCookies(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil)
		v, other := s.visitor(), s.visitor()
		v.ok("/set?a=1")
		other.ok("/set?a=2")
		ours := v.pair()
		loads := func(cookies ...string) (reply, int64, []error) {
			s.errors = nil
			before := s.store.loads.Load()
			r := s.get("/get?key=a", cookies...)
			return r, s.store.loads.Load() - before, s.errors
		}

		// Rubbish and copies cost nothing and are no incident.
		r, n, errs := loads("session=rubbish; session=\"\"; " + ours + "; " + ours)
		if r.body != "1" || n != 1 || errs != nil {
			t.Errorf("rubbish and a copy: body %q, %d loads, %v", r.body, n, errs)
		}
		// A dead ID could have been planted: the live one is used.
		for _, lines := range [][]string{
			{"session=" + id(1) + "; session=" + id(2) + "; session=" + id(3) + "; " + ours},
			{ours + "; session=" + id(1)},
			{"session=" + id(1), ours},
		} {
			r, _, errs := loads(lines...)
			if r.body != "1" || r.StatusCode != 200 || len(errs) != 1 || !errors.Is(errs[0], sessions.ErrAmbiguous) {
				t.Errorf("%d lines: status %d, body %q, %v", len(lines), r.StatusCode, r.body, errs)
			}
		}
		// Four are looked at.
		many := ""
		for i := range 100 {
			many += "session=" + id(i) + "; "
		}
		if r, n, _ := loads(many + ours); r.body != "" || n != 4 {
			t.Errorf("100 planted cookies: body %q, %d loads", r.body, n)
		}
		// Two live ones: nothing tells whose this request is.
		for _, line := range []string{ours + "; " + other.pair(), other.pair() + "; " + ours} {
			r, n, errs := loads(line)
			if r.StatusCode != http.StatusServiceUnavailable || r.body == "1" || r.body == "2" || len(r.Cookies()) != 0 || n != 2 {
				t.Errorf("two sessions: status %d, body %q, cookies %v, %d loads", r.StatusCode, r.body, r.Cookies(), n)
			}
			if len(errs) != 1 || !errors.Is(errs[0], sessions.ErrAmbiguous) {
				t.Errorf("reported: %v", errs)
			}
		}
		// Logging out ends both, and so the trouble.
		if r := s.get("/logout", ours+"; "+other.pair()); r.StatusCode != 200 || r.cookie(t, "session") == nil {
			t.Errorf("logout: status %d", r.StatusCode)
		}
		if r, _, _ := loads(ours + "; " + other.pair()); r.StatusCode != 200 || r.body != "" || len(s.store.rows(t)) != 0 {
			t.Errorf("after logout: status %d, body %q", r.StatusCode, r.body)
		}
	})
	// The strict name is one that no other site can set.
	newManager(t, strict)
}

// Fails when eachCookie splits a line into a slice.
func hugeCookieHeader(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil || !regexp.MustCompile(`(?m)^go 1\.(2[6-9]|[3-9]\d)`).Match(mod) {
		t.Errorf("go.mod does not ask for a Go with CVE-2025-58186 fixed: %v", err)
	}
	m := newManager(t, sessions.Config{})
	cost := func(line string) uint64 {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = []string{line}
		visit := func() { serve(m, r, func(s *sessions.Session) { s.Get("a") }) }
		visit()
		const times = 5
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			visit()
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / times
	}
	small := cost("a=b")
	for _, unit := range []string{"a=;", "session=;", ";", "=", "session=x; ", "session"} {
		line := strings.Repeat(unit, 1<<20/len(unit))
		if huge := cost(line); huge > small+4096 {
			t.Errorf("1 MB of %q allocates %d bytes, a small header %d", unit, huge, small)
		}
	}
}

// Fails when checkCookie refuses names with two prefixes.
func httpPrefix(t *testing.T) {
	s := mount(t, sessions.Config{Name: "__Host-Http-session", Secure: sessions.SecureAlways})
	if c := s.get("/set?a=1").cookie(t, "__Host-Http-session"); c == nil || !c.HttpOnly || !c.Secure || c.Path != "/" {
		t.Errorf("cookie %v", c)
	}
	refused(t, "with a Path", sessions.Config{Name: "__Host-Http-session", Secure: sessions.SecureAlways, Path: "/a"})
}

// Fails when the default for Secure is SecureAlways.
func plainHTTP(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		v := mount(nil).visitor()
		if c := v.ok("/set?a=1").cookie(t, "session"); c == nil || c.Secure {
			t.Errorf("over plain HTTP the cookie is %v", c)
		}
		if v.value("a") != "1" {
			t.Error("sessions need HTTPS")
		}
	})
}
