package main

import (
	"github.com/boj/redistore"
	ginsessions "github.com/gin-contrib/sessions"
	ginmem "github.com/gin-contrib/sessions/memstore"
	ginredis "github.com/gin-contrib/sessions/redis"
	"github.com/gin-gonic/gin"
	gorilla "github.com/gorilla/sessions"
	"github.com/labstack/echo-contrib/session"
	"github.com/labstack/echo/v4"
	"github.com/quasoft/memstore"
)

// tune sets on gorilla's store for Redis what is the same for everybody.
func tune(s *redistore.RediStore, p place) {
	s.SetMaxLength(maxSession)
	s.SetMaxAge(int(lifetime.Seconds()))
	s.SetKeyPrefix(p.prefix)
}

func ginContribStore(p place) (ginsessions.Store, func(), error) {
	if p.redis == "" {
		return ginmem.NewStore(signingKey), func() {}, nil
	}
	s, err := ginredis.NewStore(poolSize, "tcp", p.redis, "", "", signingKey)
	if err != nil {
		return nil, nil, err
	}
	inner, err := ginredis.GetRedisStore(s)
	if err != nil {
		return nil, nil, err
	}
	tune(inner, p)
	return s, func() { _ = inner.Close() }, nil
}

func buildGinContrib(p place) (app, error) {
	store, done, err := ginContribStore(p)
	if err != nil {
		return app{}, err
	}
	r := newGin()
	r.Use(ginsessions.Sessions(cookieName, store))
	ginRoutes(r, operations[*gin.Context]{
		fill: func(c *gin.Context, fields []field) error {
			s := ginsessions.Default(c)
			for _, f := range fields {
				s.Set(f.key, f.value)
			}
			return s.Save()
		},
		get: func(c *gin.Context, key string) (string, error) {
			v, _ := ginsessions.Default(c).Get(key).(string)
			return v, nil
		},
		count: func(c *gin.Context) (int, error) {
			s := ginsessions.Default(c)
			n, _ := s.Get("count").(int)
			s.Set("count", n+1)
			return n + 1, s.Save()
		},
	})
	return app{http: r, close: done}, nil
}

func echoContribStore(p place) (gorilla.Store, func(), error) {
	if p.redis == "" {
		return memstore.NewMemStore(signingKey), func() {}, nil
	}
	s, err := redistore.NewRediStore(poolSize, "tcp", p.redis, "", "", signingKey)
	if err != nil {
		return nil, nil, err
	}
	tune(s, p)
	return s, func() { _ = s.Close() }, nil
}

func buildEchoContrib(p place) (app, error) {
	store, done, err := echoContribStore(p)
	if err != nil {
		return app{}, err
	}
	e := echo.New()
	e.Use(session.Middleware(store))
	echoRoutes(e, operations[echo.Context]{
		fill: func(c echo.Context, fields []field) error {
			s, err := session.Get(cookieName, c)
			if err != nil {
				return err
			}
			for _, f := range fields {
				s.Values[f.key] = f.value
			}
			return s.Save(c.Request(), c.Response())
		},
		get: func(c echo.Context, key string) (string, error) {
			s, err := session.Get(cookieName, c)
			if err != nil {
				return "", err
			}
			v, _ := s.Values[key].(string)
			return v, nil
		},
		count: func(c echo.Context) (int, error) {
			s, err := session.Get(cookieName, c)
			if err != nil {
				return 0, err
			}
			n, _ := s.Values["count"].(int)
			s.Values["count"] = n + 1
			return n + 1, s.Save(c.Request(), c.Response())
		},
	})
	return app{http: e, close: done}, nil
}
