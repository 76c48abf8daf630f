package main

import (
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions/sessionstest"
)

func TestSignOut(t *testing.T) {
	visitor := sessionstest.New(map[string]any{"user": "ada"})
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest("POST", "/sign-out", nil)
	visitor.Attach(c)
	signOut(c)
	if !visitor.Result().Destroyed {
		t.Error("still signed in")
	}
}

func TestHome(t *testing.T) {
	visitor := sessionstest.New(map[string]any{"user": "ada", "visits": 1})
	page := visitor.Serve(site(visitor), httptest.NewRequest("GET", "/", nil))
	if page.Body.String() != "ada, page 2\n" {
		t.Errorf("got %q", page.Body)
	}
}
