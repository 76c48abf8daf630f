// Package echosession is the session middleware for Echo v5. For Echo v4 there
// is the package above.
//
//	e := echo.New()
//	e.Use(echosession.New(sessions.Config{Backend: redisbackend.New(client)}))
//
// Handlers get the session by sessions.Default(c). The package only
// translates between Echo and package sessions, which says how sessions
// behave.
package echosession

import (
	"github.com/labstack/echo/v5"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/internal/commit"
)

// New returns the middleware for a sessions.Config or a *sessions.Manager. It
// panics when the Config is invalid, as Echo's own middleware does; [Use]
// returns an error instead. Mount it after middleware that recovers from
// panics. Mounted twice with one cookie name, the first counts.
func New(src sessions.Source) echo.MiddlewareFunc {
	mw, err := middleware(src)
	if err != nil {
		panic(err)
	}
	return mw
}

// A Router takes middleware: *echo.Echo or *echo.Group.
type Router interface {
	Use(middleware ...echo.MiddlewareFunc)
}

// Use mounts the middleware on an Echo or a group, as router.Use(New(src))
// does, or returns an error when the Config is invalid.
func Use(router Router, src sessions.Source) error {
	mw, err := middleware(src)
	if err != nil {
		return err
	}
	router.Use(mw)
	return nil
}

func middleware(src sessions.Source) (echo.MiddlewareFunc, error) {
	m, err := src.Manager()
	if err != nil {
		return nil, err
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error { return serve(m, c, next) }
	}, nil
}

func serve(m *sessions.Manager, c *echo.Context, next echo.HandlerFunc) error {
	res, err := echo.UnwrapResponse(c.Response())
	if err != nil {
		return err
	}
	w := &commit.Writer{ResponseWriter: res.ResponseWriter}
	first := sessions.FromContext(c)
	if !m.Begin(&w.Gate.Exchange, c.Request(), res.Header(), first) {
		return next(c)
	}
	if first == nil {
		c.Set(sessions.ContextKey, &w.Gate.Exchange)
	}
	// Below Response, not in its Before hook: that is not called for a
	// flush, a hijack or an empty response.
	res.ResponseWriter = w
	panicking := true
	defer func() {
		if panicking {
			w.Gate.Abandon()
		}
	}()
	err = next(c)
	panicking = false
	// For a handler that wrote nothing, or returned an error: Echo's error
	// handler runs after all middleware.
	if !w.Gate.Pass(w.ResponseWriter) {
		res.Committed, res.Status = true, w.Gate.Status
	}
	w.Gate.Exchange.Finish()
	return err
}
