package browsertest

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// tour looks at every page of the shop: as a stranger, with a full cart and
// the longest name there is, and after signing out.
func (v *tab) tour(look func(page string)) {
	v.t.Helper()
	v.open("/session")
	look("session of nobody")
	v.open("/cart")
	look("empty cart")
	v.open("/")
	look("home")
	v.open("/sign-in")
	look("sign in")
	name := "Wilhelmina Featherstonehaugh-Wolverhampton"[:40]
	v.signIn(name)
	for _, tea := range []string{"sencha", "darjeeling", "puerh"} {
		v.click("#" + tea + " button")
	}
	look("home with a message")
	v.open("/cart")
	look("cart")
	v.open("/session")
	look("session")
	v.click(`form[action="/sign-out"] button`)
	look("goodbye")
}

// phone looks at the shop on a phone of 390 by 844 pixels, held upright.
func phone(t *testing.T, browser context.Context, shop string) {
	v := newVisitor(t, browser, shop)
	v.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait))
	v.tour(func(page string) {
		t.Helper()
		v.fits(page)
		v.picture("phone " + page)
	})
}

// desktop looks at the shop on a wide screen, and at some of it in the dark.
func desktop(t *testing.T, browser context.Context, shop string) {
	v := newVisitor(t, browser, shop)
	v.do(chromedp.EmulateViewport(1280, 800))
	look := func(page string) {
		t.Helper()
		v.fits(page)
		v.picture("desktop " + page)
	}
	v.prefer("light")
	v.tour(look)
	v.prefer("dark")
	for page, path := range map[string]string{"dark home": "/", "dark sign in": "/sign-in", "dark session": "/session"} {
		v.open(path)
		look(page)
	}
}

// fits checks that the page is no wider than the screen, that its text can be
// read and that its controls can be hit with a thumb.
func (v *tab) fits(page string) {
	v.t.Helper()
	wrong := evaluate[[]string](v, `(() => {
		const wrong = [], page = document.documentElement
		if (page.scrollWidth > page.clientWidth) wrong.push("is " + page.scrollWidth + " pixels wide, on a screen of " + page.clientWidth)
		for (const e of document.querySelectorAll("button, .button, nav a, .brand, input:not([type=hidden]):not([type=checkbox]), label.check")) {
			const box = e.getBoundingClientRect()
			if (box.width < 40 || box.height < 40) wrong.push(e.outerHTML.slice(0, 60) + " is " + box.width + " by " + box.height)
			if (box.left < 0 || box.right > page.clientWidth) wrong.push(e.outerHTML.slice(0, 60) + " is out of sight")
		}
		const text = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
		while (text.nextNode()) {
			const size = parseFloat(getComputedStyle(text.currentNode.parentElement).fontSize)
			if (text.currentNode.data.trim() && size < 12) wrong.push(text.currentNode.data + " is written in " + size + " pixels")
		}
		return wrong
	})()`)
	if len(wrong) > 0 {
		v.t.Errorf("%s: %s", page, strings.Join(wrong, "\n"))
	}
}
