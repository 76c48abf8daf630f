package echosession_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/echosession"
	"github.com/go-session2/sessions/internal/webtest"
)

func memory(t *testing.T) backend.Backend {
	b, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The ways of Echo's own to answer, some of which never call the writer, and
// for HEAD requests, for which Echo v5 wraps it.
func TestEchoPaths(t *testing.T) {
	for name, test := range map[string]struct {
		handler echo.HandlerFunc
		status  int
		body    string
	}{
		"NoContent": {func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }, 204, ""},
		"JSON":      {func(c echo.Context) error { return c.JSON(http.StatusOK, 1) }, 200, "1\n"},
		"String":    {func(c echo.Context) error { return c.String(http.StatusOK, "hello") }, 200, "hello"},
		"Redirect":  {func(c echo.Context) error { return c.Redirect(http.StatusFound, "/get") }, 302, ""},
		"Stream":    {func(c echo.Context) error { return c.Stream(http.StatusOK, "text/plain", strings.NewReader("x")) }, 200, "x"},
		"File":      {func(c echo.Context) error { return c.File("echo.go") }, 200, "*"},
		"HTTPError": {func(c echo.Context) error { return echo.NewHTTPError(http.StatusTeapot, "tea") }, 418, "{\"message\":\"tea\"}\n"},
		"not found": {func(c echo.Context) error { return echo.ErrNotFound }, 404, "*"},
		"Flush":     {func(c echo.Context) error { c.Response().Flush(); return nil }, 200, ""},
		"empty":     {func(c echo.Context) error { return nil }, 200, ""},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			t.Run(name+" "+method, func(t *testing.T) {
				e := echo.New()
				e.Use(echosession.New(sessions.Config{Backend: memory(t)}))
				handler := func(c echo.Context) error { sessions.Default(c).Set("a", 1); return test.handler(c) }
				e.GET("/", handler)
				e.HEAD("/", handler)
				e.GET("/get", func(c echo.Context) error { return c.JSON(http.StatusOK, sessions.Default(c).Get("a")) })
				srv := httptest.NewServer(e)
				defer srv.Close()
				client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
				req, _ := http.NewRequest(method, srv.URL, nil)
				res, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if res.StatusCode != test.status || (method == "GET" && test.body != "*" && string(body) != test.body) {
					t.Errorf("status %d, body %q", res.StatusCode, body)
				}
				if len(res.Cookies()) != 1 {
					t.Fatalf("cookies %v", res.Cookies())
				}
				req, _ = http.NewRequest("GET", srv.URL+"/get", nil)
				req.AddCookie(res.Cookies()[0])
				if res, err = client.Do(req); err != nil {
					t.Fatal(err)
				}
				body, _ = io.ReadAll(res.Body)
				res.Body.Close()
				if strings.TrimSpace(string(body)) != "1" {
					t.Errorf("stored %q", body)
				}
			})
		}
	}
}

func TestCompressed(t *testing.T) {
	for name, compressFirst := range map[string]bool{"before": true, "after": false} {
		t.Run(name, func(t *testing.T) {
			webtest.Compressed(t, func(routes webtest.Routes, src sessions.Source) http.Handler {
				e := echo.New()
				if compressFirst {
					e.Use(middleware.Gzip(), echosession.New(src))
				} else {
					e.Use(echosession.New(src), middleware.Gzip())
				}
				for path, h := range routes {
					e.GET(path, func(c echo.Context) error { return h(c, c.Response(), c.Request()) })
				}
				return e
			})
		})
	}
}

// The middleware may be mounted for a group or a single route.
func TestGroup(t *testing.T) {
	e := echo.New()
	group := e.Group("/in")
	if err := echosession.Use(group, sessions.Config{Backend: memory(t)}); err != nil {
		t.Fatal(err)
	}
	group.GET("/set", func(c echo.Context) error { sessions.Default(c).Set("a", 1); return nil })
	e.GET("/route", func(c echo.Context) error { sessions.Default(c).Set("a", 1); return nil }, echosession.New(sessions.Config{Backend: memory(t)}))
	for _, path := range []string{"/in/set", "/route"} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if len(w.Result().Cookies()) != 1 {
			t.Errorf("%s: cookies %v", path, w.Result().Cookies())
		}
	}
}

// Without middleware that recovers, net/http ends the connection: nothing is
// saved then either.
func TestPanicWithoutRecovery(t *testing.T) {
	store := memory(t)
	e := echo.New()
	e.Use(echosession.New(sessions.Config{Backend: store}))
	e.GET("/", func(c echo.Context) error {
		sessions.Default(c).Set("a", 1)
		panic(http.ErrAbortHandler)
	})
	srv := httptest.NewServer(e)
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
	if err := echosession.Use(echo.New(), bad); err == nil || !strings.Contains(err.Error(), "Name") {
		t.Errorf("Use: %v", err)
	}
	defer func() {
		if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "Name") {
			t.Errorf("New panics with %v", err)
		}
	}()
	echosession.New(bad)
}

func TestMissingMiddleware(t *testing.T) {
	c := echo.New().NewContext(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
	defer func() {
		if text, ok := recover().(string); !ok || !strings.Contains(text, "mount") {
			t.Errorf("Default panics with %q", text)
		}
	}()
	sessions.Default(c)
}
