package sessions_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/echosession"
	"github.com/go-session2/sessions/ginsession"
)

// The programs of docs/migrating.md as they are afterwards. TestGuides checks
// that the document shows them.

func ginShop(client *redis.Client) (*gin.Engine, error) {
	r := gin.New()
	err := ginsession.Use(r, sessions.Config{
		Backend: redisbackend.New(client), Name: "shop", Lifetime: 7 * 24 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	r.POST("/sign-in", func(c *gin.Context) {
		s := sessions.Default(c)
		if err := s.Regenerate(); err != nil {
			c.AbortWithStatus(http.StatusServiceUnavailable)
			return
		}
		s.Set("user", c.PostForm("user"))
		s.AddFlash("Welcome back.")
		c.Redirect(http.StatusSeeOther, "/")
	})
	r.GET("/", func(c *gin.Context) {
		s := sessions.Default(c)
		visits := sessions.Update(s, "visits", func(n int) int { return n + 1 })
		c.String(http.StatusOK, "%v, visit %d, %d messages", s.Get("user"), visits, len(s.Flashes()))
	})
	r.POST("/sign-out", func(c *gin.Context) {
		if err := sessions.Default(c).Destroy(); err != nil {
			c.AbortWithStatus(http.StatusServiceUnavailable)
			return
		}
		c.Redirect(http.StatusSeeOther, "/")
	})
	return r, nil
}

func echoShop(client *redis.Client) (*echo.Echo, error) {
	e := echo.New()
	err := echosession.Use(e, sessions.Config{
		Backend: redisbackend.New(client), Name: "shop", Lifetime: 7 * 24 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	e.GET("/", func(c echo.Context) error {
		s := sessions.Default(c)
		visits := sessions.Update(s, "visits", func(n int) int { return n + 1 })
		return c.String(http.StatusOK, fmt.Sprintf("visit %d", visits))
	})
	return e, nil
}

func wrappedShop(client *redis.Client) (*echo.Echo, error) {
	e := echo.New()
	err := echosession.Use(e, sessions.Config{
		Backend: redisbackend.New(client), Lifetime: 20 * time.Minute, AbsoluteLifetime: 24 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	e.POST("/sign-in", func(c echo.Context) error {
		s := sessions.Default(c)
		if err := s.Regenerate(); err != nil {
			return err
		}
		s.Set("user", c.FormValue("user"))
		return c.Redirect(http.StatusSeeOther, "/")
	})
	e.GET("/", func(c echo.Context) error {
		user, _ := sessions.Value[string](sessions.Default(c), "user")
		return c.String(http.StatusOK, "Hello, "+user)
	})
	return e, nil
}

func Example_fromGinContrib() {
	client, done := redisServer()
	defer done()
	shop, err := ginShop(client)
	if err != nil {
		fmt.Println(err)
		return
	}
	var b browser
	fmt.Println(b.visit(shop, "POST", "/sign-in", "user=ada"))
	fmt.Println(b.visit(shop, "GET", "/", ""))
	fmt.Println(b.visit(shop, "GET", "/", ""))
	fmt.Println(b.visit(shop, "POST", "/sign-out", ""))
	fmt.Println(b.visit(shop, "GET", "/", ""))
	// Output:
	// 303
	// 200 ada, visit 1, 1 messages
	// 200 ada, visit 2, 0 messages
	// 303
	// 200 <nil>, visit 1, 0 messages
}

func Example_fromEchoContrib() {
	client, done := redisServer()
	defer done()
	shop, err := echoShop(client)
	if err != nil {
		fmt.Println(err)
		return
	}
	var b browser
	fmt.Println(b.visit(shop, "GET", "/", ""))
	fmt.Println(b.visit(shop, "GET", "/", ""))
	// Output:
	// 200 visit 1
	// 200 visit 2
}

func Example_fromSCS() {
	client, done := redisServer()
	defer done()
	shop, err := wrappedShop(client)
	if err != nil {
		fmt.Println(err)
		return
	}
	var b browser
	fmt.Println(b.visit(shop, "POST", "/sign-in", "user=ada"))
	fmt.Println(b.visit(shop, "GET", "/", ""))
	// Output:
	// 303
	// 200 Hello, ada
}

// redisServer starts a Redis server in this process.
func redisServer() (client *redis.Client, done func()) {
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		panic(err)
	}
	client = redis.NewClient(&redis.Options{Addr: server.Addr()})
	return client, func() { client.Close(); server.Close() }
}

// A browser keeps the cookies of a shop.
type browser struct{ cookies map[string]*http.Cookie }

// visit sends a request, with the values of a form, and returns the response.
func (b *browser) visit(shop http.Handler, method, path, form string) string {
	r := httptest.NewRequest(method, path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	shop.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if b.cookies == nil {
			b.cookies = make(map[string]*http.Cookie)
		}
		if b.cookies[c.Name] = c; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	if w.Code == http.StatusSeeOther {
		return "303"
	}
	return fmt.Sprint(w.Code, " ", w.Body)
}
