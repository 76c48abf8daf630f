package webtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions"
)

// shop has the routes that most checks use.
var shop = Routes{
	"/": func(_ sessions.Context, w http.ResponseWriter, _ *http.Request) error { return text(w, "untouched") },
	"/set": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
		s := sessions.Default(c)
		for key, values := range r.URL.Query() {
			s.Set(key, values[0])
		}
		return text(w, "set")
	},
	"/get": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
		v, _ := sessions.Value[string](sessions.Default(c), r.URL.Query().Get("key"))
		return text(w, v)
	},
	"/delete": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
		sessions.Default(c).Delete(r.URL.Query().Get("key"))
		return text(w, "deleted")
	},
	"/count": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		n := sessions.Update(sessions.Default(c), "n", func(n int) int { return n + 1 })
		return text(w, fmt.Sprint(n))
	},
	"/login": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		s := sessions.Default(c)
		s.Set("before", "yes")
		if err := s.Regenerate(); err != nil {
			return err
		}
		s.Set("user", "ada")
		return text(w, "welcome")
	},
	"/logout": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		if err := sessions.Default(c).Destroy(); err != nil {
			return err
		}
		return text(w, "bye")
	},
	"/relogin": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		s := sessions.Default(c)
		if err := s.Destroy(); err != nil {
			return err
		}
		s.Set("user", "bob")
		return text(w, "again")
	},
	"/id": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		return text(w, sessions.Default(c).ID())
	},
	"/keys": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		return text(w, fmt.Sprint(sessions.Default(c).Len()))
	},
	"/append": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		s := sessions.Default(c)
		cart, _ := sessions.Value[map[string]int](s, "cart")
		if cart == nil {
			s.Set("cart", map[string]int{"tea": 1})
		} else {
			cart["tea"]++ // in place: no Set
		}
		return text(w, "ok")
	},
	"/cart": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		cart, _ := sessions.Default(c).Get("cart").(map[string]int)
		return text(w, fmt.Sprint(cart["tea"]))
	},
	"/flash": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		s := sessions.Default(c)
		s.AddFlash("saved")
		s.AddFlash("careful", "warning")
		return text(w, "flashed")
	},
	"/flashes": func(c sessions.Context, w http.ResponseWriter, r *http.Request) error {
		return text(w, fmt.Sprint(sessions.Default(c).Flashes(r.URL.Query()["category"]...)))
	},
	"/transient": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		s := sessions.Default(c)
		s.SetPermanent(false)
		s.Set("x", 1)
		return text(w, "ok")
	},
	"/short": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		s := sessions.Default(c)
		s.SetLifetime(time.Hour)
		s.Set("x", 1)
		return text(w, "ok")
	},
}

