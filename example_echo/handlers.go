package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/internal/exampleapp"
)

// shop has the handlers. None of them saves its session: that happens by
// itself, before the first byte of the response.
type shop struct{ store string }

// show renders a page, with what is common to all of them.
func (shop shop) show(c echo.Context, status int, name string, content any) error {
	s := sessions.Default(c)
	user, _ := sessions.Value[exampleapp.User](s, "user")
	cart, _ := sessions.Value[exampleapp.Cart](s, "cart")
	return c.Render(status, name, exampleapp.Page{
		Name: name, Served: "Echo", Store: shop.store,
		User: user, Bags: cart.Bags(),
		Flashes: s.Flashes(), // taken out of the session: each is shown once
		Content: content,
	})
}

func (shop shop) home(c echo.Context) error {
	s := sessions.Default(c)
	if s.Get("started") == nil {
		s.Set("started", time.Now())
	}
	// Two tabs that open at once count as two: no update is lost.
	visits := sessions.Update(s, "visits", func(n int) int { return n + 1 })
	return shop.show(c, http.StatusOK, "home", exampleapp.Home{Visits: visits, Goods: exampleapp.Goods()})
}

func (shop shop) cart(c echo.Context) error {
	cart, _ := sessions.Value[exampleapp.Cart](sessions.Default(c), "cart")
	return shop.show(c, http.StatusOK, "cart", cart)
}

func (shop shop) addToCart(c echo.Context) error {
	s := sessions.Default(c)
	tea, ok := exampleapp.Find(c.FormValue("tea"))
	if !ok {
		s.AddFlash("We do not have that tea.", "error")
		return c.Redirect(http.StatusSeeOther, "/")
	}
	sessions.Update(s, "cart", func(cart exampleapp.Cart) exampleapp.Cart { return cart.Add(tea.ID, 1) })
	s.AddFlash(tea.Name + " is in your cart.")
	return c.Redirect(http.StatusSeeOther, "/#"+tea.ID)
}

func (shop shop) changeCart(c echo.Context) error {
	s := sessions.Default(c)
	tea, ok := exampleapp.Find(c.FormValue("tea"))
	bags, err := strconv.Atoi(c.FormValue("bags"))
	if ok && err == nil {
		cart := sessions.Update(s, "cart", func(cart exampleapp.Cart) exampleapp.Cart { return cart.With(tea.ID, bags) })
		s.AddFlash(fmt.Sprintf("%s: now %d in your cart.", tea.Name, cart[tea.ID]))
	} else {
		s.AddFlash("That is no number of bags.", "error")
	}
	return c.Redirect(http.StatusSeeOther, "/cart")
}

func (shop shop) removeFromCart(c echo.Context) error {
	s := sessions.Default(c)
	if tea, ok := exampleapp.Find(c.FormValue("tea")); ok {
		sessions.Update(s, "cart", func(cart exampleapp.Cart) exampleapp.Cart { return cart.With(tea.ID, 0) })
		s.AddFlash(tea.Name + " is back on the shelf.")
	}
	return c.Redirect(http.StatusSeeOther, "/cart")
}

func (shop shop) order(c echo.Context) error {
	s := sessions.Default(c)
	user, ok := sessions.Value[exampleapp.User](s, "user")
	if !ok {
		s.AddFlash("Please sign in to order.", "error")
		return c.Redirect(http.StatusSeeOther, "/sign-in")
	}
	cart, _ := sessions.Value[exampleapp.Cart](s, "cart")
	if cart.Bags() > 0 {
		s.Delete("cart")
		s.AddFlash(fmt.Sprintf("Thank you, %s. Tea for %s would be on its way, were this a real shop.", user.Name, cart.Total()))
	}
	return c.Redirect(http.StatusSeeOther, "/cart")
}

func (shop shop) signInForm(c echo.Context) error {
	return shop.show(c, http.StatusOK, "sign-in", exampleapp.DemoPassword)
}

func (shop shop) signIn(c echo.Context) error {
	s := sessions.Default(c)
	user, ok := exampleapp.Check(c.FormValue("name"), c.FormValue("password"))
	if !ok {
		s.AddFlash("That name and password do not fit together.", "error")
		return c.Redirect(http.StatusSeeOther, "/sign-in")
	}
	s.Set("user", user)
	s.SetPermanent(c.FormValue("stay") == "yes")
	s.AddFlash("Welcome, " + user.Name + ".")
	// New rights, new ID: an ID that somebody planted or saw before is worth
	// nothing now. The data, such as the cart, stays. ErrGone means that a
	// second click on the button was faster, which is as good.
	if err := s.Regenerate(); err != nil && !errors.Is(err, sessions.ErrGone) {
		return err // the middleware answers, see Config.ErrorHandler
	}
	return c.Redirect(http.StatusSeeOther, "/")
}

func (shop shop) signOut(c echo.Context) error {
	// At once, in the store and in the browser. A flash message would begin
	// a new session, so the next page has the message itself.
	if err := sessions.Default(c).Destroy(); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/goodbye")
}

func (shop shop) goodbye(c echo.Context) error { return shop.show(c, http.StatusOK, "goodbye", nil) }

func (shop shop) missing(c echo.Context) error {
	return shop.show(c, http.StatusNotFound, "missing", nil)
}

func (shop shop) session(c echo.Context) error {
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
	return shop.show(c, http.StatusOK, "session", &view)
}
