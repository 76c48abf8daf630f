package sessions_test

import (
	"context"
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

// A sign-in and a sign-out, each in one call.
func ExampleSession_Login() {
	visitor := sessionstest.New(map[string]any{"cart": "tea"})
	if err := visitor.Session().Login("ada"); err != nil { // in a handler: sessions.Default(c)
		log.Fatal(err)
	}
	fmt.Println("a new ID:", visitor.Result().Regenerated)

	s := visitor.Session() // the next request
	fmt.Println(s.Principal(), "has", s.Get("cart"))

	if err := s.Logout(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("destroyed:", visitor.Result().Destroyed)
	// Output:
	// a new ID: true
	// ada has tea
	// destroyed: true
}

// The sessions of a user, and how to end them everywhere.
func ExampleManager_RevokeAll() {
	store, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		log.Fatal(err)
	}
	manager, err := sessions.NewManager(sessions.Config{Backend: store})
	if err != nil {
		log.Fatal(err)
	}
	defer manager.Close()
	app := gin.New()
	app.Use(ginsession.New(manager))
	app.POST("/sign-in", func(c *gin.Context) {
		if err := sessions.Default(c).Login("ada"); err != nil {
			c.AbortWithStatus(http.StatusServiceUnavailable)
		}
	})
	for range 3 { // three browsers
		app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/sign-in", nil))
	}

	ctx := context.Background()
	list, err := manager.Sessions(ctx, "ada")
	fmt.Println(len(list), err)
	n, err := manager.RevokeAll(ctx, "ada") // after a change of the password
	fmt.Println(n, err)
	list, err = manager.Sessions(ctx, "ada")
	fmt.Println(len(list), err)
	// Output:
	// 3 <nil>
	// 3 <nil>
	// 0 <nil>
}
