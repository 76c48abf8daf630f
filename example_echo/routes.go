package main

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/echosession"
	"github.com/go-session2/sessions/internal/exampleapp"
)

// newHandler returns the shop. store is where its sessions are, for people to
// read.
func newHandler(manager *sessions.Manager, store string) http.Handler {
	e := echo.New()
	e.Use(middleware.Recover(), echosession.New(manager))
	e.Renderer = &echo.TemplateRenderer{Template: exampleapp.Templates()}

	s := shop{store: store}
	e.GET("/", s.home)
	e.GET("/cart", s.cart)
	e.POST("/cart/add", s.addToCart)
	e.POST("/cart/change", s.changeCart)
	e.POST("/cart/remove", s.removeFromCart)
	e.POST("/order", s.order)
	e.GET("/sign-in", s.signInForm)
	e.POST("/sign-in", s.signIn)
	e.POST("/sign-out", s.signOut)
	e.GET("/goodbye", s.goodbye)
	e.GET("/session", s.session)
	e.StaticFS("/static", exampleapp.Static())
	e.RouteNotFound("/*", s.missing)

	// The session cookie is SameSite=Lax, so a form on another site cannot
	// post with it; this refuses such a post altogether.
	return http.NewCrossOriginProtection().Handler(e)
}
