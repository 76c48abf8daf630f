package webtest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/internal/testenv"
)

// failure checks what a visitor gets when the store fails: never another
// session, never a false success, and the old session when it is back.
func failure(t *testing.T, f Framework) {
	var p *probe
	routes := Routes{
		"/fill": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error { // down between load and save
			s := sessions.Default(c)
			s.Get("a")
			p.down.Store(true)
			s.Set("b", "2")
			http.SetCookie(w, &http.Cookie{Name: "other", Value: "1"})
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Etag", `"1"`)
			w.WriteHeader(http.StatusCreated)
			if err := text(w, "the handler's bytes"); err == nil {
				t.Error("the handler is not told that its response was replaced")
			}
			return nil
		},
		"/decide": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			if err := sessions.Default(c).Err(); !errors.Is(err, sessions.ErrUnavailable) {
				t.Errorf("Err() = %v", err)
			}
			return text(w, "without a session")
		},
		"/large": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			sessions.Default(c).Set("a", strings.Repeat("x", 2<<20))
			return text(w, "saved")
		},
		"/channel": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			sessions.Default(c).Set("a", make(chan int))
			return text(w, "saved")
		},
	}
	for path, h := range shop {
		routes[path] = h
	}
	start := func(t *testing.T, cfg sessions.Config) *browser {
		p = newProbe(memory(t))
		cfg.Backend, cfg.Logger = p, quiet
		b := f.site(t, routes, cfg).browser()
		b.get("/set?a=1")
		return b
	}
	refused := func(t *testing.T, b *browser, r reply) {
		t.Helper()
		if r.StatusCode != http.StatusServiceUnavailable || r.body != "Service Unavailable\n" {
			t.Errorf("status %d, body %q", r.StatusCode, r.body)
		}
		if len(r.Cookies()) != 0 || r.Header.Get("Etag") != "" || r.Header.Get("Cache-Control") != "no-store" ||
			!strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("header %v", r.Header)
		}
	}

	t.Run("down at load", func(t *testing.T) {
		b := start(t, sessions.Config{})
		before := b.cookie()
		p.down.Store(true)
		b.want("/", "untouched")
		for _, path := range []string{"/get?key=a", "/set?b=2", "/count", "/delete?key=a", "/flashes", "/id", "/login", "/logout"} {
			r := b.do("GET", path)
			if path != "/login" && path != "/logout" { // these return the error, and Echo and Gin answer it
				refused(t, b, r)
			} else if r.StatusCode < 500 {
				t.Errorf("%s: status %d", path, r.StatusCode)
			}
			b.noCookie(r)
		}
		p.down.Store(false)
		if b.cookie() != before {
			t.Error("the cookie changed")
		}
		b.want("/get?key=a", "1")
		b.want("/get?key=b", "")
	})
	t.Run("down at save", func(t *testing.T) {
		b := start(t, sessions.Config{})
		refused(t, b, b.do("GET", "/fill"))
		p.down.Store(false)
		b.want("/get?key=a", "1")
		b.want("/get?key=b", "")
	})
	t.Run("down for a new visitor", func(t *testing.T) {
		b := start(t, sessions.Config{})
		p.down.Store(true)
		refused(t, b, b.site.browser().do("GET", "/set?a=1"))
	})
	t.Run("the handler decides", func(t *testing.T) {
		b := start(t, sessions.Config{})
		p.down.Store(true)
		b.noCookie(b.want("/decide", "without a session"))
	})
	t.Run("FailOpen", func(t *testing.T) {
		var mu sync.Mutex
		reports := 0
		b := start(t, sessions.Config{FailOpen: true, OnError: func(*http.Request, error) {
			mu.Lock()
			reports++
			mu.Unlock()
		}})
		p.down.Store(true)
		b.noCookie(b.want("/set?a=2", "set"))
		mu.Lock()
		if reports == 0 {
			t.Error("nothing was reported")
		}
		mu.Unlock()
		p.down.Store(false)
		b.want("/get?key=a", "1")
	})
	t.Run("ErrorHandler", func(t *testing.T) {
		b := start(t, sessions.Config{ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if !errors.Is(err, sessions.ErrUnavailable) {
				t.Errorf("error %v", err)
			}
			w.WriteHeader(http.StatusTeapot)
			_ = text(w, "tea")
		}})
		p.down.Store(true)
		if r := b.do("GET", "/get?key=a"); r.StatusCode != http.StatusTeapot || r.body != "tea" {
			t.Errorf("status %d, body %q", r.StatusCode, r.body)
		}
	})
	t.Run("unsuitable values", func(t *testing.T) {
		b := start(t, sessions.Config{})
		for _, path := range []string{"/large", "/channel"} {
			refused(t, b, b.do("GET", path))
			b.want("/get?key=a", "1")
		}
	})
	t.Run("corrupt record", func(t *testing.T) {
		b := start(t, sessions.Config{})
		key, before := p.rows()[0], b.cookie()
		rec, err := p.Backend.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		damaged := append([]byte(nil), rec.Data...)
		damaged[len(damaged)-1] ^= 1
		if _, err := p.Backend.Update(t.Context(), key, damaged, time.Hour, rec.Revision); err != nil {
			t.Fatal(err)
		}
		b.want("/get?key=a", "")
		b.get("/set?a=2")
		if b.cookie() == before {
			t.Error("the damaged session's ID is used again")
		}
		b.want("/get?key=a", "2")
		if rec, err := p.Backend.Load(t.Context(), key); err != nil || string(rec.Data) != string(damaged) {
			t.Error("the evidence was overwritten")
		}
	})
	t.Run("another session's record", func(t *testing.T) {
		b := start(t, sessions.Config{})
		alice := p.rows()[0]
		rec, err := p.Backend.Load(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		other := b.site.browser()
		other.get("/set?a=bob")
		for _, key := range p.rows() {
			if key == alice {
				continue
			}
			bob, err := p.Backend.Load(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Backend.Update(t.Context(), key, rec.Data, time.Hour, bob.Revision); err != nil {
				t.Fatal(err)
			}
		}
		other.want("/get?key=a", "")
	})
	t.Run("client gone before the save", func(t *testing.T) {
		b := start(t, sessions.Config{})
		entered, resume, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		routes := Routes{"/slow": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
			s := sessions.Default(c)
			s.Get("a")
			close(entered)
			<-resume
			<-r.Context().Done()
			s.Set("b", "2")
			defer close(done)
			_ = text(w, "unseen")
			return nil
		}}
		s := f.site(t, routes, sessions.Config{Backend: p, Logger: quiet})
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.srv.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "GET /slow HTTP/1.1\r\nHost: x\r\nCookie: session="+b.cookie()+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-entered
		conn.Close()
		close(resume)
		<-done
		b.want("/get?key=b", "2")
	})
	t.Run("down after Regenerate", func(t *testing.T) {
		b := start(t, sessions.Config{})
		routes := Routes{"/half": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			s := sessions.Default(c)
			if err := s.Regenerate(); err != nil {
				return err
			}
			p.down.Store(true)
			s.Set("user", "ada")
			return text(w, "welcome")
		}, "/get": shop["/get"]}
		two := f.site(t, routes, sessions.Config{Backend: p, Logger: quiet}).browser()
		r := two.do("GET", "/half", "Cookie", "session="+b.cookie())
		if r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("status %d", r.StatusCode)
		}
		p.down.Store(false) // the old ID is dead, so the browser must have the new one
		two.want("/get?key=a", "1")
		two.want("/get?key=user", "")
	})
	t.Run("one of two stores down", func(t *testing.T) {
		for _, failing := range []int{0, 1} {
			probes := []*probe{newProbe(memory(t)), newProbe(memory(t))}
			probes[failing].down.Store(true)
			routes := Routes{"/both": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
				sessions.Named(c, "session").Set("a", 1)
				sessions.Named(c, "admin").Set("a", 1)
				return text(w, "both")
			}}
			b := f.site(t, routes, sessions.Config{Backend: probes[0], Logger: quiet}, sessions.Config{Backend: probes[1], Name: "admin", Logger: quiet}).browser()
			r := b.do("GET", "/both")
			if r.StatusCode != http.StatusServiceUnavailable || r.body != "Service Unavailable\n" {
				t.Errorf("status %d, body %q", r.StatusCode, r.body)
			}
			rows := len(probes[1-failing].rows())
			if c := r.Cookies(); len(c) != rows || rows == 1 && c[0].Name != []string{"admin", "session"}[failing] {
				t.Errorf("cookies %v for %d rows", c, rows)
			}
		}
	})
	t.Run("Redis", func(t *testing.T) { redisOutage(t, f) })
}

// redisOutage cuts the connection to a real Redis server and restores it.
func redisOutage(t *testing.T, f Framework) {
	link := newLink(t, testenv.Need(t, "REDIS_ADDR"))
	client := redis.NewClient(&redis.Options{Addr: link.addr, MaxRetries: 1, DialTimeout: time.Second, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	b := f.site(t, shop, sessions.Config{Backend: redisbackend.New(client), Logger: quiet, Timeout: 2 * time.Second}).browser()
	b.get("/set?a=1")
	before := b.cookie()
	link.cut()
	b.want("/", "untouched")
	for _, path := range []string{"/get?key=a", "/set?a=2"} {
		r := b.do("GET", path)
		if r.StatusCode != http.StatusServiceUnavailable || r.body != "Service Unavailable\n" {
			t.Errorf("status %d, body %q", r.StatusCode, r.body)
		}
		b.noCookie(r)
	}
	link.restore(t)
	if b.cookie() != before {
		t.Error("the cookie changed")
	}
	b.want("/get?key=a", "1")
}
