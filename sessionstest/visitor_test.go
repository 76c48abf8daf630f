package sessionstest_test

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	echov5 "github.com/labstack/echo/v5"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/echosession"
	echov5session "github.com/go-session2/sessions/echosession/v5"
	"github.com/go-session2/sessions/ginsession"
	"github.com/go-session2/sessions/sessionstest"
)

func init() { gin.SetMode(gin.ReleaseMode) }

// newerGin is a *gin.Context as of Gin 1.11, whose keys are of any type.
type newerGin struct{ *gin.Context }

func (c newerGin) Set(key, value any) { c.Context.Set(key.(string), value) }

// contexts makes a new context of each kind.
var contexts = map[string]func() sessions.Context{
	"gin": func() sessions.Context {
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		return c
	},
	"gin 1.11": func() sessions.Context {
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		return newerGin{c}
	},
	"echo v4": func() sessions.Context {
		return echo.New().NewContext(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
	},
	"echo v5": func() sessions.Context {
		return echov5.New().NewContext(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
	},
}

func TestAttach(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	steps := []struct {
		name    string
		handler func(s *sessions.Session) error
		values  map[string]any
		changed []string
		flashes []sessions.Flash

		regenerated, destroyed bool
		cookie                 int // 1 set, -1 removed
	}{
		{name: "nothing", handler: func(*sessions.Session) error { return nil },
			values: map[string]any{"at": at, "n": 1}},
		{name: "read", handler: func(s *sessions.Session) error { s.Get("n"); return nil },
			values: map[string]any{"at": at, "n": 1}},
		{name: "set, delete and replace", handler: func(s *sessions.Session) error {
			s.Set("new", []string{"a"})
			s.Set("n", 1)
			s.Delete("at")
			return nil
		}, values: map[string]any{"n": 1, "new": []string{"a"}}, changed: []string{"at", "new"}},
		{name: "change in place", handler: func(s *sessions.Session) error { s.Get("new").([]string)[0] = "b"; return nil },
			values: map[string]any{"n": 1, "new": []string{"b"}}, changed: []string{"new"}},
		{name: "flash", handler: func(s *sessions.Session) error { s.AddFlash("saved", "info"); return nil },
			values: map[string]any{"n": 1, "new": []string{"b"}}, flashes: []sessions.Flash{{Category: "info", Message: "saved"}}},
		{name: "flash stays", handler: func(s *sessions.Session) error { s.Delete("new"); return nil },
			values: map[string]any{"n": 1}, changed: []string{"new"}, flashes: []sessions.Flash{{Category: "info", Message: "saved"}}},
		{name: "flash shown", handler: func(s *sessions.Session) error { s.Flashes(); return nil }, values: map[string]any{"n": 1}},
		{name: "regenerate", handler: func(s *sessions.Session) error { return s.Regenerate() },
			values: map[string]any{"n": 1}, regenerated: true, cookie: 1},
		{name: "destroy and start again", handler: func(s *sessions.Session) error {
			err := s.Destroy()
			s.Set("bye", true)
			return err
		}, values: map[string]any{"bye": true}, changed: []string{"bye", "n"}, destroyed: true, cookie: 1},
		{name: "regenerate and destroy", handler: func(s *sessions.Session) error {
			return errors.Join(s.Regenerate(), s.Destroy())
		}, changed: []string{"bye"}, regenerated: true, destroyed: true, cookie: -1},
		{name: "first visit", handler: func(s *sessions.Session) error {
			if !s.IsNew() {
				return errors.New("the session is not new")
			}
			s.Set("n", 2)
			return s.Regenerate()
		}, values: map[string]any{"n": 2}, changed: []string{"n"}, cookie: 1},
		{name: "left empty", handler: func(s *sessions.Session) error { s.Clear(); return nil },
			changed: []string{"n"}, destroyed: true, cookie: -1},
	}
	for name, newContext := range contexts {
		t.Run(name, func(t *testing.T) {
			v := sessionstest.New(map[string]any{"at": at, "n": 1})
			for _, step := range steps {
				c := newContext()
				v.Attach(c)
				if err := step.handler(sessions.Default(c)); err != nil {
					t.Fatalf("%s: %v", step.name, err)
				}
				got := v.Result()
				if !maps.EqualFunc(got.Values, step.values, equal) {
					t.Errorf("%s: values %v, want %v", step.name, got.Values, step.values)
				}
				if !slices.Equal(got.Changed, step.changed) {
					t.Errorf("%s: changed %v, want %v", step.name, got.Changed, step.changed)
				}
				if !slices.Equal(got.Flashes, step.flashes) {
					t.Errorf("%s: flashes %v, want %v", step.name, got.Flashes, step.flashes)
				}
				if got.Regenerated != step.regenerated || got.Destroyed != step.destroyed {
					t.Errorf("%s: regenerated %t, destroyed %t", step.name, got.Regenerated, got.Destroyed)
				}
				if cookie := sign(got.Cookie); cookie != step.cookie {
					t.Errorf("%s: cookie %d, want %d", step.name, cookie, step.cookie)
				}
				if got.Err != nil {
					t.Errorf("%s: %v", step.name, got.Err)
				}
			}
		})
	}
}

func equal(a, b any) bool {
	x, ok := a.([]string)
	if !ok {
		return a == b
	}
	y, ok := b.([]string)
	return ok && slices.Equal(x, y)
}

func sign(c *http.Cookie) int {
	switch {
	case c == nil:
		return 0
	case c.MaxAge < 0:
		return -1
	}
	return 1
}

func TestServe(t *testing.T) {
	signOut := func(c sessions.Context) error {
		s := sessions.Default(c)
		if s.Get("user") != "ada" {
			return errors.New("the session has not arrived")
		}
		return s.Destroy()
	}
	for name, app := range map[string]func(*sessionstest.Visitor) http.Handler{
		"gin": func(v *sessionstest.Visitor) http.Handler {
			r := gin.New()
			r.Use(ginsession.New(v))
			r.GET("/", func(c *gin.Context) {
				if err := signOut(c); err != nil {
					c.AbortWithStatus(http.StatusInternalServerError)
				}
			})
			return r
		},
		"echo v4": func(v *sessionstest.Visitor) http.Handler {
			e := echo.New()
			e.Use(echosession.New(v))
			e.GET("/", func(c echo.Context) error { return signOut(c) })
			return e
		},
		"echo v5": func(v *sessionstest.Visitor) http.Handler {
			e := echov5.New()
			e.Use(echov5session.New(v))
			e.GET("/", func(c *echov5.Context) error { return signOut(c) })
			return e
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := sessionstest.New(map[string]any{"user": "ada"})
			w := v.Serve(app(v), httptest.NewRequest("GET", "/", nil))
			got := v.Result()
			if w.Code != http.StatusOK || !got.Destroyed || sign(got.Cookie) != -1 || len(got.Values) > 0 {
				t.Errorf("status %d, result %+v", w.Code, got)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	v := sessionstest.New(nil)
	c := contexts["gin"]()
	v.Attach(c)
	sessions.Default(c).Set("f", func() {})
	if err := v.Result().Err; !errors.Is(err, sessions.ErrValue) {
		t.Errorf("a value that cannot be encoded: %v", err)
	}

	for name, f := range map[string]func(){
		"bad value":  func() { sessionstest.New(map[string]any{"f": func() {}}) },
		"bad Config": func() { sessionstest.NewWithConfig(sessions.Config{Lifetime: 1}, nil) },
		"twice":      func() { v.Attach(c) },
		"no context": func() { v.Attach(param{}) },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
}

type param struct{}

func (param) Param(string) string { return "" }

func panics(f func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}

// Login writes through the index of users, and Logout deletes through it.
func TestLogin(t *testing.T) {
	v := sessionstest.New(map[string]any{"cart": "tea"})
	if err := v.Session().Login("ada"); err != nil {
		t.Fatal(err)
	}
	if got := v.Result(); !got.Regenerated || got.Destroyed || got.Err != nil || got.Values["cart"] != "tea" {
		t.Errorf("after Login: %+v", got)
	}
	s := v.Session()
	if list, err := s.Manager().Sessions(t.Context(), "ada"); err != nil || len(list) != 1 {
		t.Errorf("ada has %d sessions, %v", len(list), err)
	}
	if err := s.Logout(); err != nil {
		t.Fatal(err)
	}
	if got := v.Result(); got.Regenerated || !got.Destroyed || got.Err != nil {
		t.Errorf("after Logout: %+v", got)
	}
}
