package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/internal/exampleapp"
)

// shop has the handlers. None of them saves its session: that happens by
// itself, before the first byte of the response.
type shop struct{ store string }

// show renders a page, with what is common to all of them.
func (shop shop) show(c *gin.Context, status int, name string, content any) {
	s := sessions.Default(c)
	user, _ := sessions.Value[exampleapp.User](s, "user")
	cart, _ := sessions.Value[exampleapp.Cart](s, "cart")
	c.HTML(status, name, exampleapp.Page{
		Name: name, Served: "Gin", Store: shop.store,
		User: user, Bags: cart.Bags(),
		Flashes: s.Flashes(), // taken out of the session: each is shown once
		Content: content,
	})
}

func (shop shop) home(c *gin.Context) {
	s := sessions.Default(c)
	if s.Get("started") == nil {
		s.Set("started", time.Now())
	}
	// Two tabs that open at once count as two: no update is lost.
	visits := sessions.Update(s, "visits", func(n int) int { return n + 1 })
	shop.show(c, http.StatusOK, "home", exampleapp.Home{Visits: visits, Goods: exampleapp.Goods()})
}

func (shop shop) cart(c *gin.Context) {
	cart, _ := sessions.Value[exampleapp.Cart](sessions.Default(c), "cart")
	shop.show(c, http.StatusOK, "cart", cart)
}

func (shop shop) addToCart(c *gin.Context) {
	s := sessions.Default(c)
	tea, ok := exampleapp.Find(c.PostForm("tea"))
	if !ok {
		s.AddFlash("We do not have that tea.", "error")
		c.Redirect(http.StatusSeeOther, "/")
		return
	}
	sessions.Update(s, "cart", func(cart exampleapp.Cart) exampleapp.Cart { return cart.Add(tea.ID, 1) })
	s.AddFlash(tea.Name + " is in your cart.")
	c.Redirect(http.StatusSeeOther, "/#"+tea.ID)
}

func (shop shop) changeCart(c *gin.Context) {
	s := sessions.Default(c)
	tea, ok := exampleapp.Find(c.PostForm("tea"))
	bags, err := strconv.Atoi(c.PostForm("bags"))
	if ok && err == nil {
		cart := sessions.Update(s, "cart", func(cart exampleapp.Cart) exampleapp.Cart { return cart.With(tea.ID, bags) })
		s.AddFlash(fmt.Sprintf("%s: now %d in your cart.", tea.Name, cart[tea.ID]))
	} else {
		s.AddFlash("That is no number of bags.", "error")
	}
	c.Redirect(http.StatusSeeOther, "/cart")
}

func (shop shop) removeFromCart(c *gin.Context) {
	s := sessions.Default(c)
	if tea, ok := exampleapp.Find(c.PostForm("tea")); ok {
		sessions.Update(s, "cart", func(cart exampleapp.Cart) exampleapp.Cart { return cart.With(tea.ID, 0) })
		s.AddFlash(tea.Name + " is back on the shelf.")
	}
	c.Redirect(http.StatusSeeOther, "/cart")
}

func (shop shop) order(c *gin.Context) {
	s := sessions.Default(c)
	user, ok := sessions.Value[exampleapp.User](s, "user")
	if !ok {
		s.AddFlash("Please sign in to order.", "error")
		c.Redirect(http.StatusSeeOther, "/sign-in")
		return
	}
	cart, _ := sessions.Value[exampleapp.Cart](s, "cart")
	if cart.Bags() > 0 {
		s.Delete("cart")
		s.AddFlash(fmt.Sprintf("Thank you, %s. Tea for %s would be on its way, were this a real shop.", user.Name, cart.Total()))
	}
	c.Redirect(http.StatusSeeOther, "/cart")
}

func (shop shop) signInForm(c *gin.Context) {
	shop.show(c, http.StatusOK, "sign-in", exampleapp.DemoPassword)
}

func (shop shop) signIn(c *gin.Context) {
	s := sessions.Default(c)
	user, ok := exampleapp.Check(c.PostForm("name"), c.PostForm("password"))
	if !ok {
		s.AddFlash("That name and password do not fit together.", "error")
		c.Redirect(http.StatusSeeOther, "/sign-in")
		return
	}
	s.Set("user", user)
	s.SetPermanent(c.PostForm("stay") == "yes")
	s.AddFlash("Welcome, " + user.Name + ".")
	// New rights, new ID: an ID that somebody planted or saw before is worth
	// nothing now. The data, such as the cart, stays. ErrGone means that a
	// second click on the button was faster, which is as good.
	if err := s.Regenerate(); err != nil && !errors.Is(err, sessions.ErrGone) {
		_ = c.Error(err) // the middleware answers, see Config.ErrorHandler
		return
	}
	c.Redirect(http.StatusSeeOther, "/")
}

func (shop shop) signOut(c *gin.Context) {
	// At once, in the store and in the browser. A flash message would begin
	// a new session, so the next page has the message itself.
	if err := sessions.Default(c).Destroy(); err != nil {
		_ = c.Error(err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/goodbye")
}

func (shop shop) goodbye(c *gin.Context) { shop.show(c, http.StatusOK, "goodbye", nil) }

func (shop shop) missing(c *gin.Context) { shop.show(c, http.StatusNotFound, "missing", nil) }

func (shop shop) session(c *gin.Context) {
	s := sessions.Default(c)
	started, _ := sessions.Value[time.Time](s, "started")
	view := exampleapp.SessionView{
		ID:        exampleapp.Shorten(s.ID()),
		New:       s.IsNew(),
		Permanent: s.Permanent(),
		Started:   started,
	}
	for key, value := range s.All() {
		view.Add(key, value)
	}
	shop.show(c, http.StatusOK, "session", &view)
}
