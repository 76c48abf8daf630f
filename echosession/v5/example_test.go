package echosession_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v5"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/memorybackend"
	echosession "github.com/go-session2/sessions/echosession/v5"
)

func ExampleNew() {
	mem, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		log.Fatal(err)
	}
	e := echo.New()
	e.Use(echosession.New(sessions.Config{Backend: mem}))
	e.GET("/", func(c *echo.Context) error {
		n := sessions.Update(sessions.Default(c), "visits", func(n int) int { return n + 1 })
		return c.String(http.StatusOK, fmt.Sprintf("visit %d", n))
	})

	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Body, len(w.Result().Cookies()))
	// Output: visit 1 1
}

// Use returns an error where New panics. Here only the pages below /account
// have sessions.
func ExampleUse() {
	e := echo.New()
	e.GET("/health", func(c *echo.Context) error { return c.NoContent(http.StatusNoContent) })

	err := echosession.Use(e.Group("/account"), sessions.Config{SameSite: http.SameSiteNoneMode})
	fmt.Println(err)
	// Output: sessions: invalid Config: SameSite=None needs Secure: SecureAlways, or browsers drop the cookie
}
