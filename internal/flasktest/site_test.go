package flasktest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	echo4 "github.com/labstack/echo/v4"
	"github.com/labstack/echo/v5"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/echosession"
	echosession5 "github.com/go-session2/sessions/echosession/v5"
	"github.com/go-session2/sessions/ginsession"
)

func init() { gin.SetMode(gin.ReleaseMode) }

// A handler answers a request to the routes of scripts/flask.d/app.py.
type handler func(s *sessions.Session, args []string, body tag) (string, error)

var routes = map[string]handler{
	"":          func(*sessions.Session, []string, tag) (string, error) { return "untouched", nil },
	"session":   everything,
	"set":       setValues,
	"pop":       popValue,
	"count":     count,
	"append":    appendValue,
	"flash":     addFlash,
	"flashes":   flashes,
	"sign-in":   signIn,
	"sign-out":  func(s *sessions.Session, _ []string, _ tag) (string, error) { return "bye", s.Destroy() },
	"permanent": permanent,
}

func everything(s *sessions.Session, _ []string, _ tag) (string, error) {
	out := make(map[string]any)
	for key, value := range s.All() {
		out[key] = value
	}
	if v, ok := s.Lookup("_permanent"); ok {
		out["_permanent"] = v
	}
	g, err := toTag(out)
	return encode(map[string]any{"sid": s.ID(), "session": g}), err
}

func setValues(s *sessions.Session, _ []string, body tag) (string, error) {
	for _, pair := range body["v"].([]any) {
		item, err := sequence("list", pair.([]any))
		if err != nil {
			return "", err
		}
		s.Set(item.([]any)[0].(string), item.([]any)[1])
	}
	return "set", nil
}

func popValue(s *sessions.Session, args []string, _ tag) (string, error) {
	g, err := toTag(s.Pop(args[0]))
	return encode(g), err
}

func count(s *sessions.Session, args []string, _ tag) (string, error) {
	return fmt.Sprint(sessions.Update(s, args[0], func(n int) int { return n + 1 })), nil
}

func appendValue(s *sessions.Session, args []string, body tag) (string, error) {
	v, err := fromTag(body)
	sessions.Update(s, args[0], func(list []any) []any { return append(list, v) })
	return "appended", err
}

func addFlash(s *sessions.Session, args []string, body tag) (string, error) {
	v, err := fromTag(body)
	s.AddFlash(v, args[0])
	return "flashed", err
}

func flashes(s *sessions.Session, _ []string, _ tag) (string, error) {
	var out []any
	for _, f := range s.Flashes() {
		message, err := toTag(f.Message)
		if err != nil {
			return "", err
		}
		out = append(out, list("tuple", str(f.Category), message))
	}
	return encode(list("list", out...)), nil
}

func signIn(s *sessions.Session, args []string, _ tag) (string, error) {
	err := s.Regenerate()
	s.Set("user", args[0])
	return "welcome", err
}

func permanent(s *sessions.Session, args []string, _ tag) (string, error) {
	s.SetPermanent(args[0] == "1")
	return "permanence set", nil
}

// A site is one of our applications: the routes, and the control of requests
// that hold.
type site struct {
	holds sync.Map // of *hold by name
}

// A hold keeps a request from committing.
type hold struct{ held, released chan struct{} }

func (a *site) hold(name string) *hold {
	h, _ := a.holds.LoadOrStore(name, &hold{make(chan struct{}), make(chan struct{})})
	return h.(*hold)
}

func (a *site) serve(c sessions.Context, w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	route, ok := routes[path[0]]
	if !ok {
		http.NotFound(w, r)
		return
	}
	var body tag
	if b, _ := io.ReadAll(r.Body); len(b) > 0 {
		var v map[string]any
		if err := json.Unmarshal(b, &v); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = normal(v).(tag)
	}
	answer, err := route(sessions.Default(c), path[1:], body)
	if name := r.URL.Query().Get("hold"); name != "" {
		h := a.hold(name)
		close(h.held)
		<-h.released
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, answer)
}

// control answers /-/held/NAME and /-/release/NAME.
func (a *site) control(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		verb, name, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/-/"), "/")
		switch {
		case !ok || !strings.HasPrefix(r.URL.Path, "/-/"):
			next.ServeHTTP(w, r)
		case verb == "release":
			close(a.hold(name).released)
		default:
			select {
			case <-a.hold(name).held:
			case <-time.After(30 * time.Second):
				w.WriteHeader(http.StatusGatewayTimeout)
			}
		}
	})
}

// frameworks make one of our applications, by name.
var frameworks = map[string]func(*testing.T, *site, sessions.Source) http.Handler{
	"Gin": func(_ *testing.T, a *site, src sessions.Source) http.Handler {
		r := gin.New()
		r.Use(ginsession.New(src))
		r.NoRoute(func(c *gin.Context) {
			c.Status(http.StatusOK)
			a.serve(c, c.Writer, c.Request)
		})
		return r
	},
	"Echo 4": func(_ *testing.T, a *site, src sessions.Source) http.Handler {
		e := echo4.New()
		e.Use(echosession.New(src))
		e.Any("/*", func(c echo4.Context) error {
			a.serve(c, c.Response(), c.Request())
			return nil
		})
		return e
	},
	"Echo 5": func(_ *testing.T, a *site, src sessions.Source) http.Handler {
		e := echo.New()
		e.Use(echosession5.New(src))
		e.Any("/*", func(c *echo.Context) error {
			a.serve(c, c.Response(), c.Request())
			return nil
		})
		return e
	},
}

// startSite starts one of our applications.
func startSite(t *testing.T, framework string, src sessions.Source) *app {
	t.Helper()
	a := new(site)
	srv := httptest.NewServer(a.control(frameworks[framework](t, a, src)))
	t.Cleanup(srv.Close)
	return &app{t: t, name: framework, url: srv.URL}
}
