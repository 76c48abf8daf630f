package sessions_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-session2/sessions"
)

var cookieRequirements = []requirement{
	{"CK-1", secureAttribute},
	{"CK-2", hostPrefix},
	{"CK-3", wrongPrefixes},
	{"CK-4", idOnlyInSetCookie},
	{"CK-5", sameSite},
	{"CK-6", partitioned},
	{"CK-7", cookieSize},
	{"CK-8", cookieSyntax},
	{"CK-9", oneSetCookie},
	{"CK-10", cookieAge},
	{"CK-11", browserSession},
	{"CK-12", cookieEndsWithSession},
	{"CK-13", deletionCookie},
	{"CK-14", interimResponse},
	{"CK-15", exactNames},
	{"CK-16", tossedCookies},
	{"CK-17", hugeCookieHeader},
	{"CK-18", httpPrefix},
	{"CK-19", plainHTTP},
}

const day = 24 * time.Hour

var strict = sessions.Config{Name: "__Host-session", Secure: sessions.SecureAlways}

// Fails when secure ignores X-Forwarded-Proto, and when it ignores SecureAlways.
func secureAttribute(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		auto := mount(nil)
		always := mount(nil, sessions.Config{Secure: sessions.SecureAlways})
		never := mount(nil, sessions.Config{Secure: sessions.SecureNever})
		for _, test := range []struct {
			header, value string
			tls, secure   bool
		}{
			{"", "", false, false},
			{"", "", true, true},
			{"X-Forwarded-Proto", "https", false, true},
			{"X-Forwarded-Proto", "HTTPS, http", false, true},
			{"X-Forwarded-Proto", "http", false, false},
			{"X-Forwarded-Proto", "http", true, true}, // a header never takes it away
			{"Forwarded", `for=192.0.2.1;proto=https`, false, true},
			{"Forwarded", `for=192.0.2.1;proto=http, proto=https`, false, false},
		} {
			for s, want := range map[*site]bool{auto: test.secure, always: true, never: false} {
				r := httptest.NewRequest("GET", "/set?a=1", nil)
				if test.header != "" {
					r.Header.Set(test.header, test.value)
				}
				if test.tls {
					r.TLS = &tls.ConnectionState{}
				}
				if c := s.do(r).cookie(t, "session"); c == nil || c.Secure != want {
					t.Errorf("%s %q, TLS %v: cookie %v", test.header, test.value, test.tls, c)
				}
			}
		}
	})
}

// Fails when cookieLine leaves the Path out.
func hostPrefix(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		v := mount(nil, strict).visitor()
		c := v.get("/set?a=1").cookie(t, "__Host-session")
		if c == nil || !c.Secure || c.Path != "/" || c.Domain != "" || !c.HttpOnly {
			t.Errorf("cookie %v", c)
		}
		if v.value("a") != "1" {
			t.Error("the session is lost")
		}
	})
}

// refused checks that the constructors refuse a Config.
func refused(t *testing.T, why string, cfg sessions.Config) {
	t.Helper()
	m, err := sessions.NewManager(cfg)
	if err == nil {
		m.Close()
		t.Errorf("%s: accepted", why)
	}
}

// Fails when checkCookie compares the prefixes with their case.
func wrongPrefixes(t *testing.T) {
	always := sessions.SecureAlways
	for why, cfg := range map[string]sessions.Config{
		"__Host- with a Domain":     {Name: "__Host-s", Secure: always, Domain: "example.com"},
		"__Host- with a Path":       {Name: "__Host-s", Secure: always, Path: "/app"},
		"__Host- not always Secure": {Name: "__Host-s"},
		"__Host- never Secure":      {Name: "__Host-s", Secure: sessions.SecureNever},
		"__Secure- not Secure":      {Name: "__Secure-s"},
		"__HOST-":                   {Name: "__HOST-s", Secure: always},
		"__host-":                   {Name: "__host-s", Secure: always},
		"__SECURE-":                 {Name: "__SECURE-s", Secure: always},
		"__secure-":                 {Name: "__secure-s", Secure: always},
	} {
		refused(t, why, cfg)
	}
}

