// Package webtest checks the session middleware from the outside, over HTTP,
// in the same way for every framework. The tests of the adapters run it.
package webtest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
)

// A Handler is a route's handler, whatever the framework. It gets the
// framework's context, response writer and request.
type Handler func(c sessions.Context, w http.ResponseWriter, r *http.Request) error

// Routes are handlers by path, for all methods.
type Routes map[string]Handler

// A Framework makes an application in one framework.
type Framework struct {
	// Serve returns an application that recovers from panics, mounts the
	// session middleware for each of the sources, and has the routes. An
	// error that a handler returns becomes a response with status 500.
	Serve func(routes Routes, srcs ...sessions.Source) http.Handler
}

// Run runs all checks.
func Run(t *testing.T, f Framework) {
	for name, check := range map[string]func(*testing.T, Framework){
		"Life":     life,
		"Cookie":   cookie,
		"Commit":   commitPaths,
		"Parallel": parallel,
		"Failure":  failure,
		"HTTP2":    http2,
		"Cost":     cost,
	} {
		t.Run(name, func(t *testing.T) { check(t, f) })
	}
}

// A site is an application on a real listener.
type site struct {
	t   *testing.T
	srv *httptest.Server
}

func (f Framework) site(t *testing.T, routes Routes, srcs ...sessions.Source) *site {
	t.Helper()
	srv := httptest.NewServer(f.Serve(routes, srcs...))
	t.Cleanup(srv.Close)
	return &site{t: t, srv: srv}
}

// A browser keeps cookies and does not follow redirects.
type browser struct {
	t      *testing.T
	site   *site
	client *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	c := *s.srv.Client()
	c.Jar = jar
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{t: s.t, site: s, client: &c}
}

// A reply is a response with its body.
type reply struct {
	*http.Response
	body string
}

func (b *browser) do(method, path string, header ...string) reply {
	b.t.Helper()
	req, err := http.NewRequest(method, b.site.srv.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{Response: res, body: string(body)}
}

// get expects 200 and returns the reply.
func (b *browser) get(path string, header ...string) reply {
	b.t.Helper()
	r := b.do("GET", path, header...)
	if r.StatusCode != http.StatusOK {
		b.t.Fatalf("GET %s: status %d, body %q", path, r.StatusCode, r.body)
	}
	return r
}

// want checks the body of a GET.
func (b *browser) want(path, body string) reply {
	b.t.Helper()
	r := b.get(path)
	if r.body != body {
		b.t.Errorf("GET %s: body %q, want %q", path, r.body, body)
	}
	return r
}

// cookie returns the value of the browser's session cookie, or "".
func (b *browser) cookie() string {
	req, _ := http.NewRequest("GET", b.site.srv.URL, nil)
	for _, c := range b.client.Jar.Cookies(req.URL) {
		if c.Name == sessions.DefaultName {
			return c.Value
		}
	}
	return ""
}

// sent returns the session cookie that a response sets. It fails when there
// is more than one line for it.
func (b *browser) sent(r reply) *http.Cookie {
	b.t.Helper()
	var found *http.Cookie
	for _, c := range r.Cookies() {
		if strings.TrimPrefix(strings.TrimPrefix(c.Name, "__Host-"), "__Secure-") != sessions.DefaultName {
			continue
		}
		if found != nil {
			b.t.Errorf("two Set-Cookie lines for the session: %q", r.Header["Set-Cookie"])
		}
		found = c
	}
	return found
}

// noCookie checks that a response sets no session cookie.
func (b *browser) noCookie(r reply) {
	b.t.Helper()
	if c := b.sent(r); c != nil {
		b.t.Errorf("%s %s: sets the cookie %v; none was expected", r.Request.Method, r.Request.URL.Path, c)
	}
}

// text writes a body.
func text(w http.ResponseWriter, s string) error {
	_, err := io.WriteString(w, s)
	return err
}
