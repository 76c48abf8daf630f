package walk

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/internal/exampleapp"
)

// Shop checks a shop: what newHandler returns for a Manager and the name of
// its store.
func Shop(t *testing.T, newHandler func(*sessions.Manager, string) http.Handler) {
	t.Run("a visit", func(t *testing.T) { visit(t, newHandler) })
	t.Run("nothing stored", func(t *testing.T) { nothingStored(t, newHandler) })
	t.Run("wrong input", func(t *testing.T) { wrongInput(t, newHandler) })
	t.Run("another site", func(t *testing.T) { anotherSite(t, newHandler) })
	t.Run("store down", func(t *testing.T) { storeDown(t, newHandler) })
}

// visit is a visit from the first page to signing out.
func visit(t *testing.T, newHandler func(*sessions.Manager, string) http.Handler) {
	server, store := open(t, newHandler)
	v := newVisitor(t, server.URL)

	v.expect(v.get("/"), "your first visit")
	v.expect(v.get("/"), "<b>2 times</b>")
	if n := rows(t, store); n != 1 {
		t.Errorf("%d sessions in the store, want 1", n)
	}

	// The cart, with a flash message that is shown once.
	v.expect(v.post("/cart/add", "tea", "sencha"), "Sencha Asatsuyu is in your cart.", `<b class="count">1</b>`)
	v.expectNot(v.get("/cart"), "is in your cart.")
	v.post("/cart/add", "tea", "puerh")
	v.expect(v.post("/cart/change", "tea", "sencha", "bags", "3"), "Sencha Asatsuyu: now 3", "€26.70", "€41.60")
	v.expect(v.post("/cart/change", "tea", "sencha", "bags", "1000"), "now 20 in")
	v.post("/cart/change", "tea", "sencha", "bags", "2")
	page := v.post("/cart/remove", "tea", "puerh")
	v.expect(page, "Aged Pu-erh is back on the shelf.", "€17.80")
	v.expect(v.post("/order"), "Please sign in to order.")

	// Signing in changes the ID and keeps the cart.
	before := v.cookie()
	v.expect(v.post("/sign-in", "name", " Ada ", "password", exampleapp.DemoPassword, "stay", "yes"),
		"Good to see you, Ada", "Welcome, Ada.", `<b class="count">2</b>`)
	after := v.cookie()
	if after == "" || after == before {
		t.Error("the ID did not change")
	}
	if n := rows(t, store); n != 1 {
		t.Errorf("%d sessions in the store, want 1", n)
	}
	v.expectDead(before)

	page = v.get("/session")
	v.expect(page, after[:4]+"…", "map[string]int", "map[string]any", "&#34;sencha&#34;:2", "time.Time", "&#34;Ada&#34;", "visits", "expiry date")
	v.expectNot(page, after, after[:5])

	v.expect(v.post("/order"), "Thank you, Ada. Tea for €17.80", "Nothing in it yet.")
	v.post("/cart/add", "tea", "assam")

	// Signing out ends it in the store and in the browser.
	v.expect(v.post("/sign-out"), "You are signed out")
	if c := v.cookie(); c != "" {
		t.Error("there still is a cookie")
	}
	if n := rows(t, store); n != 0 {
		t.Errorf("%d sessions in the store, want none", n)
	}
	v.expectDead(after)
	v.expect(v.get("/cart"), "Nothing in it yet.", "Sign in")
	v.expect(v.get("/"), "your first visit")
}

// expectDead checks that an ID opens nothing.
func (v *visitor) expectDead(id string) {
	v.t.Helper()
	thief := newVisitor(v.t, v.base.String())
	thief.client.Jar.SetCookies(v.base, []*http.Cookie{{Name: sessions.DefaultName, Value: id, Path: "/"}})
	page := thief.get("/session")
	thief.expect(page, "Nothing is stored about you")
	thief.expectNot(page, "Ada", `class="count"`)
}

// nothingStored looks at pages that begin no session.
func nothingStored(t *testing.T, newHandler func(*sessions.Manager, string) http.Handler) {
	server, store := open(t, newHandler)
	v := newVisitor(t, server.URL)
	v.expect(v.get("/session"), "Nothing is stored about you")
	v.expect(v.get("/cart"), "Nothing in it yet.")
	v.expect(v.get("/sign-in"), exampleapp.DemoPassword)
	r, err := v.client.Get(server.URL + "/no-such-page")
	v.expect(v.page(r, err, http.StatusNotFound), "no such page")
	for path, contentType := range map[string]string{"/static/style.css": "text/css", "/static/favicon.svg": "image/svg+xml"} {
		r, err := v.client.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if got := r.Header.Get("Content-Type"); r.StatusCode != http.StatusOK || !strings.HasPrefix(got, contentType) {
			t.Errorf("%s: status %d, %q", path, r.StatusCode, got)
		}
	}
	if n := rows(t, store); n != 0 || v.cookie() != "" {
		t.Errorf("%d sessions in the store, want none and no cookie", n)
	}
}

// wrongInput sends forms that a page would not send.
func wrongInput(t *testing.T, newHandler func(*sessions.Manager, string) http.Handler) {
	server, _ := open(t, newHandler)
	v := newVisitor(t, server.URL)
	v.expect(v.post("/cart/add", "tea", "coffee"), "We do not have that tea.")
	v.expect(v.post("/cart/change", "tea", "sencha", "bags", "many"), "That is no number of bags.")
	v.expect(v.post("/cart/change", "tea", "sencha", "bags", "-3"), "Nothing in it yet.")
	v.post("/cart/remove", "tea", "coffee")
	v.post("/sign-out")
	for _, form := range [][]string{
		{"name", "Ada", "password", "earl grey"},
		{"name", "  ", "password", exampleapp.DemoPassword},
		{"name", strings.Repeat("a", 41), "password", exampleapp.DemoPassword},
		{},
	} {
		v.expect(v.post("/sign-in", form...), "do not fit together", "<h1>Sign in</h1>")
	}
	name := "<script>alert(1)</script>"
	v.expectNot(v.post("/sign-in", "name", name, "password", exampleapp.DemoPassword), name)
	v.expect(v.get("/session"), "when the browser closes")
}

// anotherSite posts as a browser does for a form on another site.
func anotherSite(t *testing.T, newHandler func(*sessions.Manager, string) http.Handler) {
	server, store := open(t, newHandler)
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"} {
		body := strings.NewReader(url.Values{"tea": {"sencha"}}.Encode())
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/cart/add", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(name, value)
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden || rows(t, store) != 0 {
			t.Errorf("%s: status %d, %d sessions; want 403 and none", name, resp.StatusCode, rows(t, store))
		}
	}
}

// storeDown asks for pages when the store does not answer.
func storeDown(t *testing.T, newHandler func(*sessions.Manager, string) http.Handler) {
	server, store := open(t, newHandler)
	v := newVisitor(t, server.URL)
	v.get("/")
	v.post("/cart/add", "tea", "sencha")
	before := v.cookie()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/cart", "/session"} {
		r, err := v.client.Get(server.URL + path)
		v.expect(v.page(r, err, http.StatusServiceUnavailable), "Back in a moment")
	}
	for _, path := range []string{"/cart/add", "/sign-in", "/sign-out"} {
		r, err := v.client.PostForm(server.URL+path, url.Values{"tea": {"assam"}, "name": {"Ada"}, "password": {exampleapp.DemoPassword}})
		v.expect(v.page(r, err, http.StatusServiceUnavailable), "Back in a moment")
	}
	if v.cookie() != before {
		t.Error("the cookie was changed")
	}
}
