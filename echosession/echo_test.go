package echosession_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/echosession"
	"github.com/go-session2/sessions/internal/webtest"
)

// serve makes an Echo v4 application for webtest.
func serve(routes webtest.Routes, srcs ...sessions.Source) http.Handler {
	e := echo.New()
	e.Logger.SetOutput(io.Discard)
	e.Use(middleware.Recover())
	for _, src := range srcs {
		if err := echosession.Use(e, src); err != nil {
			panic(err)
		}
	}
	for path, h := range routes {
		e.Any(path, func(c echo.Context) error { return h(c, c.Response(), c.Request()) })
	}
	return e
}

func TestWeb(t *testing.T) { webtest.Run(t, webtest.Framework{Serve: serve}) }
