package main

import (
	"context"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
)

func newSCS(p place) (*scs.SessionManager, func()) {
	m := scs.New()
	m.Lifetime = lifetime
	if p.redis == "" {
		m.Store = memstore.NewWithCleanupInterval(0) // nothing expires here
		return m, func() {}
	}
	client := newRedis(p)
	m.Store = goredisstore.NewWithPrefix(client, p.prefix)
	return m, func() { _ = client.Close() }
}

func scsFill(m *scs.SessionManager, ctx context.Context, fields []field) error {
	for _, f := range fields {
		m.Put(ctx, f.key, f.value)
	}
	return nil
}

func scsCount(m *scs.SessionManager, ctx context.Context) (int, error) {
	n := m.GetInt(ctx, "count") + 1
	m.Put(ctx, "count", n)
	return n, nil
}

// buildSCSGin has the engine inside of LoadAndSave, as scs has no adapter for
// Gin of its own.
func buildSCSGin(p place) (app, error) {
	m, done := newSCS(p)
	r := newGin()
	ginRoutes(r, operations[*gin.Context]{
		fill: func(c *gin.Context, fields []field) error { return scsFill(m, c.Request.Context(), fields) },
		get: func(c *gin.Context, key string) (string, error) {
			return m.GetString(c.Request.Context(), key), nil
		},
		count: func(c *gin.Context) (int, error) { return scsCount(m, c.Request.Context()) },
	})
	return app{http: m.LoadAndSave(r), close: done}, nil
}

func buildSCSEcho(p place) (app, error) {
	m, done := newSCS(p)
	e := echo.New()
	e.Use(echo.WrapMiddleware(m.LoadAndSave))
	echoRoutes(e, operations[echo.Context]{
		fill: func(c echo.Context, fields []field) error { return scsFill(m, c.Request().Context(), fields) },
		get: func(c echo.Context, key string) (string, error) {
			return m.GetString(c.Request().Context(), key), nil
		},
		count: func(c echo.Context) (int, error) { return scsCount(m, c.Request().Context()) },
	})
	return app{http: e, close: done}, nil
}
