package browsertest

import (
	"context"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestShops visits both examples.
func TestShops(t *testing.T) {
	browser := startBrowser(t)
	for _, example := range []string{"example_gin", "example_echo"} {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			shop := openShop(t, example)
			for name, test := range map[string]func(*testing.T, context.Context, string){
				"two tabs": twoTabs, "flash": flash, "keyboard": keyboard, "phone": phone, "desktop": desktop,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, browser, shop)
				})
			}
		})
	}
}

// twoTabs fills a cart from two tabs at once, and signs out in one.
func twoTabs(t *testing.T, browser context.Context, shop string) {
	one := newVisitor(t, browser, shop)
	one.open("/")
	one.signIn("Ada")
	two := one.another()
	two.open("/")
	two.expect("Good to see you, Ada")

	const rounds = 5
	errs := make(chan error, 2*rounds)
	var both sync.WaitGroup
	for tea, v := range map[string]*tab{"sencha": one, "assam": two} {
		both.Go(func() {
			for range rounds {
				errs <- v.tryFollow(chromedp.Evaluate[chromedp.Void](`document.querySelector("#` + tea + ` button").click()`))
			}
		})
	}
	both.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range []*tab{one, two} {
		v.open("/cart")
		bags := evaluate[[]string](v, `[...document.querySelectorAll(".lines li")].map(li => li.querySelector("h2").innerText + ": " + li.querySelector(".stepper span").innerText)`)
		if len(bags) != 2 || bags[0] != "Sencha Asatsuyu: 5" || bags[1] != "Assam Second Flush: 5" {
			t.Errorf("the cart has %q, want 5 bags of each of two teas", bags)
		}
	}

	two.open("/session")
	two.expect("This is all that is stored about you", "Ada")
	one.click(`form[action="/sign-out"] button`)
	one.expect("You are signed out")
	two.click(`nav a[href="/cart"]`) // a page from before, on which Ada is still signed in
	two.expect("Nothing in it yet.", "Sign in")
	two.expectNot("Ada", "Sign out")
	two.click(`nav a[href="/session"]`)
	two.expect("Nothing is stored about you")
}

// flash looks whether a message is shown, and shown once.
func flash(t *testing.T, browser context.Context, shop string) {
	v := newVisitor(t, browser, shop)
	v.open("/")
	const message = "Aged Pu-erh is in your cart."
	v.click("#puerh button")
	v.expect(message)
	v.follow(chromedp.Reload())
	v.expectNot(message)
	v.open("/cart")
	v.expectNot(message)
	v.expect("Aged Pu-erh")
}
