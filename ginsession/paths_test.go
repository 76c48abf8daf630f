package ginsession_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gin-contrib/gzip"
	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/ginsession"
	"github.com/go-session2/sessions/internal/webtest"
)

func memory(t *testing.T) backend.Backend {
	b, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The ways of Gin's own to answer, some of which never call the writer.
func TestGinPaths(t *testing.T) {
	for name, test := range map[string]struct {
		handler gin.HandlerFunc
		status  int
		body    string
	}{
		"Status":              {func(c *gin.Context) { c.Status(http.StatusNoContent) }, 204, ""},
		"AbortWithStatus":     {func(c *gin.Context) { c.AbortWithStatus(http.StatusForbidden) }, 403, ""},
		"AbortWithStatusJSON": {func(c *gin.Context) { c.AbortWithStatusJSON(http.StatusForbidden, gin.H{"no": 1}) }, 403, `{"no":1}`},
		"AbortWithError":      {func(c *gin.Context) { _ = c.AbortWithError(http.StatusTeapot, errors.New("tea")) }, 418, ""},
		"JSON":                {func(c *gin.Context) { c.JSON(http.StatusOK, 1) }, 200, "1"},
		"String":              {func(c *gin.Context) { c.String(http.StatusOK, "hello") }, 200, "hello"},
		"Redirect":            {func(c *gin.Context) { c.Redirect(http.StatusFound, "/get") }, 302, "*"},
		"Data":                {func(c *gin.Context) { c.Data(http.StatusOK, "x/y", nil) }, 200, ""},
		"File":                {func(c *gin.Context) { c.File("gin.go") }, 200, "*"},
		"SSEvent":             {func(c *gin.Context) { c.SSEvent("news", "x") }, 200, "event:news\ndata:x\n\n"},
		"Stream": {func(c *gin.Context) {
			n := 0
			c.Stream(func(w io.Writer) bool { n++; _, _ = io.WriteString(w, "x"); return n < 3 })
		}, 200, "xxx"},
		"Writer.Flush":          {func(c *gin.Context) { c.Writer.Flush() }, 200, ""},
		"Writer.WriteHeaderNow": {func(c *gin.Context) { c.Status(202); c.Writer.WriteHeaderNow() }, 202, ""},
		"Writer.WriteString":    {func(c *gin.Context) { _, _ = c.Writer.WriteString("x") }, 200, "x"},
		"empty":                 {func(*gin.Context) {}, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := gin.New()
			r.Use(ginsession.New(sessions.Config{Backend: memory(t)}))
			r.GET("/", func(c *gin.Context) { sessions.Default(c).Set("a", 1); test.handler(c) })
			r.GET("/get", func(c *gin.Context) { c.JSON(200, sessions.Default(c).Get("a")) })
			srv := httptest.NewServer(r)
			defer srv.Close()
			client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			res, err := client.Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode != test.status || (test.body != "*" && string(body) != test.body) {
				t.Errorf("status %d, body %q", res.StatusCode, body)
			}
			if len(res.Cookies()) != 1 {
				t.Fatalf("cookies %v", res.Cookies())
			}
			req, _ := http.NewRequest("GET", srv.URL+"/get", nil)
			req.AddCookie(res.Cookies()[0])
			if res, err = client.Do(req); err != nil {
				t.Fatal(err)
			}
			body, _ = io.ReadAll(res.Body)
			res.Body.Close()
			if string(body) != "1" {
				t.Errorf("stored %q", body)
			}
		})
	}
}

// A route that is not found runs the middleware too, and answers by itself.
func TestNotFound(t *testing.T) {
	r := gin.New()
	r.Use(ginsession.New(sessions.Config{Backend: memory(t)}), func(c *gin.Context) { sessions.Default(c).Set("seen", true) })
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/none", nil))
	if w.Code != 404 || len(w.Result().Cookies()) != 1 || w.Body.String() != "404 page not found" {
		t.Errorf("status %d, cookies %v, body %q", w.Code, w.Result().Cookies(), w.Body)
	}
}

func TestCompressed(t *testing.T) {
	for name, compressFirst := range map[string]bool{"before": true, "after": false} {
		t.Run(name, func(t *testing.T) {
			webtest.Compressed(t, func(routes webtest.Routes, src sessions.Source) http.Handler {
				r := gin.New()
				handlers := []gin.HandlerFunc{ginsession.New(src), gzip.Gzip(gzip.DefaultCompression)}
				if compressFirst {
					handlers[0], handlers[1] = handlers[1], handlers[0]
				}
				r.Use(handlers...)
				for path, h := range routes {
					r.GET(path, func(c *gin.Context) { _ = h(c, c.Writer, c.Request) })
				}
				return r
			})
		})
	}
}

// A copied context has the session of its request and of no later one.
func TestCopy(t *testing.T) {
	r := gin.New()
	var mu sync.Mutex
	var errs []error
	r.Use(ginsession.New(sessions.Config{Backend: memory(t), OnError: func(_ *http.Request, err error) {
		mu.Lock()
		errs = append(errs, err)
		mu.Unlock()
	}}))
	release := make(chan struct{})
	var wg sync.WaitGroup
	r.GET("/", func(c *gin.Context) {
		sessions.Default(c).Set("who", c.Query("who"))
		copied := c.Copy()
		wg.Go(func() {
			s := sessions.Default(copied)
			<-release
			if who := s.Get("who"); who != copied.Query("who") {
				t.Errorf("the copy of %s has the session of %v", copied.Query("who"), who)
			}
			s.Set("who", "nobody")
		})
		c.Status(http.StatusOK)
	})
	for _, who := range []string{"ada", "bob", "cyd"} {
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/?who="+who, nil))
	}
	close(release)
	wg.Wait()
	if len(errs) != 3 || !errors.Is(errs[0], sessions.ErrCommitted) {
		t.Errorf("late changes reported: %v", errs)
	}
}

// Without middleware that recovers, net/http ends the connection: nothing is
// saved then either.
func TestPanicWithoutRecovery(t *testing.T) {
	store := memory(t)
	r := gin.New()
	r.Use(ginsession.New(sessions.Config{Backend: store}))
	r.GET("/", func(c *gin.Context) {
		sessions.Default(c).Set("a", 1)
		panic(http.ErrAbortHandler)
	})
	srv := httptest.NewServer(r)
	defer srv.Close()
	if res, err := http.Get(srv.URL); err == nil {
		t.Errorf("status %d", res.StatusCode)
	}
	if keys, _, err := store.(backend.Lister).List(t.Context(), "", "", 10); err != nil || len(keys) != 0 {
		t.Errorf("%d sessions were stored, %v", len(keys), err)
	}
}

func TestInvalidConfig(t *testing.T) {
	bad := sessions.Config{Name: "not a name"}
	if err := ginsession.Use(gin.New(), bad); err == nil || !strings.Contains(err.Error(), "Name") {
		t.Errorf("Use: %v", err)
	}
	defer func() {
		if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "Name") {
			t.Errorf("New panics with %v", err)
		}
	}()
	ginsession.New(bad)
}

func TestMissingMiddleware(t *testing.T) {
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	for name, f := range map[string]func(){"Default": func() { sessions.Default(c) }, "Named": func() { sessions.Named(c, "admin") }} {
		func() {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.Contains(text, "mount") {
					t.Errorf("%s panics with %q", name, text)
				}
			}()
			f()
		}()
	}
}
