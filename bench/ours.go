package main

import (
	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/echosession"
	"github.com/go-session2/sessions/ginsession"
)

// newManager returns our library with its defaults, but for what is the same
// for every contender.
func newManager(p place) (*sessions.Manager, func(), error) {
	cfg := sessions.Config{Lifetime: lifetime, MaxSize: maxSession, Prefix: p.prefix}
	closeStore := func() {}
	if p.redis == "" {
		mem, err := memorybackend.New(memorybackend.Config{MaxSessions: 1 << 30})
		if err != nil {
			return nil, nil, err
		}
		cfg.Backend, closeStore = mem, func() { _ = mem.Close() }
	} else {
		client := newRedis(p)
		cfg.Backend, closeStore = redisbackend.New(client), func() { _ = client.Close() }
	}
	m, err := sessions.NewManager(cfg)
	if err != nil {
		return nil, nil, err
	}
	return m, func() { _ = m.Close(); closeStore() }, nil
}

func newRedis(p place) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: p.redis, PoolSize: poolSize})
}

func ourFill(s *sessions.Session, fields []field) error {
	for _, f := range fields {
		s.Set(f.key, f.value)
	}
	return nil
}

func ourGet(s *sessions.Session, key string) (string, error) {
	v, _ := sessions.Value[string](s, key)
	return v, nil
}

func ourCount(s *sessions.Session) (int, error) {
	return sessions.Update(s, "count", func(n int) int { return n + 1 }), nil
}

func buildOursGin(p place) (app, error) {
	m, done, err := newManager(p)
	if err != nil {
		return app{}, err
	}
	r := newGin()
	r.Use(ginsession.New(m))
	ginRoutes(r, operations[*gin.Context]{
		fill:  func(c *gin.Context, fields []field) error { return ourFill(sessions.Default(c), fields) },
		get:   func(c *gin.Context, key string) (string, error) { return ourGet(sessions.Default(c), key) },
		count: func(c *gin.Context) (int, error) { return ourCount(sessions.Default(c)) },
	})
	return app{http: r, close: done}, nil
}

func buildOursEcho(p place) (app, error) {
	m, done, err := newManager(p)
	if err != nil {
		return app{}, err
	}
	e := echo.New()
	e.Use(echosession.New(m))
	echoRoutes(e, operations[echo.Context]{
		fill:  func(c echo.Context, fields []field) error { return ourFill(sessions.Default(c), fields) },
		get:   func(c echo.Context, key string) (string, error) { return ourGet(sessions.Default(c), key) },
		count: func(c echo.Context) (int, error) { return ourCount(sessions.Default(c)) },
	})
	return app{http: e, close: done}, nil
}
