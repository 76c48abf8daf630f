package main

import (
	"context"
	"net/http"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/v2"
	"github.com/boj/redistore"
	ginsessions "github.com/gin-contrib/sessions"
	ginredis "github.com/gin-contrib/sessions/redis"
	"github.com/gin-gonic/gin"
	gorilla "github.com/gorilla/sessions"
	"github.com/labstack/echo-contrib/session"
	"github.com/labstack/echo/v4"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/echosession"
	"github.com/go-session2/sessions/ginsession"
)

// A held session is what a handler sees of any library. Every method does
// what the library's documentation says to do, and returns the errors that the
// library returns.
type held interface {
	Get(key string) (any, error)
	Set(key string, value any) error
	Increment(key string) error
	Save() error // nothing where the library saves by itself
	SignIn(user string) error
	SignOut() error
}

type handler func(w http.ResponseWriter, r *http.Request, s held)

// A library builds a site with its defaults on Redis. report is told what the
// library reports to the operator, where it does that.
type library struct {
	name  string
	build func(redis, prefix string, serve handler, report func()) (http.Handler, func(), error)
}

var libraries = []library{
	{"sessions, Gin", guaranteeOursGin},
	{"sessions, Echo", guaranteeOursEcho},
	{"gin-contrib/sessions", guaranteeGinContrib},
	{"echo-contrib/session", guaranteeEchoContrib},
	{"scs", guaranteeSCS},
}

type oursHeld struct{ *sessions.Session }

func (s oursHeld) Get(key string) (any, error)     { return s.Session.Get(key), nil }
func (s oursHeld) Set(key string, value any) error { s.Session.Set(key, value); return nil }
func (s oursHeld) Save() error                     { return nil }
func (s oursHeld) SignOut() error                  { return s.Destroy() }

func (s oursHeld) Increment(key string) error {
	sessions.Update(s.Session, key, func(n int) int { return n + 1 })
	return nil
}

func (s oursHeld) SignIn(user string) error {
	s.Session.Set("user", user)
	return s.Regenerate()
}

func guaranteeOurs(redis, prefix string, report func()) (*sessions.Manager, func(), error) {
	client := newRedis(place{redis: redis})
	m, err := sessions.NewManager(sessions.Config{
		Backend: redisbackend.New(client), Prefix: prefix,
		OnError: func(*http.Request, error) { report() },
	})
	return m, func() { _ = client.Close() }, err
}

func guaranteeOursGin(redis, prefix string, serve handler, report func()) (http.Handler, func(), error) {
	m, done, err := guaranteeOurs(redis, prefix, report)
	if err != nil {
		return nil, nil, err
	}
	r := newGin()
	r.Use(ginsession.New(m))
	r.GET("/:page", func(c *gin.Context) { serve(c.Writer, c.Request, oursHeld{sessions.Default(c)}) })
	return r, done, nil
}

func guaranteeOursEcho(redis, prefix string, serve handler, report func()) (http.Handler, func(), error) {
	m, done, err := guaranteeOurs(redis, prefix, report)
	if err != nil {
		return nil, nil, err
	}
	e := echo.New()
	e.Use(echosession.New(m))
	e.GET("/:page", func(c echo.Context) error {
		serve(c.Response(), c.Request(), oursHeld{sessions.Default(c)})
		return nil
	})
	return e, done, nil
}

type ginContribHeld struct{ ginsessions.Session }

func (s ginContribHeld) Get(key string) (any, error)     { return s.Session.Get(key), nil }
func (s ginContribHeld) Set(key string, value any) error { s.Session.Set(key, value); return nil }

func (s ginContribHeld) Increment(key string) error {
	n, _ := s.Session.Get(key).(int)
	s.Session.Set(key, n+1)
	return nil
}

// SignIn can do no more: the library has no call for a new ID.
func (s ginContribHeld) SignIn(user string) error {
	s.Session.Set("user", user)
	return s.Save()
}

