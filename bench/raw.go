package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	"github.com/redis/go-redis/v9"
	"github.com/vmihailenco/msgpack/v5"
)

// A blobStore is what the handlers written by hand keep their bytes in. get
// returns nil when there is nothing.
type blobStore interface {
	get(ctx context.Context, id string) ([]byte, error)
	set(ctx context.Context, id string, data []byte) error
}

// A redisBlobs is one GET and one SET.
type redisBlobs struct {
	redis  redis.Cmdable
	prefix string
}

func (b redisBlobs) get(ctx context.Context, id string) ([]byte, error) {
	data, err := b.redis.Get(ctx, b.prefix+id).Bytes()
	if err == redis.Nil { //nolint:errorlint // go-redis returns it as it is
		return nil, nil
	}
	return data, err
}

func (b redisBlobs) set(ctx context.Context, id string, data []byte) error {
	return b.redis.Set(ctx, b.prefix+id, data, lifetime).Err()
}

// A memoryBlobs is a map under a lock.
type memoryBlobs struct {
	mu sync.RWMutex
	m  map[string][]byte
}

func (b *memoryBlobs) get(_ context.Context, id string) ([]byte, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.m[id], nil
}

func (b *memoryBlobs) set(_ context.Context, id string, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.m[id] = data
	return nil
}

// rawCookie returns the value of the session cookie.
func rawCookie(r *http.Request) string {
	_, rest, ok := strings.Cut(r.Header.Get("Cookie"), cookieName+"=")
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(rest, ";")
	return id
}

// rawID sends the cookie of a new session.
func rawID(w http.ResponseWriter) string {
	var random [32]byte
	_, _ = rand.Read(random[:])
	id := base64.RawURLEncoding.EncodeToString(random[:])
	w.Header().Set("Set-Cookie", cookieName+"="+id+"; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax")
	return id
}

// A raw is a handler written by hand: the whole session is a map in
// MessagePack, read by one GET and written by one SET.
type raw struct{ store blobStore }

func (h raw) load(r *http.Request) (id string, values map[string]any, err error) {
	id = rawCookie(r)
	if id == "" {
		return "", nil, nil
	}
	data, err := h.store.get(r.Context(), id)
	if err != nil || data == nil {
		return "", nil, err
	}
	return id, values, msgpack.Unmarshal(data, &values)
}

func (h raw) save(w http.ResponseWriter, r *http.Request, id string, values map[string]any) error {
	data, err := msgpack.Marshal(values)
	if err != nil {
		return err
	}
	if id == "" {
		id = rawID(w)
	}
	return h.store.set(r.Context(), id, data)
}

func (h raw) fill(w http.ResponseWriter, r *http.Request, fields []field) error {
	id, values, err := h.load(r)
	if err != nil {
		return err
	}
	if values == nil {
		values = make(map[string]any, len(fields))
	}
	for _, f := range fields {
		values[f.key] = f.value
	}
	return h.save(w, r, id, values)
}

func (h raw) get(r *http.Request, key string) (string, error) {
	_, values, err := h.load(r)
	v, _ := values[key].(string)
	return v, err
}

func (h raw) count(w http.ResponseWriter, r *http.Request) (int, error) {
	id, values, err := h.load(r)
	if err != nil {
		return 0, err
	}
	if values == nil {
		values = make(map[string]any)
	}
	n := 1
	switch v := values["count"].(type) { // MessagePack has numbers of many sizes
	case int8:
		n += int(v)
	case uint8:
		n += int(v)
	case uint16:
		n += int(v)
	case uint32:
		n += int(v)
	case int64:
		n += int(v)
	}
	values["count"] = n
	return n, h.save(w, r, id, values)
}

// rawBlobs returns the store of the handlers written by hand.
func rawBlobs(p place) (blobStore, func()) {
	if p.redis == "" {
		return &memoryBlobs{m: make(map[string][]byte)}, func() {}
	}
	client := newRedis(p)
	return redisBlobs{client, p.prefix}, func() { _ = client.Close() }
}

func buildRawGin(p place) (app, error) {
	store, done := rawBlobs(p)
	h := raw{store}
	r := newGin()
	ginRoutes(r, operations[*gin.Context]{
		fill:  func(c *gin.Context, fields []field) error { return h.fill(c.Writer, c.Request, fields) },
		get:   func(c *gin.Context, key string) (string, error) { return h.get(c.Request, key) },
		count: func(c *gin.Context) (int, error) { return h.count(c.Writer, c.Request) },
	})
	return app{http: r, close: done}, nil
}

func buildRawEcho(p place) (app, error) {
	store, done := rawBlobs(p)
	h := raw{store}
	e := echo.New()
	echoRoutes(e, operations[echo.Context]{
		fill:  func(c echo.Context, fields []field) error { return h.fill(c.Response(), c.Request(), fields) },
		get:   func(c echo.Context, key string) (string, error) { return h.get(c.Request(), key) },
		count: func(c echo.Context) (int, error) { return h.count(c.Response(), c.Request()) },
	})
	return app{http: e, close: done}, nil
}
