package ginsession_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/ginsession"
)

func ExampleNew() {
	mem, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		log.Fatal(err)
	}
	r := gin.New()
	r.Use(gin.Recovery(), ginsession.New(sessions.Config{Backend: mem}))
	r.GET("/", func(c *gin.Context) {
		n := sessions.Update(sessions.Default(c), "visits", func(n int) int { return n + 1 })
		c.String(http.StatusOK, "visit %d", n)
	})

	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Body, len(w.Result().Cookies()))
	// Output: visit 1 1
}

// Use returns an error where New panics. Here only the pages below /account
// have sessions.
func ExampleUse() {
	r := gin.New()
	r.GET("/health", func(c *gin.Context) { c.Status(http.StatusNoContent) })

	err := ginsession.Use(r.Group("/account"), sessions.Config{SameSite: http.SameSiteNoneMode})
	fmt.Println(err)
	// Output: sessions: invalid Config: SameSite=None needs Secure: SecureAlways, or browsers drop the cookie
}
