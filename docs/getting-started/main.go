// A site to sign in to, and to sign out of.
package main

import (
	"fmt"
	"log"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/filebackend"
	"github.com/go-session2/sessions/ginsession"
)

func main() {
	store, err := filebackend.New(filebackend.Config{Dir: "sessions"})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(site(sessions.Config{Backend: store}).Run("127.0.0.1:8080"))
}

func site(src sessions.Source) *gin.Engine {
	r := gin.New()
	r.Use(gin.Recovery(), ginsession.New(src))
	r.GET("/", home)
	r.POST("/sign-in", signIn)
	r.POST("/sign-out", signOut)
	return r
}

func home(c *gin.Context) {
	s := sessions.Default(c)
	page := "Please sign in.\n"
	if user, ok := sessions.Value[string](s, "user"); ok {
		visits := sessions.Update(s, "visits", func(n int) int { return n + 1 })
		page = fmt.Sprintf("%s, page %d\n", user, visits)
	}
	for _, f := range s.Flashes() {
		page += fmt.Sprintln(f.Message)
	}
	c.String(http.StatusOK, "%s", page)
}

func signIn(c *gin.Context) {
	user := c.PostForm("user") // check the password here
	s := sessions.Default(c)
	if err := s.Regenerate(); err != nil { // an ID from before is worth nothing now
		c.AbortWithStatus(http.StatusServiceUnavailable)
		return
	}
	s.Set("user", user)
	s.AddFlash("Welcome back.")
	c.Redirect(http.StatusSeeOther, "/")
}

func signOut(c *gin.Context) {
	if err := sessions.Default(c).Destroy(); err != nil { // gone from the store when this returns
		c.AbortWithStatus(http.StatusServiceUnavailable)
		return
	}
	c.Redirect(http.StatusSeeOther, "/")
}
