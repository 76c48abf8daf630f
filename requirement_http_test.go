package sessions_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions"
)

var httpRequirements = []requirement{
	{"HT-1", cachedCookies},
	{"HT-2", vary},
	{"HT-3", cachedReads},
	{"HT-4", untouched},
	{"HT-5", responseWriter},
	{"HT-6", errorsStayInside},
}

// Fails when uncacheCookie does nothing.
func cachedCookies(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		for handlers, want := range map[string]string{
			"":                                "private, no-cache=\"Set-Cookie\"",
			"public, max-age=60":              "max-age=60, private, no-cache=\"Set-Cookie\"",
			"public, s-maxage=600, immutable": "immutable, private, no-cache=\"Set-Cookie\"",
			"PUBLIC,S-MaxAge=600":             "private, no-cache=\"Set-Cookie\"",
			"no-store":                        "no-store",
			"private, max-age=60":             "max-age=60, private, no-cache=\"Set-Cookie\"",
			"max-age=60, no-store":            "max-age=60, no-store",
		} {
			s := mount(routes{"/page": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
				if handlers != "" {
					w.Header().Set("Cache-Control", handlers)
				}
				sessions.Default(c).Set("a", time.Now().String())
				return text(w, "page")
			}})
			v := s.visitor()
			for _, target := range []string{"/page", "/login", "/logout"} {
				r := v.ok(target)
				if r.cookie(t, "session") == nil {
					t.Fatalf("%s: no cookie", target)
				}
				if target != "/page" {
					continue
				}
				if got := strings.Join(r.Header["Cache-Control"], ", "); got != want {
					t.Errorf("%q became %q, want %q", handlers, got, want)
				}
			}
		}
	})
}

// accessors are all methods and functions that use a session.
var accessors = map[string]func(s *sessions.Session){
	"ID":           func(s *sessions.Session) { s.ID() },
	"IsNew":        func(s *sessions.Session) { s.IsNew() },
	"Get":          func(s *sessions.Session) { s.Get("a") },
	"Lookup":       func(s *sessions.Session) { s.Lookup("none") },
	"Set":          func(s *sessions.Session) { s.Set("a", "1") },
	"Delete":       func(s *sessions.Session) { s.Delete("none") },
	"Pop":          func(s *sessions.Session) { s.Pop("none") },
	"Clear":        func(s *sessions.Session) { s.Clear() },
	"Keys":         func(s *sessions.Session) { s.Keys() },
	"All":          func(s *sessions.Session) { s.All()(func(string, any) bool { return true }) },
	"Len":          func(s *sessions.Session) { s.Len() },
	"AddFlash":     func(s *sessions.Session) { s.AddFlash("hello") },
	"Flashes":      func(s *sessions.Session) { s.Flashes() },
	"Permanent":    func(s *sessions.Session) { s.Permanent() },
	"SetPermanent": func(s *sessions.Session) { s.SetPermanent(true) },
	"SetLifetime":  func(s *sessions.Session) { s.SetLifetime(time.Hour) },
	"Regenerate":   func(s *sessions.Session) { _ = s.Regenerate() },
	"Destroy":      func(s *sessions.Session) { _ = s.Destroy() },
	"Login":        func(s *sessions.Session) { _ = s.Login("ada") },
	"Logout":       func(s *sessions.Session) { _ = s.Logout() },
	"Principal":    func(s *sessions.Session) { s.Principal() },
	"SetPrincipal": func(s *sessions.Session) { s.SetPrincipal("ada") },
	"Handle":       func(s *sessions.Session) { s.Handle() },
	"Save":         func(s *sessions.Session) { _ = s.Save() },
	"Err":          func(s *sessions.Session) { _ = s.Err() },
	"Value":        func(s *sessions.Session) { sessions.Value[int](s, "a") },
	"Update":       func(s *sessions.Session) { sessions.Update(s, "n", func(n int) int { return n }) },
}

// printing are the methods that show nothing of a session.
var printing = []string{"String", "GoString", "LogValue", "MarshalJSON", "MarshalText", "Format", "Manager"}

