package sessions_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	echo4 "github.com/labstack/echo/v4"
	echo5 "github.com/labstack/echo/v5"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/echosession"
	echosession5 "github.com/go-session2/sessions/echosession/v5"
	"github.com/go-session2/sessions/ginsession"
)

// A requirement is a row of docs/security.md with the test that it holds.
type requirement struct {
	id    string
	check func(t *testing.T)
}

// sections are those of docs/security.md.
var sections = [][]requirement{
	idRequirements, cookieRequirements, lifetimeRequirements, lifecycleRequirements,
	storageRequirements, httpRequirements, logRequirements, abuseRequirements,
}

// TestRequirement runs one test for each row of docs/security.md that this
// package can show by itself. The comment of each says on which change of the
// code it has been seen to fail.
func TestRequirement(t *testing.T) {
	for _, section := range sections {
		for _, r := range section {
			t.Run(r.id, r.check)
		}
	}
}

func init() { gin.SetMode(gin.ReleaseMode) }

var quiet = slog.New(slog.DiscardHandler)

// A handler is a route's handler in any framework, routes are handlers by
// path.
type (
	handler func(c sessions.Context, w http.ResponseWriter, r *http.Request) error
	routes  map[string]handler
)

// frameworks make an application of routes behind the session middleware.
var frameworks = map[string]func(rs routes, srcs ...sessions.Source) http.Handler{
	"Gin": func(rs routes, srcs ...sessions.Source) http.Handler {
		r := gin.New()
		for _, src := range srcs {
			r.Use(ginsession.New(src))
		}
		for path, h := range rs {
			r.Any(path, func(c *gin.Context) {
				if err := h(c, c.Writer, c.Request); err != nil {
					c.AbortWithStatus(http.StatusInternalServerError)
				}
			})
		}
		return r
	},
	"Echo 4": func(rs routes, srcs ...sessions.Source) http.Handler {
		e := echo4.New()
		e.Logger.SetOutput(io.Discard)
		for _, src := range srcs {
			e.Use(echosession.New(src))
		}
		for path, h := range rs {
			e.Any(path, func(c echo4.Context) error { return h(c, c.Response(), c.Request()) })
		}
		return e
	},
	"Echo 5": func(rs routes, srcs ...sessions.Source) http.Handler {
		e := echo5.New()
		e.Logger = quiet
		for _, src := range srcs {
			e.Use(echosession5.New(src))
		}
		for path, h := range rs {
			e.Any(path, func(c *echo5.Context) error { return h(c, c.Response(), c.Request()) })
		}
		return e
	},
}

// A site is an application on a memory store of its own.
type site struct {
	t      *testing.T
	app    http.Handler
	store  *store
	errors []error // that were reported; for requests that follow one another
}

// inEach runs a test in each framework. mount makes a site with the routes of
// shop and others; a Config without a Backend gets the site's.
func inEach(t *testing.T, test func(t *testing.T, mount func(more routes, cfgs ...sessions.Config) *site)) {
	for name, serve := range frameworks {
		failed := t.Failed()
		test(t, func(more routes, cfgs ...sessions.Config) *site { return mountIn(t, serve, more, cfgs) })
		if t.Failed() && !failed {
			t.Logf("the failure above is with %s", name)
		}
	}
}

// mount is inEach's in one framework, for what the frameworks have no part in.
func mount(t *testing.T, cfgs ...sessions.Config) *site {
	return mountIn(t, frameworks["Gin"], nil, cfgs)
}

func mountIn(t *testing.T, serve func(routes, ...sessions.Source) http.Handler, more routes, cfgs []sessions.Config) *site {
	t.Helper()
	s := &site{t: t, store: newStore(t)}
	if len(cfgs) == 0 {
		cfgs = make([]sessions.Config, 1)
	}
	all := make(routes)
	for _, rs := range []routes{shop, more} {
		for path, h := range rs {
			all[path] = h
		}
	}
	srcs := make([]sessions.Source, len(cfgs))
	for i, cfg := range cfgs {
		if cfg.Backend == nil {
			cfg.Backend = s.store
		}
		if cfg.Logger == nil {
			cfg.Logger = quiet
		}
		if cfg.SweepInterval == 0 {
			cfg.SweepInterval = -1
		}
		report := cfg.OnError
		cfg.OnError = func(r *http.Request, err error) {
			s.errors = append(s.errors, err)
			if report != nil {
				report(r, err)
			}
		}
		srcs[i] = cfg
	}
	s.app = serve(all, srcs...)
	return s
}