// Fails when HttpOnly is left out, and when the ID is put into another header.
func idOnlyInSetCookie(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil)
		v := s.visitor()
		ids := make(map[string]bool)
		look := func(r reply) {
			t.Helper()
			if c := r.cookie(t, "session"); c != nil {
				if !c.HttpOnly {
					t.Errorf("cookie %v", c)
				}
				if c.Value != "" {
					ids[c.Value] = true
				}
			}
			for id := range ids {
				for name, lines := range r.Header {
					if name != "Set-Cookie" && strings.Contains(strings.Join(lines, "\n"), id) {
						t.Errorf("the header %s has an ID", name)
					}
				}
				if strings.Contains(r.body, id) {
					t.Error("the body has an ID")
				}
			}
		}
		for _, target := range []string{"/set?a=1", "/get?key=a", "/login", "/none"} {
			look(v.get(target))
		}
		s.store.meddle = func(_ context.Context, _, key string) error { return fmt.Errorf("cannot reach %s", key) }
		for _, target := range []string{"/set?a=2", "/get?key=a", "/login", "/logout"} {
			look(v.get(target))
		}
		s.store.meddle = nil
		look(v.get("/logout"))
		if len(ids) != 2 {
			t.Errorf("%d IDs were issued", len(ids))
		}
	})
}

// Fails when cookieLine leaves SameSite out, and when checkCookie takes None
// without SecureAlways.
func sameSite(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		line := mount(nil).get("/set?a=1").Header.Get("Set-Cookie")
		if !strings.Contains(line, "; SameSite=Lax") {
			t.Errorf("Set-Cookie: %s", line)
		}
	})
	refused(t, "None without Secure", sessions.Config{SameSite: http.SameSiteNoneMode})
	refused(t, "None, never Secure", sessions.Config{SameSite: http.SameSiteNoneMode, Secure: sessions.SecureNever})
	refused(t, "left to the browser", sessions.Config{SameSite: http.SameSiteDefaultMode})
}

// Fails when cookieLine removes the cookie without Partitioned.
func partitioned(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		cfg := strict
		cfg.Partitioned, cfg.SameSite = true, http.SameSiteNoneMode
		v := mount(nil, cfg).visitor()
		set := v.ok("/set?a=1").cookie(t, cfg.Name)
		gone := v.ok("/logout").cookie(t, cfg.Name)
		if set == nil || gone == nil || !set.Partitioned || !gone.Partitioned || gone.SameSite != http.SameSiteNoneMode || gone.MaxAge >= 0 {
			t.Errorf("set as %v, removed as %v", set, gone)
		}
	})
	refused(t, "not Secure", sessions.Config{Partitioned: true})
}

// A wordy signer makes values of its own.
type wordySigner struct{ suffix string }

func (s wordySigner) Sign(_, id string) string { return id + s.suffix }
func (s wordySigner) Verify(_, value string) (string, bool) {
	return strings.CutSuffix(value, s.suffix)
}

