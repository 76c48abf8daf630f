package echosession_test

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/go-session2/sessions"
	echosession "github.com/go-session2/sessions/echosession/v5"
	"github.com/go-session2/sessions/internal/webtest"
)

// serve makes an Echo v5 application for webtest.
func serve(routes webtest.Routes, srcs ...sessions.Source) http.Handler {
	e := echo.New()
	e.Logger = slog.New(slog.DiscardHandler)
	e.Use(middleware.Recover())
	for _, src := range srcs {
		if err := echosession.Use(e, src); err != nil {
			panic(err)
		}
	}
	for path, h := range routes {
		e.Any(path, func(c *echo.Context) error { return h(c, c.Response(), c.Request()) })
	}
	return e
}

func TestWeb(t *testing.T) { webtest.Run(t, webtest.Framework{Serve: serve}) }
