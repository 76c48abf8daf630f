//go:build linux

package faulttest

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/echosession"
	"github.com/go-session2/sessions/ginsession"
)

const (
	// timeout is the Config.Timeout of the applications.
	timeout = 500 * time.Millisecond
	// prompt is how soon they answer, whatever the store does. It is far
	// from timeout, as many tests share the processor, and less than the
	// timeouts of the stores' clients.
	prompt = 5 * timeout
	// patience is how long a test waits for what must happen at some time.
	patience = time.Minute
)

// A handler is a route's handler, whatever the framework.
type handler func(c sessions.Context, w http.ResponseWriter, r *http.Request)

// A framework serves handlers by path behind the session middleware.
type framework func(cfg sessions.Config, routes map[string]handler) (http.Handler, error)

func ginApp(cfg sessions.Config, routes map[string]handler) (http.Handler, error) {
	r := gin.New()
	if err := ginsession.Use(r, cfg); err != nil {
		return nil, err
	}
	for path, h := range routes {
		r.Any(path, func(c *gin.Context) { h(c, c.Writer, c.Request) })
	}
	return r, nil
}

func echoApp(cfg sessions.Config, routes map[string]handler) (http.Handler, error) {
	e := echo.New()
	if err := echosession.Use(e, cfg); err != nil {
		return nil, err
	}
	for path, h := range routes {
		e.Any(path, func(c echo.Context) error { h(c, c.Response(), c.Request()); return nil })
	}
	return e, nil
}

// A site is an application on a real listener.
type site struct {
	addr   string
	prefix string // of the store keys
	logs   *logs

	mu      sync.Mutex
	between func() // what the next handler does before it changes the session
	done    bool   // it was done
}

func newSite(t *testing.T, app framework, b backend.Backend, edit func(*sessions.Config)) *site {
	t.Helper()
	s := &site{prefix: "fault" + rand.Text(), logs: &logs{}}
	cfg := sessions.Config{
		Backend: b, Prefix: s.prefix, Timeout: timeout, Lifetime: 10 * time.Minute,
		RefreshInterval: sessions.RefreshNever, SweepInterval: -1,
		OnError: s.logs.add, Logger: slog.New(slog.NewTextHandler(s.logs, nil)),
	}
	if edit != nil {
		edit(&cfg)
	}
	h, err := app(cfg, map[string]handler{"/": untouched, "/get": get, "/do": s.do})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	s.addr = strings.TrimPrefix(srv.URL, "http://")
	t.Cleanup(func() { s.logs.check(t, s.prefix) })
	return s
}

func untouched(_ sessions.Context, w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, "untouched")
}

// get answers with the value of a key.
func get(c sessions.Context, w http.ResponseWriter, r *http.Request) {
	if v := sessions.Default(c).Get(r.FormValue("key")); v != nil {
		fmt.Fprint(w, v)
	}
}

// do reads the session if it is told to, does what the test wants to happen in
// between, changes the session, and answers.
func (s *site) do(c sessions.Context, w http.ResponseWriter, r *http.Request) {
	session := sessions.Default(c)
	if r.FormValue("load") != "" {
		session.Get("a")
		if session.Err() != nil {
			http.Error(w, "the load has failed", http.StatusBadGateway)
			return
		}
	}
	s.mu.Lock()
	if s.between != nil {
		s.between()
		s.between, s.done = nil, true
	}
	s.mu.Unlock()

	if r.FormValue("wait") != "" {
		<-r.Context().Done()
	}
	var err error
	switch r.FormValue("op") {
	case "set":
		session.Set(r.FormValue("key"), r.FormValue("value"))
	case "count":
		sessions.Update(session, "n", func(n int) int { return n + 1 })
	case "regenerate":
		err = session.Regenerate()
	case "destroy":
		err = session.Destroy()
	}
	// The handler does not mind err: the response is replaced all the same.
	if err != nil && !errors.Is(err, sessions.ErrUnavailable) && !errors.Is(err, sessions.ErrGone) {
		s.logs.add(r, fmt.Errorf("a handler got %w", err))
	}
	http.SetCookie(w, &http.Cookie{Name: "other", Value: "1"})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Etag", `"1"`)
	switch r.FormValue("answer") {
	case "flush":
		w.(http.Flusher).Flush()
	case "empty":
		w.WriteHeader(http.StatusNoContent)
		return
	case "redirect":
		http.Redirect(w, r, "/", http.StatusFound)
		return
	case "nothing":
		return
	default:
		w.WriteHeader(http.StatusCreated)
	}
	io.WriteString(w, "the handler's bytes")
}

// meanwhile has the next handler do something between load and save.
func (s *site) meanwhile(f func()) {
	s.mu.Lock()
	s.between, s.done = f, false
	s.mu.Unlock()
}

// happened tells whether that was done.
func (s *site) happened() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.between = nil
	return s.done
}