// Fails when checkCookie does not add the name's length to the value's.
func cookieSize(t *testing.T) {
	signer, err := sessions.NewSigner(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	c := mount(t, sessions.Config{Signer: signer}).get("/set?a=1").cookie(t, "session")
	if c == nil || len(c.Name)+len(c.Value) > 128 {
		t.Errorf("cookie %v", c)
	}
	newManager(t, sessions.Config{Name: strings.Repeat("n", 4096-43)})
	refused(t, "4097 bytes", sessions.Config{Name: strings.Repeat("n", 4096-43+1)})
	newManager(t, sessions.Config{Name: "n", Signer: wordySigner{strings.Repeat("s", 4096-43-1)}})
	refused(t, "4097 bytes with a signature", sessions.Config{Name: "n", Signer: wordySigner{strings.Repeat("s", 4096-43)}})
	newManager(t, sessions.Config{Path: "/" + strings.Repeat("p", 1023)})
	refused(t, "a path of 1025 bytes", sessions.Config{Path: "/" + strings.Repeat("p", 1024)})
	refused(t, "a domain of 1025 bytes", sessions.Config{Domain: strings.Repeat("d.", 512) + "d"})
}

// Fails when checkCookie leaves notCookieOctet out.
func cookieSyntax(t *testing.T) {
	v := mount(t).visitor()
	for _, target := range []string{"/set?a=1", "/login", "/set?b=2", "/logout"} {
		for _, line := range v.ok(target).Header["Set-Cookie"] {
			parts := strings.Split(line, "; ")
			if !regexp.MustCompile(`^session=[A-Za-z0-9_-]*$`).MatchString(parts[0]) {
				t.Errorf("Set-Cookie: %s", line)
			}
			seen := make(map[string]bool)
			for _, part := range parts[1:] {
				name, _, _ := strings.Cut(part, "=")
				if seen[strings.ToLower(name)] {
					t.Errorf("%s is twice in %s", name, line)
				}
				seen[strings.ToLower(name)] = true
			}
		}
	}
	for c := range 256 {
		ok := c == '!' || c >= '#' && c <= '+' || c >= '-' && c <= ':' || c >= '<' && c <= '[' || c >= ']' && c <= '~'
		if m, err := sessions.NewManager(sessions.Config{Signer: wordySigner{string([]byte{byte(c)})}}); (err == nil) != ok {
			t.Errorf("a signer's byte %#x: %v", c, err)
		} else if ok {
			m.Close()
		}
	}
	for _, name := range []string{" ", "a b", "a=b", "a;b", "a,b", "ä", "a\x00", "a\tb", "(a)", "a/b", "a\"b"} {
		refused(t, "name "+name, sessions.Config{Name: name})
	}
	refused(t, "a signer that cannot verify", sessions.Config{Signer: liar{}})
	refused(t, "a relative path", sessions.Config{Path: "app"})
}

// A liar does not know its own signature.
type liar struct{}

func (liar) Sign(_, id string) string              { return id + ".x" }
func (liar) Verify(_, value string) (string, bool) { return value, true }

// Fails when showCookie does not drop the line before.
func oneSetCookie(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(routes{"/all": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			http.SetCookie(w, &http.Cookie{Name: "session2", Value: "theirs"})
			http.SetCookie(w, &http.Cookie{Name: "other", Value: "theirs"})
			s := sessions.Default(c)
			s.Set("a", 1)
			err := errors.Join(s.Save(), s.Regenerate(), s.Save(), s.Destroy())
			s.Set("b", 2)
			err = errors.Join(err, s.Save(), s.Regenerate(), s.Destroy())
			s.Set("c", 3)
			if err != nil {
				t.Error(err)
			}
			return text(w, "all")
		}})
		for _, v := range []*visitor{s.visitor(), s.visitor()} {
			for range 2 { // without a cookie, and with one
				r := v.ok("/all")
				if c := r.cookie(t, "session"); c == nil || c.Value == "" {
					t.Errorf("Set-Cookie: %q", r.Header["Set-Cookie"])
				}
				if r.cookie(t, "session2") == nil || r.cookie(t, "other") == nil || len(r.Cookies()) != 3 {
					t.Errorf("others' cookies: %q", r.Header["Set-Cookie"])
				}
			}
		}
		if n := len(s.store.rows(t)); n != 2 {
			t.Errorf("%d records for two visitors", n)
		}
	})
}

// Fails when cookieLine does not limit the age.
func cookieAge(t *testing.T) {
	refused(t, "401 days", sessions.Config{Lifetime: 401 * day})
	m := newManager(t, sessions.Config{Lifetime: 1000 * day, NonPermanent: true})
	line := serve(m, httptest.NewRequest("GET", "/", nil), func(s *sessions.Session) {
		s.Set("a", 1)
		s.SetPermanent(true)
	}).Get("Set-Cookie")
	if !strings.Contains(line, "; Max-Age=34560000;") {
		t.Errorf("Set-Cookie: %s", line)
	}
}

