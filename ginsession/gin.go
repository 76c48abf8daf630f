// Package ginsession is the session middleware for Gin.
//
//	r := gin.Default()
//	r.Use(ginsession.New(sessions.Config{Backend: redisbackend.New(client)}))
//
// Handlers get the session by sessions.Default(c). The package only
// translates between Gin and package sessions, which says how sessions
// behave.
package ginsession

import (
	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
)

// New returns the middleware for a sessions.Config or a *sessions.Manager. It
// panics when the Config is invalid; [Use] returns an error instead. Mount it
// before the routes, after middleware that recovers from panics. Mounted
// twice with one cookie name, the first counts.
func New(src sessions.Source) gin.HandlerFunc {
	h, err := handler(src)
	if err != nil {
		panic(err)
	}
	return h
}

// Use mounts the middleware on a router or a group, as router.Use(New(src))
// does, or returns an error when the Config is invalid.
func Use(router gin.IRoutes, src sessions.Source) error {
	h, err := handler(src)
	if err != nil {
		return err
	}
	router.Use(h)
	return nil
}

func handler(src sessions.Source) (gin.HandlerFunc, error) {
	m, err := src.Manager()
	if err != nil {
		return nil, err
	}
	return func(c *gin.Context) {
		w := &writer{ResponseWriter: c.Writer}
		first := sessions.FromContext(c)
		if !m.Begin(&w.gate.Exchange, c.Request, c.Writer.Header(), first) {
			c.Next()
			return
		}
		if first == nil {
			c.Set(sessions.ContextKey, &w.gate.Exchange)
		}
		c.Writer = w
		panicking := true
		defer func() {
			if panicking {
				w.gate.Abandon()
			}
		}()
		c.Next()
		panicking = false
		w.gate.Pass(w.ResponseWriter) // for a handler that wrote nothing
		w.gate.Exchange.Finish()
	}, nil
}
