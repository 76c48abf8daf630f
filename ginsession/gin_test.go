package ginsession_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/ginsession"
	"github.com/go-session2/sessions/internal/webtest"
)

func init() { gin.SetMode(gin.ReleaseMode) }

// serve makes a Gin application for webtest.
func serve(routes webtest.Routes, srcs ...sessions.Source) http.Handler {
	r := gin.New()
	r.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) { c.AbortWithStatus(http.StatusInternalServerError) }))
	for _, src := range srcs {
		if err := ginsession.Use(r, src); err != nil {
			panic(err)
		}
	}
	for path, h := range routes {
		r.Any(path, func(c *gin.Context) {
			if err := h(c, c.Writer, c.Request); err != nil {
				c.String(http.StatusInternalServerError, "%v", err)
			}
		})
	}
	return r
}

func TestWeb(t *testing.T) { webtest.Run(t, webtest.Framework{Serve: serve}) }
