package leaktest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/ginsession"
)

func init() { gin.SetMode(gin.ReleaseMode) }

// What the visitors' sessions hold: keys, names of fields and values.
const (
	secretKey   = "favourite-colour"
	secretValue = "ultramarine-s3cret"
	secretField = "CreditCardNumber"
	secretCard  = "4000-s3cret-1234"
	secretFlash = "flash-s3cret-message"
	secretUser  = "ada-s3cret-lovelace"
	secretBig   = "big-s3cret-value"
)

type purse struct{ CreditCardNumber string }

// stubborn is a type whose error quotes its value.
type stubborn struct{ text string }

func (s stubborn) MarshalText() ([]byte, error) {
	return nil, fmt.Errorf("cannot marshal %q", s.text)
}

func (s *stubborn) UnmarshalText([]byte) error { return errors.ErrUnsupported }

func plaintext() (list []needle) {
	for _, s := range []string{secretKey, secretValue, secretField, secretCard, secretFlash, secretUser} {
		list = append(list, newNeedle(s, []byte(s)))
	}
	return list
}

// A journal is all that the library logs and reports.
type journal struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	causes bytes.Buffer // what the errors wrap, which may quote the program's own values
	errors []error
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) bytes() []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	return bytes.Clone(j.buf.Bytes())
}

// record writes an error as careless programs do.
func (j *journal) record(r *http.Request, err error) {
	fmt.Fprintf(j, "%v\n%+v\n%#v\n", err, err, err)
	slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug})).
		Error("error", "error", err, "session", sessionOf(r))
	j.mu.Lock()
	j.errors = append(j.errors, err)
	j.unwrap(err)
	j.mu.Unlock()
}

func (j *journal) unwrap(err error) {
	fmt.Fprintf(&j.causes, "%v\n%+v\n%#v\n", err, err, err)
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		if cause := err.Unwrap(); cause != nil {
			j.unwrap(cause)
		}
	case interface{ Unwrap() []error }:
		for _, cause := range err.Unwrap() {
			j.unwrap(cause)
		}
	}
}

// take returns the errors so far and forgets them.
func (j *journal) take() []error {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := j.errors
	j.errors = nil
	return list
}

type sessionKey struct{}

func sessionOf(r *http.Request) *sessions.Session {
	s, _ := r.Context().Value(sessionKey{}).(*sessions.Session)
	return s
}

// spy is a Backend that remembers the keys that were created.
type spy struct {
	backend.Backend
	mu      sync.Mutex
	created []string
}

func (s *spy) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	s.mu.Lock()
	s.created = append(s.created, key)
	s.mu.Unlock()
	return s.Backend.Create(ctx, key, data, ttl)
}

// damage changes the data of the record that was created last.
func (s *spy) damage(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	key := s.created[len(s.created)-1]
	rec, err := s.Load(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Clone(rec.Data)
	data[len(data)-1] ^= 0xFF
	if _, err := s.Update(ctx, key, data, time.Hour, rec.Revision); err != nil {
		t.Fatal(err)
	}
}

// A visit is one run of the scenario: a site, and a browser that keeps one
// cookie and never forgets what it has seen.
type visit struct {
	t       *testing.T
	journal *journal
	store   *spy
	cookie  string // the name
	value   string // the browser's cookie
	cookies map[string]bool
	hostile []string // what strangers have sent
}

// site returns a Gin application on a Config.
func (v *visit) site(cfg sessions.Config) http.Handler {
	m, err := sessions.NewManager(cfg)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { m.Close() })
	r := gin.New()
	r.Use(gin.CustomRecoveryWithWriter(v.journal, func(c *gin.Context, _ any) { c.AbortWithStatus(http.StatusInternalServerError) }))
	r.Use(ginsession.New(m))
	r.Use(func(c *gin.Context) {
		s := sessions.Default(c)
		c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), sessionKey{}, s))
		slog.New(slog.NewTextHandler(v.journal, nil)).Info("request", "session", s, "manager", m, "config", cfg)
		c.Next()
	})
	on := func(path string, do func(s *sessions.Session, c *gin.Context)) {
		r.GET(path, func(c *gin.Context) { do(sessions.Default(c), c) })
	}
	on("/fill", func(s *sessions.Session, _ *gin.Context) {
		s.Set(secretKey, secretValue)
		s.Set("purse", purse{secretCard})
		s.AddFlash(secretFlash)
		sessions.Update(s, "visits", func(n int) int { return n + 1 })
	})
	on("/read", func(s *sessions.Session, c *gin.Context) {
		c.String(http.StatusOK, "%v", s.Get(secretKey))
	})
	on("/flashes", func(s *sessions.Session, _ *gin.Context) { s.Flashes() })
	on("/login", func(s *sessions.Session, _ *gin.Context) {
		s.Set("user", secretUser)
		v.note(s.Regenerate())
	})
	on("/logout", func(s *sessions.Session, _ *gin.Context) { v.note(s.Destroy()) })
	on("/large", func(s *sessions.Session, _ *gin.Context) { s.Set(secretKey, strings.Repeat(secretBig, 10_000)) })
	on("/function", func(s *sessions.Session, _ *gin.Context) { s.Set(secretKey, func() {}) })
	on("/stubborn", func(s *sessions.Session, _ *gin.Context) { s.Set(secretKey, stubborn{secretValue}) })
	on("/mistype", func(s *sessions.Session, _ *gin.Context) {
		sessions.Value[int](s, secretKey)
		v.note(s.Err())
		sessions.Update(s, secretKey, func(n int) int { return n })
	})
	on("/late", func(s *sessions.Session, c *gin.Context) {
		c.String(http.StatusOK, "sent")
		s.Set(secretKey, secretValue)
	})
	on("/gone", func(s *sessions.Session, c *gin.Context) {
		s.Get(secretKey)
		v.get(r, "/logout", c.GetHeader("Cookie"))
		s.Set(secretKey, secretValue+" again")
	})
	on("/panic", func(s *sessions.Session, _ *gin.Context) {
		s.Set(secretKey, secretValue)
		panic(fmt.Sprintf("%+v", s))
	})
	return r
}

