package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
)

// A site is a library at work, with a Redis that can be cut off.
type site struct {
	t        *testing.T
	url      string
	store    *cable
	redis    *redis.Client // to the store itself
	prefix   string
	reported atomic.Int64
}

func newSite(t *testing.T, lib library, redisAddr string, serve handler) *site {
	t.Helper()
	s := &site{t: t, store: newCable(t, redisAddr), redis: newRedis(place{redis: redisAddr}), prefix: newPrefix("guarantees")}
	h, done, err := lib.build(s.store.addr, s.prefix, serve, func() { s.reported.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	s.url = server.URL
	t.Cleanup(func() {
		server.Close()
		done()
		if err := removeKeys(place{redis: redisAddr, prefix: s.prefix}); err != nil {
			t.Error(err)
		}
		_ = s.redis.Close()
	})
	return s
}

// keys returns the store's keys without the prefix.
func (s *site) keys() (keys []string) {
	s.t.Helper()
	all, err := s.redis.Keys(context.Background(), s.prefix+"*").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, key := range all {
		keys = append(keys, strings.TrimPrefix(key, s.prefix))
	}
	return keys
}

// A browser keeps the session cookie. A copy is another one with the same
// cookie.
type browser struct {
	s      *site
	cookie *http.Cookie
}

func (s *site) browser() browser { return browser{s: s} }

// get asks for a page and returns the answer's status and body.
func (b *browser) get(page string) (int, string) {
	b.s.t.Helper()
	r, err := http.NewRequestWithContext(b.s.t.Context(), http.MethodGet, b.s.url+"/"+page, nil)
	if err != nil {
		b.s.t.Error(err)
		return 0, ""
	}
	if b.cookie != nil {
		r.AddCookie(&http.Cookie{Name: b.cookie.Name, Value: b.cookie.Value})
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.s.t.Error(err)
		return 0, ""
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.s.t.Error(err)
	}
	for _, c := range answer.Cookies() {
		if c.Name == cookieName {
			b.cookie = c
			if c.MaxAge < 0 || c.Value == "" {
				b.cookie = nil
			}
		}
	}
	return answer.StatusCode, string(body)
}

// shows tells whether a page is exactly a text.
func (b *browser) shows(page, text string) bool {
	b.s.t.Helper()
	status, body := b.get(page)
	return status == http.StatusOK && body == text
}

// A cable leads to a Redis server.
type cable struct {
	addr  string
	sent  atomic.Int64 // bytes, to the server
	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{addr: l.Addr().String(), conns: map[net.Conn]bool{}}
	t.Cleanup(func() { l.Close(); c.setCut(true) })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(in, to)
		}
	}()
	return c
}

func (c *cable) carry(in net.Conn, to string) {
	defer in.Close()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	c.mu.Lock()
	if c.cut {
		c.mu.Unlock()
		return
	}
	c.conns[in] = true
	c.mu.Unlock()
	go func() {
		_, _ = io.Copy(in, out)
		in.Close()
	}()
	_, _ = io.Copy(io.MultiWriter(out, bytesSent{&c.sent}), in)
}

// setCut cuts the cable, or mends it.
func (c *cable) setCut(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for conn := range c.conns {
			conn.Close()
		}
		clear(c.conns)
	}
}

type bytesSent struct{ n *atomic.Int64 }

func (c bytesSent) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}
