package browsertest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// describe is a function that names an element as a visitor would.
const describe = `(e => e.getAttribute("aria-label") || e.innerText || e.labels?.[0]?.innerText || e.tagName)`

// focus tells which element has the focus, and what is wrong with how it
// shows that.
type focus struct{ Name, Wrong string }

// keyboard does everything without a mouse.
func keyboard(t *testing.T, browser context.Context, shop string) {
	v := newVisitor(t, browser, shop)
	v.open("/")
	v.reachesAll()
	v.press("Add Sencha Asatsuyu to the cart", kb.Enter)
	v.expect("Sencha Asatsuyu is in your cart.")
	if next := v.tabTo(); next.Name != "Add Sencha Asatsuyu to the cart" {
		t.Errorf("after a tea was added the focus goes on at %q instead of where it was", next.Name)
	}

	v.press("Sign in", kb.Enter)
	v.reachesAll()
	password := evaluate[string](v, `document.querySelector("main code").innerText`)
	v.open("/sign-in")
	v.do(chromedp.KeyEvent("Ada"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(password)) // the first field has the focus
	v.tabTo()
	v.do(chromedp.KeyEvent(" ")) // not to stay signed in
	v.press("Sign in", kb.Enter)
	v.expect("Welcome, Ada")

	v.press("Cart 1", kb.Enter)
	v.reachesAll()
	v.press("One bag of Sencha Asatsuyu more", " ")
	v.expect("now 2 in your cart")
	v.press("My session", kb.Enter)
	v.expect("the cookie goes when the browser closes")
	v.reachesAll()
	v.press("Sign out", kb.Enter)
	v.expect("You are signed out")
	v.reachesAll()

	v.open("/")
	v.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter)) // the link that skips the header
	if next := v.tabTo(); next.Name != "Add Sencha Asatsuyu to the cart" {
		t.Errorf("behind the header comes %q", next.Name)
	}
}

// press moves the focus to an element and presses a key that leads to another
// page.
func (v *tab) press(name, key string) {
	v.t.Helper()
	var seen []string
	for range 60 {
		if at := v.tabTo(); at.Name == name {
			v.follow(chromedp.KeyEvent(key))
			return
		} else {
			seen = append(seen, at.Name)
		}
	}
	v.t.Fatalf("Tab does not reach %q, but %q", name, seen)
}

// tabTo presses Tab and returns where that leads.
func (v *tab) tabTo() focus {
	v.t.Helper()
	v.do(chromedp.KeyEvent(kb.Tab))
	return evaluate[focus](v, `(() => {
		const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect()
		const on = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
		let wrong = ""
		if (e !== document.body) {
			if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) wrong = "has no outline"
			if (!on || !e.contains(on) && !on.contains(e)) wrong = "is covered or out of sight"
		}
		return {Name: `+describe+`(e).trim(), Wrong: wrong}
	})()`)
}

// reachesAll checks that Tab reaches all that can be operated, in the order
// in which it is read, and shows where it is.
func (v *tab) reachesAll() {
	v.t.Helper()
	want := evaluate[[]string](v, `[...document.querySelectorAll("a[href], button, input")]
		.filter(e => !e.disabled && e.type !== "hidden").map(e => `+describe+`(e).trim())`)
	var got []string
	for range len(want) + 2 { // behind the last comes the page itself
		at := v.tabTo()
		if at.Wrong != "" {
			v.t.Errorf("%q has the focus and %s", at.Name, at.Wrong)
		}
		got = append(got, at.Name)
	}
	// A page may begin with a field. From there on they come in order.
	start := slices.Index(want, got[0])
	if start < 0 {
		v.t.Fatalf("Tab leads to %q, which is none of %q", got[0], want)
	}
	if in := strings.Join(slices.Concat(got, got), "\n"); !strings.Contains(in, strings.Join(want[start:], "\n")) {
		v.t.Errorf("Tab leads to %q, want %q", got, want[start:])
	}
	for _, name := range want {
		if !slices.Contains(got, name) {
			v.t.Errorf("Tab does not reach %q", name)
		}
	}
}
