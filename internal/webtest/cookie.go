package webtest

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
)

func cookie(t *testing.T, f Framework) {
	t.Run("defaults", func(t *testing.T) {
		b := f.site(t, shop, sessions.Config{Backend: memory(t)}).browser()
		r := b.get("/set?a=1")
		c := b.sent(r)
		if c == nil || c.Path != "/" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Domain != "" || c.Secure || len(c.Value) != 43 {
			t.Errorf("cookie %v", c)
		}
		if cc := r.Header.Get("Cache-Control"); !strings.Contains(cc, `no-cache="Set-Cookie"`) {
			t.Errorf("Cache-Control %q", cc)
		}
		for _, header := range [][]string{{"X-Forwarded-Proto", "https, http"}, {"Forwarded", `for=1.2.3.4;proto="https", for=5.6.7.8;proto=http`}} {
			b := b.site.browser()
			if c := b.sent(b.get("/set?a=1", header...)); c == nil || !c.Secure {
				t.Errorf("%s: cookie %v is not Secure", header[0], c)
			}
		}
	})
	t.Run("removed with its own attributes", func(t *testing.T) {
		cfg := sessions.Config{Backend: memory(t), Name: "__Host-session", Secure: sessions.SecureAlways, SameSite: http.SameSiteNoneMode, Partitioned: true}
		b := f.site(t, shop, cfg).browser()
		set := b.sent(b.get("/set?a=1"))
		if set == nil {
			t.Fatal("no cookie")
		}
		// The jar keeps a Secure cookie to itself on plain HTTP.
		gone := b.sent(b.get("/logout", "Cookie", set.Name+"="+set.Value))
		if gone == nil || gone.MaxAge >= 0 || gone.Value != "" || gone.Expires.IsZero() || gone.Expires.Year() != 1970 {
			t.Fatalf("cookie %v", gone)
		}
		if gone.Path != set.Path || gone.Domain != set.Domain || !gone.Secure || !gone.HttpOnly || gone.SameSite != set.SameSite || !gone.Partitioned {
			t.Errorf("set as %v, removed as %v", set, gone)
		}
	})
	t.Run("hostile values cost nothing", func(t *testing.T) {
		p := newProbe(memory(t))
		b := f.site(t, shop, sessions.Config{Backend: p}).browser()
		good := strings.Repeat("A", 43)
		for _, value := range []string{
			"", "x", good[:42], good + "A", good[:42] + "B", "../../../etc/passwd", strings.Repeat("A", 8000),
			`"` + good + `"`, good + "=", good[:42] + "+", good[:42] + "%41", "\u00a0" + good, good + ".sig",
		} {
			r := b.do("GET", "/get?key=a", "Cookie", "session="+value)
			if r.StatusCode != http.StatusOK {
				t.Errorf("status %d for a hostile cookie", r.StatusCode)
			}
			b.noCookie(r)
		}
		for _, line := range []string{"Session=" + good, "xsession=" + good, "%73ession=" + good, "=session=" + good, "session", "a=session=" + good} {
			b.get("/get?key=a", "Cookie", line)
		}
		if n := p.calls.Load(); n != 0 {
			t.Errorf("%d store calls", n)
		}
	})
	t.Run("a bad cookie before the good one", func(t *testing.T) {
		b := f.site(t, shop, sessions.Config{Backend: memory(t)}).browser()
		b.get("/set?a=1")
		good := b.cookie()
		b2 := b.site.browser()
		for _, bad := range []string{"rubbish", strings.Repeat("A", 43)} {
			if r := b2.get("/get?key=a", "Cookie", "session="+bad+"; session="+good); r.body != "1" {
				t.Errorf("a cookie set by somebody else hides the session")
			}
		}
	})
	t.Run("signed", func(t *testing.T) {
		newer, older := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
		signer := func(keys ...[]byte) sessions.Signer {
			s, err := sessions.NewSigner(keys...)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		p := newProbe(memory(t))
		before := f.site(t, shop, sessions.Config{Backend: p, Signer: signer(older)}).browser()
		before.get("/set?a=1")
		signed := before.cookie()
		id, _, _ := strings.Cut(signed, ".")
		if r := before.get("/get?key=a"); r.body != "1" {
			t.Error("a signed session is not found")
		}
		rotated := f.site(t, shop, sessions.Config{Backend: p, Signer: signer(newer, older)}).browser()
		if r := rotated.get("/get?key=a", "Cookie", "session="+signed); r.body != "1" {
			t.Error("a cookie signed with the older key is refused")
		}
		after := f.site(t, shop, sessions.Config{Backend: p, Signer: signer(newer)}).browser()
		n := p.count(func() {
			for _, forged := range []string{signed, id, id + ".", id + "." + strings.Repeat("A", 43), signed + "A"} {
				if r := after.get("/get?key=a", "Cookie", "session="+forged); r.body != "" {
					t.Error("a forged cookie opened the session")
				}
			}
		})
		if n != 0 {
			t.Errorf("forged cookies caused %d store calls", n)
		}
	})
	t.Run("others' headers stay", func(t *testing.T) {
		routes := Routes{"/": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			http.SetCookie(w, &http.Cookie{Name: "other", Value: "1"})
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "mine"}) // a mistake
			w.Header().Set("Vary", "Accept-Encoding")
			w.Header().Set("Cache-Control", "public, max-age=60, s-maxage=600")
			sessions.Default(c).Set("a", 1)
			return text(w, "ok")
		}}
		b := f.site(t, routes, sessions.Config{Backend: memory(t)}).browser()
		r := b.get("/")
		if c := b.sent(r); c == nil || c.Value == "mine" || len(r.Cookies()) != 2 {
			t.Errorf("cookies %v", r.Cookies())
		}
		if vary := strings.Join(r.Header["Vary"], ", "); vary != "Accept-Encoding, Cookie" {
			t.Errorf("Vary %q", vary)
		}
		if cc := r.Header.Get("Cache-Control"); cc != `max-age=60, private, no-cache="Set-Cookie"` {
			t.Errorf("Cache-Control %q", cc)
		}
	})
}
