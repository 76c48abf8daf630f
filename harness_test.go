package sessions

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/memorybackend"
)

// A clock is moved by hand.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// A bench is a Manager on a memory backend that counts, without a framework.
type bench struct {
	t       *testing.T
	m       *Manager
	clock   *clock
	store   *counter
	cookies map[string]*http.Cookie
	errs    []error
}

type counter struct {
	*memorybackend.Backend
	loads, writes, touches, deletes int
}

func (c *counter) Load(ctx context.Context, key string) (backend.Record, error) {
	c.loads++
	return c.Backend.Load(ctx, key)
}

func (c *counter) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	c.writes++
	return c.Backend.Create(ctx, key, data, ttl)
}

func (c *counter) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	c.writes++
	return c.Backend.Update(ctx, key, data, ttl, base)
}

func (c *counter) Touch(ctx context.Context, key string, ttl time.Duration) error {
	c.touches++
	return c.Backend.Touch(ctx, key, ttl)
}

func (c *counter) Delete(ctx context.Context, key string, base backend.Revision) error {
	c.deletes++
	return c.Backend.Delete(ctx, key, base)
}

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	b := &bench{t: t, clock: &clock{}, cookies: make(map[string]*http.Cookie)}
	mem, err := memorybackend.New(memorybackend.Config{Now: b.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	b.store = &counter{Backend: mem}
	cfg.Backend = b.store
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.OnError = func(_ *http.Request, err error) { b.errs = append(b.errs, err) }
	cfg.SweepInterval = -1
	if b.m, err = NewManager(cfg); err != nil {
		t.Fatal(err)
	}
	b.m.now = b.clock.now
	return b
}

// request runs a handler as a request of a browser and returns the session
// cookie that the response sets, or nil.
func (b *bench) request(handler func(s *Session)) *http.Cookie {
	b.t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	x := &Exchange{}
	b.m.Begin(x, r, w.Header(), nil)
	handler(&x.session)
	_ = x.Commit() // reports its error
	x.Finish()
	var sent *http.Cookie
	for _, c := range w.Result().Cookies() {
		sent = c
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c
		}
	}
	return sent
}