func life(t *testing.T, f Framework) {
	type fixture struct {
		*browser
		p *probe
	}
	start := func(t *testing.T, cfg sessions.Config) fixture {
		p := newProbe(memory(t))
		cfg.Backend = p
		return fixture{browser: f.site(t, shop, cfg).browser(), p: p}
	}

	t.Run("untouched costs nothing", func(t *testing.T) {
		b := start(t, sessions.Config{})
		for _, visit := range []string{"without a cookie", "with one"} {
			n := b.p.count(func() {
				r := b.want("/", "untouched")
				b.noCookie(r)
				if r.Header.Get("Vary") != "" {
					t.Errorf("%s: Vary is %q on a page that did not use the session", visit, r.Header.Get("Vary"))
				}
				b.do("GET", "/no/such/page")
			})
			if n != 0 {
				t.Errorf("%s: %d store calls", visit, n)
			}
			b.get("/set?a=1")
		}
	})
	t.Run("reading makes no session", func(t *testing.T) {
		b := start(t, sessions.Config{})
		r := b.want("/get?key=a", "")
		b.noCookie(r)
		if r.Header.Get("Vary") != "Cookie" {
			t.Errorf("Vary is %q", r.Header.Get("Vary"))
		}
		if n := b.p.calls.Load(); n != 0 {
			t.Errorf("%d store calls for a visitor without a cookie", n)
		}
	})
	t.Run("what is set is there", func(t *testing.T) {
		b := start(t, sessions.Config{})
		if n := b.p.count(func() { b.get("/set?a=1&b=2") }); n != 1 {
			t.Errorf("the first write took %d store calls", n)
		}
		if n := b.p.count(func() { b.noCookie(b.want("/get?key=b", "2")) }); n != 1 {
			t.Errorf("a read took %d store calls", n)
		}
		if n := b.p.count(func() { b.noCookie(b.get("/set?a=3")) }); n != 2 {
			t.Errorf("a write took %d store calls", n)
		}
		if n := b.p.count(func() { b.get("/set?a=3&b=2") }); n != 1 {
			t.Errorf("setting equal values took %d store calls, want the load only", n)
		}
		b.want("/keys", "2")
	})
	t.Run("the store holds no cookie", func(t *testing.T) {
		b := start(t, sessions.Config{})
		b.get("/set?a=1")
		for _, key := range b.p.rows() {
			if strings.Contains(key, b.cookie()) {
				t.Error("the store key contains the cookie's value")
			}
		}
	})
	t.Run("an unknown ID is never adopted", func(t *testing.T) {
		b := start(t, sessions.Config{})
		unknown := strings.Repeat("A", 43)
		r := b.get("/set?a=1", "Cookie", "session="+unknown)
		if c := b.sent(r); c == nil || c.Value == unknown {
			t.Errorf("cookie %v for an unknown ID", c)
		}
		b2 := b.site.browser()
		if r := b2.get("/get?key=a", "Cookie", "session="+unknown); r.body != "" {
			t.Errorf("the unknown ID has data: %q", r.body)
		}
	})
	t.Run("Regenerate", func(t *testing.T) {
		b := start(t, sessions.Config{})
		b.get("/set?a=1")
		old := b.cookie()
		b.get("/login")
		if b.cookie() == old || b.cookie() == "" {
			t.Error("the ID did not change")
		}
		b.want("/get?key=a", "1")
		b.want("/get?key=before", "yes")
		b.want("/get?key=user", "ada")
		if n := len(b.p.rows()); n != 1 {
			t.Errorf("%d rows", n)
		}
		b2 := b.site.browser()
		if r := b2.get("/get?key=a", "Cookie", "session="+old); r.body != "" {
			t.Error("the old ID still works")
		}
	})
	t.Run("Regenerate before anything is stored", func(t *testing.T) {
		b := start(t, sessions.Config{})
		b.get("/login")
		b.want("/get?key=user", "ada")
		b.want("/get?key=before", "yes")
	})
	t.Run("Destroy", func(t *testing.T) {
		b := start(t, sessions.Config{})
		b.get("/set?a=1")
		old := b.cookie()
		if n := b.p.count(func() { b.get("/logout") }); n != 1 {
			t.Errorf("%d store calls", n)
		}
		if b.cookie() != "" {
			t.Error("the browser still has the cookie")
		}
		if n := len(b.p.rows()); n != 0 {
			t.Errorf("%d rows are left", n)
		}
		r := b.get("/set?b=1", "Cookie", "session="+old)
		if c := b.sent(r); c == nil || c.Value == old {
			t.Error("the destroyed ID was used again")
		}
	})
	t.Run("Destroy without a session", func(t *testing.T) {
		b := start(t, sessions.Config{})
		if n := b.p.count(func() { b.noCookie(b.get("/logout")) }); n != 0 {
			t.Errorf("%d store calls", n)
		}
	})
	t.Run("Destroy, then Set", func(t *testing.T) {
		b := start(t, sessions.Config{})
		b.get("/set?a=1")
		old := b.cookie()
		c := b.sent(b.get("/relogin"))
		if c == nil || c.Value == old || c.MaxAge < 0 {
			t.Errorf("cookie %v", c)
		}
		b.want("/get?key=a", "")
		b.want("/get?key=user", "bob")
		if n := len(b.p.rows()); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
	t.Run("the last key", func(t *testing.T) {
		b := start(t, sessions.Config{})
		b.get("/set?a=1")
		b.get("/delete?key=a")
		if b.cookie() != "" || len(b.p.rows()) != 0 {
			t.Error("a session without keys was kept")
		}
	})
	t.Run("ID", func(t *testing.T) {
		b := start(t, sessions.Config{})
		b.get("/set?a=1")
		b.want("/id", b.cookie())
	})
	t.Run("in-place change", func(t *testing.T) {
		b := start(t, sessions.Config{})
		for range 3 {
			b.get("/append")
		}
		writes := b.p.writes.Load()
		b.want("/cart", "3")
		if b.p.writes.Load() != writes {
			t.Error("reading a map wrote it")
		}
	})
	t.Run("Flashes", func(t *testing.T) {
		b := start(t, sessions.Config{})
		b.get("/flash")
		b.want("/keys", "0")
		b.want("/flashes?category=warning", "[{warning careful}]")
		b.want("/flashes", "[{message saved}]")
		b.want("/flashes", "[]")
	})
	t.Run("Permanent", func(t *testing.T) {
		b := start(t, sessions.Config{})
		if c := b.sent(b.get("/set?a=1")); c == nil || c.MaxAge < 30*86400 || c.Expires.IsZero() {
			t.Errorf("cookie %v", c)
		}
		if c := b.sent(b.get("/transient")); c == nil || c.MaxAge != 0 || !c.Expires.IsZero() {
			t.Errorf("cookie %v", c)
		}
		b.want("/get?key=a", "1")
		b = start(t, sessions.Config{NonPermanent: true})
		if c := b.sent(b.get("/set?a=1")); c == nil || c.MaxAge != 0 || !c.Expires.IsZero() {
			t.Errorf("cookie %v", c)
		}
		b.want("/get?key=a", "1")
	})
	t.Run("SetLifetime", func(t *testing.T) {
		b := start(t, sessions.Config{})
		if c := b.sent(b.get("/short")); c == nil || c.MaxAge < 3590 || c.MaxAge > 3600 {
			t.Errorf("cookie %v", c)
		}
	})
	t.Run("no store", func(t *testing.T) {
		var got error
		b := f.site(t, shop, sessions.Config{OnError: func(_ *http.Request, err error) { got = err }, Logger: quiet}).browser()
		b.want("/get?key=a", "")
		if r := b.do("GET", "/set?a=1"); r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("status %d", r.StatusCode)
		}
		if got == nil || !strings.Contains(got.Error(), "Backend") {
			t.Errorf("the error does not tell what to configure: %v", got)
		}
	})
	t.Run("two names", func(t *testing.T) {
		one, two := newProbe(memory(t)), newProbe(memory(t))
		routes := Routes{"/both": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			sessions.Default(c).Set("who", "default")
			sessions.Named(c, "admin").Set("who", "admin")
			return text(w, "ok")
		}, "/who": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			return text(w, fmt.Sprintln(sessions.Named(c, "session").Get("who"), sessions.Named(c, "admin").Get("who")))
		}}
		b := f.site(t, routes, sessions.Config{Backend: one}, sessions.Config{Backend: two, Name: "admin"}).browser()
		if r := b.get("/both"); len(r.Cookies()) != 2 {
			t.Errorf("cookies %v", r.Cookies())
		}
		b.want("/who", "default admin\n")
	})
	t.Run("mounted twice", func(t *testing.T) {
		p := newProbe(memory(t))
		m, err := sessions.NewManager(sessions.Config{Backend: p})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		b := f.site(t, shop, m, m, sessions.Config{Backend: p}).browser()
		if n := p.count(func() { b.want("/count", "1") }); n != 1 {
			t.Errorf("%d store calls", n)
		}
		b.want("/count", "2")
	})
	t.Run("name bound to the session", func(t *testing.T) {
		p := newProbe(memory(t))
		user := f.site(t, shop, sessions.Config{Backend: p}).browser()
		user.get("/set?a=1")
		admin := f.site(t, shop, sessions.Config{Backend: p, Name: "admin"}).browser()
		if r := admin.get("/get?key=a", "Cookie", "admin="+user.cookie()); r.body != "" {
			t.Error("a cookie of one name opened a session of another")
		}
	})
}
