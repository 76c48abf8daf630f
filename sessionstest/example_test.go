package sessionstest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	echov5 "github.com/labstack/echo/v5"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/ginsession"
	"github.com/go-session2/sessions/sessionstest"
)

// A handler of Gin, called by itself.
func Example() {
	signIn := func(c *gin.Context) {
		s := sessions.Default(c)
		if err := s.Regenerate(); err != nil {
			c.AbortWithStatus(http.StatusServiceUnavailable)
			return
		}
		s.Set("user", "ada")
		s.AddFlash("Welcome back.")
	}

	visitor := sessionstest.New(map[string]any{"cart": []string{"tea"}})
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	visitor.Attach(c)
	signIn(c)

	got := visitor.Result()
	fmt.Println("values:", got.Values)
	fmt.Println("changed:", got.Changed)
	fmt.Println("flashes:", got.Flashes)
	fmt.Println("regenerated:", got.Regenerated)
	fmt.Println("cookie:", got.Cookie.Name, got.Cookie.HttpOnly)
	// Output:
	// values: map[cart:[tea] user:ada]
	// changed: [user]
	// flashes: [{message Welcome back.}]
	// regenerated: true
	// cookie: session true
}

func ExampleVisitor_Attach_echo() {
	signOut := func(c echo.Context) error { return sessions.Default(c).Destroy() }

	visitor := sessionstest.New(map[string]any{"user": "ada"})
	c := echo.New().NewContext(httptest.NewRequest("POST", "/sign-out", nil), httptest.NewRecorder())
	visitor.Attach(c)
	err := signOut(c)

	got := visitor.Result()
	fmt.Println(err, got.Destroyed, got.Values, got.Cookie.MaxAge)
	// Output: <nil> true map[] -1
}

func ExampleVisitor_Attach_echov5() {
	visit := func(c *echov5.Context) error {
		n := sessions.Update(sessions.Default(c), "visits", func(n int) int { return n + 1 })
		return c.String(http.StatusOK, fmt.Sprint("visit ", n))
	}

	visitor := sessionstest.New(map[string]any{"visits": 41})
	w := httptest.NewRecorder()
	c := echov5.New().NewContext(httptest.NewRequest("GET", "/", nil), w)
	visitor.Attach(c)
	err := visit(c)

	fmt.Println(err, w.Body, visitor.Result().Changed)
	// Output: <nil> visit 42 [visits]
}

// A whole application, with its routes and its middleware.
func ExampleVisitor_Serve() {
	visitor := sessionstest.New(map[string]any{"user": "ada"})

	app := gin.New()
	app.Use(ginsession.New(visitor)) // instead of ginsession.New(cfg)
	app.GET("/me", func(c *gin.Context) {
		user, ok := sessions.Value[string](sessions.Default(c), "user")
		if !ok {
			c.AbortWithStatus(http.StatusUnauthorized)
			return
		}
		c.String(http.StatusOK, "signed in as %s", user)
	})

	w := visitor.Serve(app, httptest.NewRequest("GET", "/me", nil))
	fmt.Println(w.Code, w.Body)
	w = httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequest("GET", "/me", nil)) // somebody else
	fmt.Println(w.Code)
	// Output:
	// 200 signed in as ada
	// 401
}

func ExampleNewWithConfig() {
	visitor := sessionstest.New(map[string]any{"user": "ada"})
	admin := sessionstest.NewWithConfig(sessions.Config{Name: "admin"}, map[string]any{"role": "auditor"})

	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	visitor.Attach(c)
	admin.Attach(c)

	fmt.Println(sessions.Default(c).Get("user"), sessions.Named(c, "admin").Get("role"))
	// Output: ada auditor
}

// Code that is given a session needs no framework.
func ExampleVisitor_Session() {
	add := func(s *sessions.Session, item string) {
		sessions.Update(s, "cart", func(cart []string) []string { return append(cart, item) })
	}

	visitor := sessionstest.New(map[string]any{"cart": []string{"tea"}})
	add(visitor.Session(), "pot")
	add(visitor.Session(), "cup") // the next request
	fmt.Println(visitor.Result().Values)
	// Output: map[cart:[tea pot cup]]
}
