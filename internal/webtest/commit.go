package webtest

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-session2/sessions"
)

// quiet is a logger for checks that provoke failures.
var quiet = slog.New(slog.DiscardHandler)

// errHandler is an error of a handler.
var errHandler = errors.New("handler failed")

// commitPaths checks that the session is saved and its cookie sent on every
// way that a response can take, and only then.
func commitPaths(t *testing.T, f Framework) {
	set := func(c sessions.Context) { sessions.Default(c).Set("path", "taken") }
	unwrap := func(w http.ResponseWriter) *http.ResponseController { return http.NewResponseController(w) }
	big := strings.Repeat("x", 100_000)

	for name, path := range map[string]struct {
		handler Handler
		method  string
		status  int
		body    string
	}{
		"Write": {func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			set(c)
			return text(w, "body")
		}, "GET", 200, "body"},
		"WriteHeader, then Write": {func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			set(c)
			w.WriteHeader(http.StatusCreated)
			return text(w, "body")
		}, "POST", 201, "body"},
		"many writes": {func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			set(c)
			for range 10 {
				if err := text(w, "x"); err != nil {
					return err
				}
			}
			return nil
		}, "GET", 200, "xxxxxxxxxx"},
		"ReadFrom": {func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			set(c)
			_, err := io.Copy(w, strings.NewReader(big))
			return err
		}, "GET", 200, big},
		"ServeContent": {func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
			set(c)
			http.ServeContent(w, r, "x.txt", time.Time{}, strings.NewReader(big))
			return nil
		}, "GET", 200, big},
		"Content-Length": {func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			set(c)
			w.Header().Set("Content-Length", "4")
			return text(w, "body")
		}, "GET", 200, "body"},
		"Flush first": {func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			set(c)
			w.(http.Flusher).Flush()
			return text(w, "body")
		}, "GET", 200, "body"},
		"Flush by ResponseController": {func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			set(c)
			if err := unwrap(w).Flush(); err != nil {
				return err
			}
			return text(w, "body")
		}, "GET", 200, "body"},
		"deadline by ResponseController": {func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			set(c)
			if err := unwrap(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				return err
			}
			return text(w, "body")
		}, "GET", 200, "body"},
		"redirect": {func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
			set(c)
			http.Redirect(w, r, "/elsewhere", http.StatusSeeOther)
			return nil
		}, "POST", 303, ""},
		"204": {func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			set(c)
			w.WriteHeader(http.StatusNoContent)
			return nil
		}, "GET", 204, ""},
		"304": {func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			set(c)
			w.WriteHeader(http.StatusNotModified)
			return nil
		}, "GET", 304, ""},
		"HEAD": {func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			set(c)
			return text(w, "body")
		}, "HEAD", 200, ""},
		"HEAD, empty": {func(c sessions.Context, _ http.ResponseWriter, _ *http.Request) error {
			set(c)
			return nil
		}, "HEAD", 200, ""},
		"empty": {func(c sessions.Context, _ http.ResponseWriter, _ *http.Request) error {
			set(c)
			return nil
		}, "GET", 200, ""},
		"error": {func(c sessions.Context, _ http.ResponseWriter, _ *http.Request) error {
			set(c)
			return errHandler
		}, "GET", 500, "*"},
		"explicit Save": {func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			set(c)
			s := sessions.Default(c)
			if err := errors.Join(s.Save(), s.Save()); err != nil {
				return err
			}
			if lines := w.Header()["Set-Cookie"]; len(lines) != 1 {
				return fmt.Errorf("%d Set-Cookie lines after Save", len(lines))
			}
			return text(w, "body")
		}, "GET", 200, "body"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProbe(memory(t))
			routes := Routes{"/path": path.handler, "/get": shop["/get"]}
			b := f.site(t, routes, sessions.Config{Backend: p}).browser()
			r := b.do(path.method, "/path")
			if r.StatusCode != path.status || (path.body != "*" && r.body != path.body) {
				t.Errorf("status %d, %d bytes of body", r.StatusCode, len(r.body))
			}
			if b.sent(r) == nil {
				t.Error("the cookie is missing")
			}
			if n := p.calls.Load(); n != 1 {
				t.Errorf("%d store calls, want one", n)
			}
			if r := b.get("/get?key=path"); r.body != "taken" {
				t.Error("the change was not saved")
			}
		})
	}

	t.Run("saved before the redirect arrives", func(t *testing.T) {
		routes := Routes{"/go": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
			set(c)
			http.Redirect(w, r, "/get?key=path", http.StatusFound)
			return nil
		}, "/get": shop["/get"]}
		b := f.site(t, routes, sessions.Config{Backend: memory(t)}).browser()
		b.client.CheckRedirect = nil
		for range 20 {
			b.want("/go", "taken")
		}
	})
	t.Run("103 first", func(t *testing.T) { informational(t, f) })
	t.Run("Hijack", func(t *testing.T) { hijack(t, f) })
	t.Run("panic", func(t *testing.T) { panics(t, f) })
	t.Run("after the first byte", func(t *testing.T) { late(t, f) })
	t.Run("after the request", func(t *testing.T) { outlives(t, f) })
}