// logs is what the application has reported.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
	errs []error
	ids  []string // that may not be in it
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) add(_ *http.Request, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errs = append(l.errs, err)
}

// take returns what was reported since the last take.
func (l *logs) take() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	errs := l.errs
	l.errs = nil
	return errs
}

// check looks for secrets.
func (l *logs) check(t *testing.T, prefix string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, secret := range append(l.ids, prefix) {
		if strings.Contains(l.text.String(), secret) {
			t.Errorf("the log holds a session ID or a store key:\n%s", l.text.String())
			return
		}
	}
}

// A visitor is a browser of one person.
type visitor struct {
	t      *testing.T
	site   *site
	cookie string
}

func (s *site) visitor(t *testing.T) *visitor { return &visitor{t: t, site: s} }

// An answer is a whole response.
type answer struct {
	*http.Response
	body string
	sent *http.Cookie // for the session
	took time.Duration
}

func (v *visitor) get(path string) answer {
	v.t.Helper()
	return v.ask("GET", path)
}

// ask sends a request and reads all that comes until the server closes the
// connection: one response, and nothing else.
func (v *visitor) ask(method, path string) answer {
	v.t.Helper()
	start := time.Now()
	conn, err := net.Dial("tcp", v.site.addr)
	if err != nil {
		v.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(start.Add(patience))
	cookie := ""
	if v.cookie != "" {
		cookie = "Cookie: " + sessions.DefaultName + "=" + v.cookie + "\r\n"
	}
	if _, err := io.WriteString(conn, method+" "+path+" HTTP/1.1\r\nHost: site\r\n"+cookie+"Connection: close\r\n\r\n"); err != nil {
		v.t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		v.t.Fatalf("%s %s: %v", method, path, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatalf("%s %s: %v", method, path, err)
	}
	if more, _ := io.ReadAll(in); len(more) > 0 {
		v.t.Errorf("%s %s: %q after the response", method, path, more)
	}
	a := answer{Response: res, body: string(body), took: time.Since(start)}
	for _, c := range res.Cookies() {
		if c.Name != sessions.DefaultName {
			continue
		}
		if a.sent != nil {
			v.t.Errorf("%s %s: two session cookies: %q", method, path, res.Header["Set-Cookie"])
		}
		a.sent = c
	}
	if a.sent != nil {
		v.cookie = a.sent.Value
		v.site.logs.mu.Lock()
		v.site.logs.ids = append(v.site.logs.ids, a.sent.Value)
		v.site.logs.mu.Unlock()
	}
	return a
}

// try repeats a request until it is answered by one of the handlers, and
// returns the answer.
func (v *visitor) try(path string) answer {
	v.t.Helper()
	for start := time.Now(); ; {
		a := v.get(path)
		if a.StatusCode < 300 {
			return a
		}
		if time.Since(start) > patience {
			v.t.Fatalf("GET %s: still status %d, %q; reported: %v", path, a.StatusCode, a.body, v.site.logs.take())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// signIn makes a session with the value 1 under the key a.
func (s *site) signIn(t *testing.T) *visitor {
	t.Helper()
	v := s.visitor(t)
	v.try("/do?op=set&key=a&value=1")
	if v.cookie == "" {
		t.Fatal("a new visitor got no cookie")
	}
	return v
}

// want waits until a page says something.
func (v *visitor) want(path, body string) {
	v.t.Helper()
	if a := v.try(path); a.body != body || a.sent != nil {
		v.t.Errorf("GET %s: %q, cookie %v; want %q and no cookie", path, a.body, a.sent, body)
	}
}

// refused checks that an answer is one clean and prompt 503.
func (v *visitor) refused(what string, a answer) {
	v.t.Helper()
	body := "Service Unavailable\n"
	if a.Request.Method == "HEAD" {
		body = ""
	}
	if a.StatusCode != http.StatusServiceUnavailable || a.body != body {
		v.t.Errorf("%s: status %d, body %q; want 503 and the default body", what, a.StatusCode, a.body)
	}
	if h := a.Header; h["Set-Cookie"] != nil || h["Etag"] != nil || h["Location"] != nil ||
		h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "text/plain; charset=utf-8" {
		v.t.Errorf("%s: header %v", what, h)
	}
	v.prompt(what, a)
	errs := v.site.logs.take()
	if len(errs) == 0 {
		v.t.Errorf("%s: nothing was reported", what)
	}
	for _, err := range errs {
		if !errors.Is(err, sessions.ErrUnavailable) {
			v.t.Errorf("%s: reported as %v", what, err)
		}
	}
}

func (v *visitor) prompt(what string, a answer) {
	v.t.Helper()
	if a.took > prompt {
		v.t.Errorf("%s: answered after %v, with a Timeout of %v", what, a.took, timeout)
	}
}