// Fails when Destroy or loadNow does not note that the session was used.
func vary(t *testing.T) {
	typ := reflect.TypeFor[*sessions.Session]()
	for m := range typ.Methods() {
		if accessors[m.Name] == nil && !slices.Contains(printing, m.Name) {
			t.Errorf("Session.%s is not tested here", m.Name)
		}
	}
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		all := make(routes)
		for name, access := range accessors {
			all["/use/"+name] = func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
				for _, line := range r.URL.Query()["vary"] {
					w.Header().Add("Vary", line)
				}
				access(sessions.Default(c))
				return text(w, "used")
			}
		}
		for name := range accessors {
			s := mount(all)
			v := s.visitor()
			v.ok("/set?a=1")
			for _, cookie := range []string{"", v.pair()} {
				for query, want := range map[string]string{
					"": "Cookie", "?vary=Accept": "Accept, Cookie", "?vary=cookie": "cookie", "?vary=Accept,+COOKIE": "Accept, COOKIE", "?vary=*": "*",
				} {
					r := s.get("/use/"+name+query, cookie)
					if got := strings.Join(r.Header["Vary"], ", "); got != want {
						t.Errorf("%s%s: Vary is %q, want %q", name, query, got, want)
					}
				}
			}
		}
	})
}

// Fails when varyByCookie does nothing.
func cachedReads(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil)
		v := s.visitor()
		v.ok("/set?a=1")
		r := v.ok("/get?key=a")
		if r.Header.Get("Vary") != "Cookie" || r.Header.Get("Cache-Control") != "" || len(r.Cookies()) != 0 {
			t.Errorf("header %v", r.Header)
		}
	})
}

// Fails when Commit adds Vary to every response.
func untouched(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil)
		v := s.visitor()
		v.ok("/set?a=1")
		before := s.store.calls()
		for _, cookie := range []string{"", v.pair(), "session=rubbish", "session=" + id(1)} {
			for _, target := range []string{"/", "/none"} {
				r := s.get(target, cookie)
				if len(r.Header["Set-Cookie"]) != 0 || len(r.Header["Vary"]) != 0 || len(r.Header["Cache-Control"]) != 0 {
					t.Errorf("%s: header %v", target, r.Header)
				}
			}
		}
		if n := s.store.calls() - before; n != 0 {
			t.Errorf("%d store commands", n)
		}
	})
}

// The ways to answer, each with its cookie, are the tests TestWeb/Commit of
// the adapters. Fails when the writers have no Unwrap.
func responseWriter(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(routes{"/page": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			sessions.Default(c).Set("a", 1)
			w.Header()["X-Many"] = []string{"one", "two"}
			rc := http.NewResponseController(w)
			later := time.Now().Add(time.Minute)
			err := errors.Join(rc.SetReadDeadline(later), rc.SetWriteDeadline(later))
			w.WriteHeader(http.StatusAccepted)
			_, copied := io.Copy(w, strings.NewReader("copied, "))
			if err := errors.Join(err, copied, rc.Flush(), text(w, "written")); err != nil {
				t.Error(err)
			}
			w.(http.Flusher).Flush()
			return nil
		}, "/mine": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			sessions.Default(c).Set("a", 1)
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return nil
			}
			defer conn.Close()
			_, _ = rw.WriteString("HTTP/1.1 299 Mine\r\nContent-Length: 0\r\nSet-Cookie: " + w.Header().Get("Set-Cookie") + "\r\n\r\n")
			return rw.Flush()
		}})
		srv := httptest.NewServer(s.app)
		defer srv.Close()
		for path, status := range map[string]int{"/page": http.StatusAccepted, "/mine": 299} {
			res, err := srv.Client().Get(srv.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != status || len(res.Cookies()) != 1 {
				t.Errorf("%s: status %d, cookies %v, %v", path, res.StatusCode, res.Cookies(), err)
			}
			if path == "/page" && (string(body) != "copied, written" || len(res.Header["X-Many"]) != 2) {
				t.Errorf("body %q, header %v", body, res.Header)
			}
		}
	})
}

// Fails when serviceUnavailable writes the error.
func errorsStayInside(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil)
		v := s.visitor()
		v.ok("/set?a=1")
		s.store.meddle = func(_ context.Context, _, key string) error {
			return errors.New("dial postgres://root:hunter2@db.internal/sessions: SELECT " + key)
		}
		for _, target := range []string{"/get?key=a", "/set?a=2", "/login", "/logout"} {
			r := v.get(target)
			if r.StatusCode < 500 {
				t.Errorf("%s: status %d", target, r.StatusCode)
			}
			for _, secret := range []string{"hunter2", "postgres", "SELECT", "session:"} {
				if strings.Contains(r.body, secret) {
					t.Errorf("%s: the body has %q", target, secret)
				}
				for name, lines := range r.Header {
					if strings.Contains(strings.Join(lines, " "), secret) {
						t.Errorf("%s: the header %s has %q", target, name, secret)
					}
				}
			}
		}
	})
}