// informational checks that an interim response neither commits nor has the
// cookie, not even when it was put into the header by Save.
func informational(t *testing.T, f Framework) {
	routes := Routes{"/hints": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
		s := sessions.Default(c)
		if r.URL.Query().Has("save") {
			s.Set("early", "1")
			if err := s.Save(); err != nil {
				return err
			}
		}
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		if now, ok := w.(interface{ WriteHeaderNow() }); ok {
			now.WriteHeaderNow() // Gin sends no header before
		}
		w.Header().Del("Link")
		s.Set("path", "taken")
		return text(w, "body")
	}, "/get": shop["/get"]}
	for _, path := range []string{"/hints", "/hints?save"} {
		b := f.site(t, routes, sessions.Config{Backend: memory(t)}).browser()
		hints := 0
		req, _ := http.NewRequest("GET", b.site.srv.URL+path, nil)
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				hints++
				if len(h["Set-Cookie"]) > 0 {
					t.Errorf("%s: the %d response has the cookie", path, code)
				}
				return nil
			},
		}))
		res, err := b.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if hints != 1 || res.StatusCode != 200 || b.sent(reply{Response: res}) == nil {
			t.Errorf("%s: %d hints, status %d, cookies %v", path, hints, res.StatusCode, res.Cookies())
		}
		b.want("/get?key=path", "taken")
	}
}

// hijack checks that the session is saved before the connection is handed
// over, and that its cookie is in the header for the handler to send.
func hijack(t *testing.T, f Framework) {
	routes := Routes{"/ws": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		s := sessions.Default(c)
		s.Set("path", "taken")
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return err
		}
		defer conn.Close()
		s.Set("later", "yes") // the browser has the ID
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n")
		if err := w.Header().Write(rw); err != nil {
			return err
		}
		fmt.Fprintf(rw, "\r\n")
		return rw.Flush()
	}, "/get": shop["/get"]}
	b := f.site(t, routes, sessions.Config{Backend: memory(t)}).browser()
	r := b.do("GET", "/ws", "Connection", "Upgrade", "Upgrade", "test")
	if r.StatusCode != http.StatusSwitchingProtocols || b.sent(r) == nil {
		t.Errorf("status %d, cookies %v", r.StatusCode, r.Cookies())
	}
	b.want("/get?key=path", "taken")
	eventually(t, "the change after the hijack is saved", func() bool { return b.get("/get?key=later").body == "yes" })
}

// panics checks that a panic saves nothing, except what was saved before.
func panics(t *testing.T, f Framework) {
	routes := Routes{
		"/panic": func(c sessions.Context, _ http.ResponseWriter, _ *http.Request) error {
			sessions.Default(c).Set("path", "taken")
			panic("handler is broken")
		},
		"/login": func(c sessions.Context, _ http.ResponseWriter, _ *http.Request) error {
			if err := sessions.Default(c).Regenerate(); err != nil {
				return err
			}
			sessions.Default(c).Set("path", "taken")
			panic("handler is broken")
		},
		"/get": shop["/get"], "/set": shop["/set"],
	}
	p := newProbe(memory(t))
	b := f.site(t, routes, sessions.Config{Backend: p}).browser()
	r := b.do("GET", "/panic")
	if r.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d", r.StatusCode)
	}
	b.noCookie(r)
	if n := p.calls.Load(); n != 0 {
		t.Errorf("%d store calls", n)
	}
	b.get("/set?a=1")
	b.noCookie(b.do("GET", "/panic"))
	b.want("/get?key=path", "")
	// The old ID is dead by then, so the browser must learn the new one.
	if r := b.do("GET", "/login"); b.sent(r) == nil {
		t.Error("the cookie of a regenerated session is lost by a panic")
	}
	b.want("/get?key=a", "1")
	b.want("/get?key=path", "")
}

