package main

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/ginsession"
	"github.com/go-session2/sessions/internal/exampleapp"
)

// newHandler returns the shop. store is where its sessions are, for people to
// read.
func newHandler(manager *sessions.Manager, store string) http.Handler {
	r := gin.New()
	r.Use(gin.Recovery(), ginsession.New(manager))
	r.SetHTMLTemplate(exampleapp.Templates())

	s := shop{store: store}
	r.GET("/", s.home)
	r.GET("/cart", s.cart)
	r.POST("/cart/add", s.addToCart)
	r.POST("/cart/change", s.changeCart)
	r.POST("/cart/remove", s.removeFromCart)
	r.POST("/order", s.order)
	r.GET("/sign-in", s.signInForm)
	r.POST("/sign-in", s.signIn)
	r.POST("/sign-out", s.signOut)
	r.GET("/goodbye", s.goodbye)
	r.GET("/session", s.session)
	r.StaticFS("/static", http.FS(exampleapp.Static()))
	r.NoRoute(s.missing)

	// The session cookie is SameSite=Lax, so a form on another site cannot
	// post with it; this refuses such a post altogether.
	return http.NewCrossOriginProtection().Handler(r)
}