// note records an error that a handler got.
func (v *visit) note(err error) {
	if err != nil {
		v.journal.record(httptest.NewRequest("GET", "/", nil), err)
	}
}

// get sends a request with a Cookie header.
func (v *visit) get(site http.Handler, path, cookie string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.Value != "" {
			v.cookies[c.Value] = true
		}
	}
	return w
}

// browse sends a request of the browser, and checks the errors that it makes.
func (v *visit) browse(site http.Handler, path string, want ...error) {
	v.t.Helper()
	cookie := ""
	if v.value != "" {
		cookie = v.cookie + "=" + v.value
	}
	for _, c := range v.get(site, path, cookie).Result().Cookies() {
		v.value = c.Value
	}
	got := v.journal.take()
	ok := len(got) == len(want)
	for i := range want {
		ok = ok && errors.Is(got[i], want[i])
	}
	if !ok {
		v.t.Errorf("%s: errors %v, want %v", path, got, want)
	}
}

// run goes through what can happen to a session.
func (v *visit) run(cfg sessions.Config, down backend.Backend) {
	site := v.site(cfg)
	for _, path := range []string{"/read", "/fill", "/fill", "/read", "/login", "/read", "/fill", "/flashes", "/fill"} {
		v.browse(site, path)
	}
	v.browse(site, "/large", sessions.ErrTooLarge)
	v.browse(site, "/function", sessions.ErrValue)
	v.browse(site, "/stubborn", sessions.ErrValue)
	v.browse(site, "/mistype", sessions.ErrValue, sessions.ErrValue)
	v.browse(site, "/panic")
	v.browse(site, "/late") // the browser has its cookie: saved

	if down != nil {
		broken := cfg
		broken.Backend, broken.Timeout = down, 200*time.Millisecond
		out := v.site(broken)
		v.browse(out, "/read", sessions.ErrUnavailable)
		v.browse(out, "/fill", sessions.ErrUnavailable)
		v.browse(out, "/logout", sessions.ErrUnavailable, sessions.ErrUnavailable)
		kept := v.value
		v.value = ""
		v.browse(out, "/fill", sessions.ErrUnavailable)
		v.value = kept
		v.browse(site, "/read")
	}
	v.strangers(site)

	// The last one stays in the store for the dump, as it is.
	v.browse(site, "/gone", sessions.ErrGone)
	v.value = ""
	v.browse(site, "/late", sessions.ErrCommitted)
	v.browse(site, "/fill")
	v.store.damage(v.t)
	v.browse(site, "/read", sessions.ErrCorrupt)
	v.browse(site, "/fill", sessions.ErrCorrupt)
	v.browse(site, "/logout")
	v.value = ""
	v.browse(site, "/fill")
	v.browse(site, "/login")
}

// strangers sends cookies that nobody has issued.
func (v *visit) strangers(site http.Handler) {
	v.t.Helper()
	unknown := make([]byte, 32)
	_, _ = rand.Read(unknown)
	id := base64.RawURLEncoding.EncodeToString(unknown)
	sent := []string{id, id + ".", id + "." + id, id + id}
	for _, mark := range []string{"../../etc/%s", "%s\x00", "%s'; DROP TABLE sessions;--", `{"$gt":"%s"}`, "*%s*", "%s\xff\xfe"} {
		sent = append(sent, fmt.Sprintf(mark, "stranger-"+rand.Text()))
	}
	sent = append(sent, strings.Repeat("stranger", 10_000))
	for _, value := range sent {
		for _, path := range []string{"/read", "/fill", "/login", "/logout"} {
			v.get(site, path, v.cookie+"="+value)
		}
	}
	if errs := v.journal.take(); errs != nil {
		v.t.Errorf("strangers: %v", errs)
	}
	v.hostile = append(v.hostile, sent...)
}