// Fails when permanent returns true always.
func browserSession(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		if c := mount(nil).get("/set?a=1").cookie(t, "session"); c == nil || c.MaxAge != int(31*day/time.Second) || c.Expires.IsZero() {
			t.Errorf("by default the cookie is %v", c)
		}
		s := mount(routes{"/remember": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			sessions.Default(c).SetPermanent(true)
			return text(w, "remembered")
		}}, sessions.Config{NonPermanent: true})
		v := s.visitor()
		if c := v.ok("/set?a=1").cookie(t, "session"); c == nil || c.MaxAge != 0 || !c.Expires.IsZero() {
			t.Errorf("with NonPermanent the cookie is %v", c)
		}
		if c := v.ok("/remember").cookie(t, "session"); c == nil || c.MaxAge != int(31*day/time.Second) {
			t.Errorf("after SetPermanent the cookie is %v", c)
		}
	})
}

// Fails when deadline ignores AbsoluteLifetime.
func cookieEndsWithSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mount(t, sessions.Config{Lifetime: 10 * day, AbsoluteLifetime: 15 * day, RefreshInterval: sessions.RefreshAlways})
		v := s.visitor()
		var promised time.Time
		for i := range 15 {
			left := min(10*day, time.Duration(15-i)*day)
			if c := v.get(fmt.Sprintf("/set?a=%d", i)).cookie(t, "session"); c != nil {
				if age := time.Duration(c.MaxAge) * time.Second; age != left || !c.Expires.Equal(time.Now().Add(left)) {
					t.Errorf("after %d days the cookie is %v", i, c)
				}
				promised = c.Expires
			}
			if !promised.Equal(time.Now().Add(left)) {
				t.Errorf("after %d days the browser keeps the cookie until %v", i, promised)
			}
			time.Sleep(day)
		}
		// The server does not rely on the browser.
		if r := s.get("/get?key=a", v.pair()); r.body != "" {
			t.Error("the session lives after its absolute lifetime")
		}
	})
}

// Fails when cookieLine leaves the Domain out of a removal.
func deletionCookie(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		for _, cfg := range []sessions.Config{
			{}, {Path: "/", Domain: "example.com", Secure: sessions.SecureAlways, SameSite: http.SameSiteStrictMode, ScriptAccess: true},
			{Name: "__Host-s", Secure: sessions.SecureAlways, Partitioned: true, SameSite: http.SameSiteNoneMode},
		} {
			v := mount(nil, cfg).visitor()
			attributes := func(line string) string {
				_, rest, _ := strings.Cut(line, ";")
				return regexp.MustCompile(`; (Expires|Max-Age)=[^;]*`).ReplaceAllString(";"+rest, "")
			}
			set := v.ok("/set?a=1").Header.Get("Set-Cookie")
			gone := v.ok("/logout").Header.Get("Set-Cookie")
			if attributes(set) != attributes(gone) {
				t.Errorf("set as %s, removed as %s", set, gone)
			}
			if !strings.Contains(gone, "; Max-Age=0") || !strings.Contains(gone, "; Expires=Thu, 01 Jan 1970 00:00:00 GMT") {
				t.Errorf("removed as %s", gone)
			}
		}
	})
}

// Fails when Interim says that no code is one.
func interimResponse(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(routes{"/hints": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			sessions.Default(c).Set("a", "1")
			if err := sessions.Default(c).Save(); err != nil { // now the cookie is in the header
				return err
			}
			w.WriteHeader(http.StatusEarlyHints)
			if now, ok := w.(interface{ WriteHeaderNow() }); ok {
				now.WriteHeaderNow() // Gin sends no header before
			}
			w.WriteHeader(http.StatusOK)
			return text(w, "body")
		}})
		srv := httptest.NewServer(s.app)
		defer srv.Close()
		hints := 0
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			hints++
			if len(h["Set-Cookie"]) > 0 {
				t.Errorf("the %d response has the cookie", code)
			}
			return nil
		}}
		req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", srv.URL+"/hints", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if hints != 1 || len(res.Cookies()) != 1 {
			t.Errorf("%d interim responses, cookies %v", hints, res.Cookies())
		}
	})
}