// late checks changes after the first byte of the response.
func late(t *testing.T, f Framework) {
	var mu sync.Mutex
	var errs []error
	routes := Routes{"/late": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		if err := text(w, "body"); err != nil {
			return err
		}
		s := sessions.Default(c)
		s.Set("late", "yes")
		if err := s.Regenerate(); !errors.Is(err, sessions.ErrCommitted) && !s.IsNew() {
			t.Errorf("Regenerate after the first byte: %v", err)
		}
		return nil
	}, "/set": shop["/set"], "/get": shop["/get"]}
	p := newProbe(memory(t))
	b := f.site(t, routes, sessions.Config{Backend: p, Logger: quiet, OnError: func(_ *http.Request, err error) {
		mu.Lock()
		errs = append(errs, err)
		mu.Unlock()
	}}).browser()

	b.noCookie(b.get("/late"))
	eventually(t, "a change that cannot be saved is reported", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(errs) == 1 && errors.Is(errs[0], sessions.ErrCommitted)
	})
	if n := len(p.rows()); n != 0 {
		t.Errorf("%d rows for a browser that knows no ID", n)
	}
	b.get("/set?a=1")
	b.noCookie(b.get("/late"))
	eventually(t, "a late change is saved when the browser has the ID", func() bool { return b.get("/get?key=late").body == "yes" })
	mu.Lock()
	defer mu.Unlock()
	if len(errs) != 1 {
		t.Errorf("reported: %v", errs)
	}
}

// outlives checks goroutines that go on using the session after the request.
func outlives(t *testing.T, f Framework) {
	const requests = 50
	release, reported := make(chan struct{}), make(chan error, 10*requests)
	var wg sync.WaitGroup
	routes := Routes{"/start": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
		s := sessions.Default(c)
		s.Set("mine", r.URL.Query().Get("n"))
		wg.Go(func() {
			<-release
			s.Set("mine", "overwritten")
			s.Get("mine")
			sessions.Update(s, "n", func(n int) int { return n + 1 })
			if err := s.Save(); err == nil && s.Get("mine") == "overwritten" {
				t.Error("a change after the request was taken")
			}
		})
		return text(w, "started")
	}, "/get": shop["/get"]}
	s := f.site(t, routes, sessions.Config{Backend: memory(t), Logger: quiet, OnError: func(_ *http.Request, err error) { reported <- err }})
	browsers := make([]*browser, requests)
	for i := range browsers {
		browsers[i] = s.browser()
		browsers[i].get(fmt.Sprintf("/start?n=%d", i))
	}
	close(release)
	for _, b := range browsers {
		b.get("/get?key=mine") // meanwhile the framework uses its contexts again
	}
	wg.Wait()
	for i, b := range browsers {
		b.want("/get?key=mine", fmt.Sprint(i))
	}
	if len(reported) != 2*requests {
		t.Errorf("%d reports of %d late changes", len(reported), 2*requests)
	}
}

// http2 checks parallel streams of one connection, on one session.
func http2(t *testing.T, f Framework) {
	srv := httptest.NewUnstartedServer(f.Serve(shop, sessions.Config{Backend: memory(t)}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	b := (&site{t: t, srv: srv}).browser()
	if r := b.get("/set?a=1"); r.ProtoMajor != 2 || !b.sent(r).Secure {
		t.Fatalf("HTTP/%d, cookies %v", r.ProtoMajor, r.Cookies())
	}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() { b.get(fmt.Sprintf("/set?k%d=1", i)) })
		wg.Go(func() { b.get("/count") })
	}
	wg.Wait()
	b.want("/keys", "52")
	b.want("/count", "51")
}

// eventually waits until a condition holds, which it must soon.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("never: %s", what)
}