func (s ginContribHeld) SignOut() error {
	s.Clear()
	s.Options(ginsessions.Options{Path: "/", MaxAge: -1})
	return s.Save()
}

func guaranteeGinContrib(redis, prefix string, serve handler, _ func()) (http.Handler, func(), error) {
	store, err := ginredis.NewStore(10, "tcp", redis, "", "", signingKey)
	if err != nil {
		return nil, nil, err
	}
	if err := ginredis.SetKeyPrefix(store, prefix); err != nil {
		return nil, nil, err
	}
	inner, err := ginredis.GetRedisStore(store)
	if err != nil {
		return nil, nil, err
	}
	r := newGin()
	r.Use(ginsessions.Sessions(cookieName, store))
	r.GET("/:page", func(c *gin.Context) { serve(c.Writer, c.Request, ginContribHeld{ginsessions.Default(c)}) })
	return r, func() { _ = inner.Close() }, nil
}

type echoContribHeld struct{ c echo.Context }

func (s echoContribHeld) session() (*gorilla.Session, error) { return session.Get(cookieName, s.c) }

func (s echoContribHeld) Get(key string) (any, error) {
	inner, err := s.session()
	if err != nil {
		return nil, err
	}
	return inner.Values[key], nil
}

func (s echoContribHeld) Set(key string, value any) error {
	inner, err := s.session()
	if err == nil {
		inner.Values[key] = value
	}
	return err
}

func (s echoContribHeld) Increment(key string) error {
	v, err := s.Get(key)
	if err != nil {
		return err
	}
	n, _ := v.(int)
	return s.Set(key, n+1)
}

func (s echoContribHeld) Save() error {
	inner, err := s.session()
	if err != nil {
		return err
	}
	return inner.Save(s.c.Request(), s.c.Response())
}

// SignIn can do no more: the library has no call for a new ID.
func (s echoContribHeld) SignIn(user string) error {
	if err := s.Set("user", user); err != nil {
		return err
	}
	return s.Save()
}

func (s echoContribHeld) SignOut() error {
	inner, err := s.session()
	if err != nil {
		return err
	}
	inner.Options.MaxAge = -1
	return s.Save()
}

func guaranteeEchoContrib(redis, prefix string, serve handler, _ func()) (http.Handler, func(), error) {
	store, err := redistore.NewRediStore(10, "tcp", redis, "", "", signingKey)
	if err != nil {
		return nil, nil, err
	}
	store.SetKeyPrefix(prefix)
	e := echo.New()
	e.Use(session.Middleware(store))
	e.GET("/:page", func(c echo.Context) error {
		serve(c.Response(), c.Request(), echoContribHeld{c})
		return nil
	})
	return e, func() { _ = store.Close() }, nil
}

type scsHeld struct {
	*scs.SessionManager
	ctx context.Context
}

func (s scsHeld) Get(key string) (any, error)     { return s.SessionManager.Get(s.ctx, key), nil }
func (s scsHeld) Set(key string, value any) error { s.Put(s.ctx, key, value); return nil }
func (s scsHeld) Increment(key string) error      { return s.Set(key, s.GetInt(s.ctx, key)+1) }
func (s scsHeld) Save() error                     { return nil }
func (s scsHeld) SignOut() error                  { return s.Destroy(s.ctx) }

func (s scsHeld) SignIn(user string) error {
	if err := s.RenewToken(s.ctx); err != nil {
		return err
	}
	return s.Set("user", user)
}

func guaranteeSCS(redis, prefix string, serve handler, _ func()) (http.Handler, func(), error) {
	m := scs.New()
	client := newRedis(place{redis: redis})
	m.Store = goredisstore.NewWithPrefix(client, prefix)
	r := newGin()
	r.GET("/:page", func(c *gin.Context) { serve(c.Writer, c.Request, scsHeld{m, c.Request.Context()}) })
	return m.LoadAndSave(r), func() { _ = client.Close() }, nil
}
