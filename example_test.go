package sessions_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/ginsession"
	"github.com/go-session2/sessions/sessionstest"
)

func Example() {
	mem, err := memorybackend.New(memorybackend.Config{}) // or Redis, SQL, files, ...
	if err != nil {
		log.Fatal(err)
	}
	r := gin.New()
	r.Use(ginsession.New(sessions.Config{Backend: mem}))
	r.GET("/", func(c *gin.Context) {
		n := sessions.Update(sessions.Default(c), "visits", func(n int) int { return n + 1 })
		c.String(http.StatusOK, "visit %d", n)
	})

	// Two requests of one browser.
	first := httptest.NewRecorder()
	r.ServeHTTP(first, httptest.NewRequest("GET", "/", nil))
	again := httptest.NewRequest("GET", "/", nil)
	for _, cookie := range first.Result().Cookies() {
		again.AddCookie(cookie)
	}
	second := httptest.NewRecorder()
	r.ServeHTTP(second, again)
	fmt.Println(first.Body)
	fmt.Println(second.Body)
	// Output:
	// visit 1
	// visit 2
}

func ExampleDefault() {
	greet := func(c *gin.Context) { // with Echo it is the same: sessions.Default(c)
		s := sessions.Default(c)
		if name, ok := s.Get("user").(string); ok {
			c.String(http.StatusOK, "Hello, %s!", name)
			return
		}
		c.String(http.StatusOK, "Hello, stranger!")
	}

	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	sessionstest.New(map[string]any{"user": "Ada"}).Attach(c)
	greet(c)
	fmt.Println(w.Body)
	// Output: Hello, Ada!
}

// Two sessions on one route, each with a cookie and rules of its own.
func ExampleNamed() {
	mem, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		log.Fatal(err)
	}
	r := gin.New()
	r.Use(ginsession.New(sessions.Config{Backend: mem}))
	r.Use(ginsession.New(sessions.Config{Backend: mem, Name: "admin", SameSite: http.SameSiteStrictMode}))
	r.GET("/", func(c *gin.Context) {
		sessions.Default(c).Set("theme", "dark")
		sessions.Named(c, "admin").Set("role", "auditor")
	})

	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	for _, c := range w.Result().Cookies() {
		fmt.Println(c.Name, c.SameSite == http.SameSiteStrictMode)
	}
	// Unordered output:
	// session false
	// admin true
}

// A struct needs no registration: it is stored by the names of its fields.
func ExampleValue() {
	type Address struct {
		City string
		Zip  string `session:"zip,omitempty"`
	}
	visitor := sessionstest.New(map[string]any{"home": Address{City: "London"}, "age": 36})
	s := visitor.Session() // in a handler: sessions.Default(c)

	home, ok := sessions.Value[Address](s, "home")
	fmt.Println(home.City, ok)
	_, ok = sessions.Value[string](s, "age") // is no string
	fmt.Println(ok, s.Err() != nil)
	_, ok = sessions.Value[int](s, "size") // is absent
	fmt.Println(ok)
	// Output:
	// London true
	// false true
	// false
}

// Update counts on the value that is stored when the session is saved, so
// that parallel requests lose no count.
func ExampleUpdate() {
	visitor := sessionstest.New(map[string]any{"visits": 41})
	s := visitor.Session() // in a handler: sessions.Default(c)

	n := sessions.Update(s, "visits", func(n int) int { return n + 1 })
	cart := sessions.Update(s, "cart", func(cart []string) []string { return append(cart, "tea") })
	fmt.Println(n, cart)
	// Output: 42 [tea]
}
