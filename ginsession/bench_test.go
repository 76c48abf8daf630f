package ginsession_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/ginsession"
)

// A sink is a response writer that costs nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

// Benchmark measures a request through Gin with the memory backend, without a
// network: the framework alone, and what the session adds to it.
func Benchmark(b *testing.B) {
	mem, err := memorybackend.New(memorybackend.Config{MaxSessions: 10_000_000})
	if err != nil {
		b.Fatal(err)
	}
	m, err := sessions.NewManager(sessions.Config{Backend: mem})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	r := gin.New()
	r.GET("/bare", func(c *gin.Context) { c.Status(204) })
	r.Use(ginsession.New(m))
	r.GET("/untouched", func(c *gin.Context) { c.Status(204) })
	r.GET("/fill", func(c *gin.Context) {
		for i := range 10 {
			sessions.Default(c).Set(fmt.Sprint("key", i), strings.Repeat("v", 40))
		}
	})
	r.GET("/fill64k", func(c *gin.Context) {
		sessions.Default(c).Set("big", strings.Repeat("v", 64<<10))
		sessions.Default(c).Set("key5", "v")
	})
	r.GET("/read", func(c *gin.Context) { _, _ = sessions.Value[string](sessions.Default(c), "key5"); c.Status(204) })
	r.GET("/count", func(c *gin.Context) {
		sessions.Update(sessions.Default(c), "n", func(n int) int { return n + 1 })
		c.Status(204)
	})
	r.GET("/create", func(c *gin.Context) { sessions.Default(c).Set("user", "ada"); c.Status(204) })
	cookie := func(path string) string {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return strings.Split(w.Header().Get("Set-Cookie"), ";")[0]
	}
	small, big := cookie("/fill"), cookie("/fill64k")
	for _, bench := range []struct{ name, path, cookie string }{
		{"bare", "/bare", ""}, {"untouched", "/untouched", ""}, {"untouched with cookie", "/untouched", small},
		{"read", "/read", small}, {"read of 64 KiB", "/read", big}, {"write", "/count", small}, {"create", "/create", ""},
	} {
		b.Run(bench.name, func(b *testing.B) {
			req := httptest.NewRequest("GET", bench.path, nil)
			if bench.cookie != "" {
				req.Header.Set("Cookie", bench.cookie)
			}
			w := &sink{header: make(http.Header)}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				r.ServeHTTP(w, req)
			}
		})
	}
}