// shop has the routes that most tests use.
var shop = routes{
	"/": func(_ sessions.Context, w http.ResponseWriter, _ *http.Request) error { return text(w, "untouched") },
	"/set": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
		for key, values := range r.URL.Query() {
			sessions.Default(c).Set(key, values[0])
		}
		return text(w, "set")
	},
	"/get": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
		v, _ := sessions.Value[string](sessions.Default(c), r.URL.Query().Get("key"))
		return text(w, v)
	},
	"/login": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		s := sessions.Default(c)
		if err := s.Regenerate(); err != nil {
			return err
		}
		s.Set("user", "ada")
		return text(w, "welcome")
	},
	"/logout": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		if err := sessions.Default(c).Destroy(); err != nil {
			return err
		}
		return text(w, "bye")
	},
	"/clear": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		sessions.Default(c).Clear()
		return text(w, "empty")
	},
}

func text(w http.ResponseWriter, s string) error {
	_, err := io.WriteString(w, s)
	return err
}

// A reply is what a request was answered.
type reply struct {
	*http.Response
	body string
}

// do sends a request with raw Cookie lines and returns the reply.
func (s *site) do(r *http.Request, cookies ...string) reply {
	if len(cookies) > 0 {
		r.Header["Cookie"] = cookies
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	return reply{Response: w.Result(), body: w.Body.String()}
}

// get sends a GET with raw Cookie lines.
func (s *site) get(target string, cookies ...string) reply {
	return s.do(httptest.NewRequest("GET", target, nil), cookies...)
}

// visitor returns a new browser of the site.
func (s *site) visitor() *visitor { return &visitor{site: s, jar: make(map[string]string)} }

// A visitor is a browser, as far as names and values of cookies go.
type visitor struct {
	*site
	jar map[string]string
}

// get sends a GET with the browser's cookies and keeps those that come.
func (v *visitor) get(target string) reply {
	v.t.Helper()
	var pairs []string
	for name, value := range v.jar {
		pairs = append(pairs, name+"="+value)
	}
	var lines []string
	if pairs != nil {
		lines = []string{strings.Join(pairs, "; ")}
	}
	r := v.site.get(target, lines...)
	for _, c := range r.Cookies() {
		if c.MaxAge < 0 {
			delete(v.jar, c.Name)
		} else {
			v.jar[c.Name] = c.Value
		}
	}
	return r
}

// ok is get for a page that must work.
func (v *visitor) ok(target string) reply {
	v.t.Helper()
	r := v.get(target)
	if r.StatusCode != http.StatusOK {
		v.t.Fatalf("GET %s: status %d, body %q", target, r.StatusCode, r.body)
	}
	return r
}

// value returns what the visitor's session has under a key.
func (v *visitor) value(key string) string {
	v.t.Helper()
	return v.ok("/get?key=" + key).body
}

// cookie returns the cookie that a reply sets for a name, or nil. It fails
// when there is more than one.
func (r reply) cookie(t *testing.T, name string) *http.Cookie {
	t.Helper()
	var found *http.Cookie
	for _, c := range r.Cookies() {
		if c.Name != name {
			continue
		}
		if found != nil {
			t.Errorf("two Set-Cookie lines for %s: %q", name, r.Header["Set-Cookie"])
		}
		found = c
	}
	return found
}

// pair returns the session cookie as a browser sends it.
func (v *visitor) pair() string { return "session=" + v.jar["session"] }

// newManager returns a Manager on a memory store.
func newManager(t testing.TB, cfg sessions.Config) *sessions.Manager {
	t.Helper()
	if cfg.Backend == nil {
		cfg.Backend = newStore(t)
	}
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	if cfg.SweepInterval == 0 {
		cfg.SweepInterval = -1
	}
	m, err := sessions.NewManager(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// bare is the context of a framework that does nothing.
type bare struct{ x *sessions.Exchange }

func (bare) Param(string) string { return "" }
func (b bare) Value(any) any     { return b.x }

// serve answers a request by a handler, without a framework.
func serve(m *sessions.Manager, r *http.Request, h func(s *sessions.Session)) http.Header {
	x, header := &sessions.Exchange{}, make(http.Header)
	m.Begin(x, r, header, nil)
	h(sessions.Default(bare{x}))
	_ = x.Commit() // reports its error
	x.Finish()
	return header
}

// request returns a GET with a Cookie line.
func request(cookie string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return r
}

// id returns an ID that no store knows.
func id(n int) string { return fmt.Sprintf("%042dA", n) }
