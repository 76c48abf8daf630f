package browsertest

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A tab is a tab of a browser in a shop. What a page does wrong in it, such as
// asking another host for something, fails the test.
type tab struct {
	t    *testing.T
	ctx  context.Context
	shop string
}

// newVisitor opens a tab of somebody who was never in the shop. Tabs that are
// opened with [tab.another] share its cookies, and nobody else does.
func newVisitor(t *testing.T, browser context.Context, shop string) *tab {
	t.Helper()
	return newTab(t, browser, shop, chromedp.WithNewBrowserContext())
}

// another opens a further tab of the same visitor.
func (v *tab) another() *tab {
	v.t.Helper()
	return newTab(v.t, v.ctx, v.shop)
}

func newTab(t *testing.T, parent context.Context, shop string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(parent, options...)
	t.Cleanup(closeTab)
	v := &tab{t: t, ctx: ctx, shop: shop}
	var mu sync.Mutex
	var wrong []string
	complain := func(what string) {
		mu.Lock()
		wrong = append(wrong, what)
		mu.Unlock()
	}
	err := chromedp.Listen(ctx, func(event any) {
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			if asked, err := url.Parse(event.Request.URL); err != nil || asked.Scheme+"://"+asked.Host != shop {
				complain("asks for " + event.Request.URL)
			}
		case *runtime.EventExceptionThrown:
			complain("throws: " + event.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			complain("writes to the console")
		case *log.EventEntryAdded:
			if event.Entry.Level == log.EntryLevelError || event.Entry.Level == log.EntryLevelWarning {
				complain("is told off by the browser: " + event.Entry.Text + " " + event.Entry.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, what := range wrong {
			t.Errorf("the page %s", what)
		}
	})
	return v
}

// do runs actions that stay on the page.
func (v *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		v.t.Fatal(err)
	}
}

// follow runs actions that lead to another page, and waits until that is
// there and drawn: only then has the field that it begins with the focus.
func (v *tab) follow(steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	if err := v.tryFollow(steps...); err != nil {
		v.t.Fatal(err)
	}
	v.do(chromedp.Evaluate[chromedp.Void](`document.hidden || new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))`,
		chromedp.EvalAwaitPromise))
}

// tryFollow is follow for goroutines other than the test's.
func (v *tab) tryFollow(steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	_, err := chromedp.RunResponse(ctx, steps...)
	return err
}

// open goes to a page of the shop.
func (v *tab) open(path string) {
	v.t.Helper()
	v.follow(chromedp.Navigate(v.shop + path))
}

// click clicks on what leads to another page.
func (v *tab) click(selector string) {
	v.t.Helper()
	v.follow(chromedp.Click(chromedp.CSS(selector)))
}

// evaluate returns the value of a JavaScript expression.
func evaluate[T any](v *tab, expression string) T {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		v.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// expect checks what the page shows.
func (v *tab) expect(texts ...string) {
	v.t.Helper()
	page := evaluate[string](v, "document.body.innerText")
	for _, text := range texts {
		if !strings.Contains(page, text) {
			v.t.Errorf("the page does not show %q:\n%s", text, page)
		}
	}
}

// expectNot checks what the page does not show.
func (v *tab) expectNot(texts ...string) {
	v.t.Helper()
	page := evaluate[string](v, "document.body.innerText")
	for _, text := range texts {
		if strings.Contains(page, text) {
			v.t.Errorf("the page shows %q:\n%s", text, page)
		}
	}
}

// signIn signs in by mouse and keyboard.
func (v *tab) signIn(name string) {
	v.t.Helper()
	v.open("/sign-in")
	password := evaluate[string](v, `document.querySelector("main code").innerText`)
	v.do(chromedp.SendKeys(chromedp.CSS("input[name=name]"), name), chromedp.SendKeys(chromedp.CSS("input[name=password]"), password))
	v.click("main form button")
	v.expect("Welcome, "+name, "Sign out")
}

// prefer sets the colors that the visitor likes, "light" or "dark".
func (v *tab) prefer(scheme string) {
	v.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	v.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media)
		return err
	}))
}

// picture keeps a picture of the whole page, seen from its top.
func (v *tab) picture(name string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	v.do(chromedp.Evaluate[chromedp.Void]("scrollTo(0, 0)"))
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(v.t.ArtifactDir(), name+".png"), png, 0o644); err != nil {
		v.t.Error(err)
	}
}
