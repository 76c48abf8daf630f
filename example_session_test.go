package sessions_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/sessionstest"
)

// Values come back with the Go type that they were set with.
func ExampleSession_Get() {
	visitor := sessionstest.New(nil)
	s := visitor.Session() // in a handler: sessions.Default(c)
	s.Set("id", int64(42))
	s.Set("ratio", float32(0.5))
	s.Set("since", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	s.Set("timeout", 90*time.Second)
	s.Set("token", []byte{1, 2})
	s.Set("roles", []string{"admin", "editor"})
	s.Set("stock", map[string]int{"tea": 3})

	s = visitor.Session() // the next request
	for _, key := range slices.Sorted(slices.Values(s.Keys())) {
		fmt.Printf("%-8s%T\t%v\n", key, s.Get(key), s.Get(key))
	}
	fmt.Println(s.Get("absent"))
	// Output:
	// id      int64	42
	// ratio   float32	0.5
	// roles   []string	[admin editor]
	// since   time.Time	2026-01-02 03:04:05 +0000 UTC
	// stock   map[string]int	map[tea:3]
	// timeout time.Duration	1m30s
	// token   []uint8	[1 2]
	// <nil>
}

func ExampleSession_Set() {
	visitor := sessionstest.New(nil)
	s := visitor.Session() // in a handler: sessions.Default(c)
	s.Set("user", "ada")
	s.Set("cart", []string{"tea"})
	// There is no Save to call: the response saves the session.

	s = visitor.Session() // the next request
	fmt.Println(s.Get("user"), s.Get("cart"))
	// Output: ada [tea]
}

func ExampleSession_Lookup() {
	s := sessionstest.New(map[string]any{"nickname": nil}).Session()
	nickname, ok := s.Lookup("nickname")
	fmt.Println(nickname, ok)
	email, ok := s.Lookup("email")
	fmt.Println(email, ok)
	// Output:
	// <nil> true
	// <nil> false
}

func ExampleSession_Delete() {
	visitor := sessionstest.New(map[string]any{"user": "ada", "coupon": "SPRING"})
	visitor.Session().Delete("coupon") // in a handler: sessions.Default(c).Delete("coupon")
	fmt.Println(visitor.Result().Values)
	// Output: map[user:ada]
}

// Pop is for what is used once, such as where to go after signing in.
func ExampleSession_Pop() {
	visitor := sessionstest.New(map[string]any{"next": "/orders"})
	s := visitor.Session() // in a handler: sessions.Default(c)
	fmt.Println(s.Pop("next"))
	fmt.Println(s.Pop("next"))
	// Output:
	// /orders
	// <nil>
}

func ExampleSession_Clear() {
	visitor := sessionstest.New(map[string]any{"step": 3, "draft": "..."})
	s := visitor.Session() // in a handler: sessions.Default(c)
	s.Clear()
	s.Set("step", 1)
	fmt.Println(visitor.Result().Values)
	// Output: map[step:1]
}

func ExampleSession_All() {
	s := sessionstest.New(map[string]any{"user": "ada", "theme": "dark"}).Session()
	values := maps.Collect(s.All())
	fmt.Println(s.Len(), values)
	// Output: 2 map[theme:dark user:ada]
}

func ExampleSession_IsNew() {
	visitor := sessionstest.New(nil)
	s := visitor.Session() // in a handler: sessions.Default(c)
	fmt.Println(s.IsNew())
	s.Set("seen", true)

	fmt.Println(visitor.Session().IsNew()) // the next request
	// Output:
	// true
	// false
}

// A message that the next page shows, once.
func ExampleSession_AddFlash() {
	visitor := sessionstest.New(nil)
	s := visitor.Session() // in the handler of the form: sessions.Default(c)
	s.AddFlash("Your order is on its way.")
	s.AddFlash("Only two left.", "warning")

	s = visitor.Session() // in the handler of the next page
	for _, f := range s.Flashes() {
		fmt.Printf("%s: %v\n", f.Category, f.Message)
	}
	fmt.Println(len(visitor.Session().Flashes())) // in the one after that
	// Output:
	// message: Your order is on its way.
	// warning: Only two left.
	// 0
}

// Some categories now, the others on another page.
func ExampleSession_Flashes() {
	visitor := sessionstest.New(nil)
	s := visitor.Session() // in a handler: sessions.Default(c)
	s.AddFlash("Saved.")
	s.AddFlash("The card expires soon.", "warning")

	fmt.Println(s.Flashes("warning", "error"))
	fmt.Println(s.Flashes())
	// Output:
	// [{warning The card expires soon.}]
	// [{message Saved.}]
}

// Signing in: a new ID, so that one that somebody knew before is worth
// nothing.
func ExampleSession_Regenerate() {
	visitor := sessionstest.New(map[string]any{"cart": []string{"tea"}})
	s := visitor.Session() // in a handler: sessions.Default(c)
	before := s.ID()
	if err := s.Regenerate(); err != nil {
		fmt.Println("not signed in:", err)
		return
	}
	s.Set("user", "ada")

	fmt.Println(s.ID() != before, s.Get("cart"))
	// Output: true [tea]
}

// Signing out: the session is gone from the store when Destroy returns.
func ExampleSession_Destroy() {
	visitor := sessionstest.New(map[string]any{"user": "ada"})
	s := visitor.Session() // in a handler: sessions.Default(c)
	if err := s.Destroy(); err != nil {
		fmt.Println("still signed in:", err)
		return
	}
	s.AddFlash("Good bye.") // in a new session

	result := visitor.Result()
	fmt.Println(result.Destroyed, result.Values, result.Flashes)
	// Output: true map[] [{message Good bye.}]
}

// "Keep me signed in": without it the cookie ends with the browser.
func ExampleSession_SetPermanent() {
	visitor := sessionstest.New(nil)
	signIn := func(user string, keep bool) {
		s := visitor.Session() // in a handler: sessions.Default(c)
		s.Set("user", user)
		s.SetPermanent(keep)
	}

	signIn("ada", true)
	fmt.Println(visitor.Result().Cookie.MaxAge)
	signIn("ada", false)
	fmt.Println(visitor.Result().Cookie.MaxAge)
	// Output:
	// 2678400
	// 0
}

func ExampleSession_SetLifetime() {
	visitor := sessionstest.New(map[string]any{"user": "ada"})
	visitor.Session().SetLifetime(15 * time.Minute) // in a handler: sessions.Default(c).SetLifetime(...)
	fmt.Println(visitor.Result().Cookie.MaxAge)
	// Output: 900
}

// Save is for a handler that hands the connection over, or that wants to know
// at once.
func ExampleSession_Save() {
	visitor := sessionstest.New(nil)
	s := visitor.Session() // in a handler: sessions.Default(c)
	s.Set("socket", 1)
	fmt.Println(s.Save())

	s.Set("callback", func() {}) // nothing that can be stored
	fmt.Println(errors.Is(s.Save(), sessions.ErrValue))
	// Output:
	// <nil>
	// true
}
