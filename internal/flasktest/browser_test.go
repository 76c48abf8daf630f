package flasktest

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"
)

// An app is one of the applications that share sessions. They differ in their
// port, which cookies do not see.
type app struct {
	t         testing.TB
	name, url string
}

// steer asks the application for something outside of any session.
func (a *app) steer(t testing.TB, path string) {
	t.Helper()
	res, err := http.Post(a.url+"/-/"+path, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: /-/%s: status %d", a.name, path, res.StatusCode)
	}
}

// A browser keeps cookies.
type browser struct {
	t      *testing.T
	client *http.Client
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: &http.Client{Jar: jar, Timeout: time.Minute}}
}

// A reply is a response with its body.
type reply struct {
	*http.Response
	body string
}

// do sends a request with a tagged value, if there is one.
func (b *browser) do(a *app, method, path string, body any) reply {
	b.t.Helper()
	r, err := b.send(a, method, path, body)
	if err != nil {
		b.t.Fatalf("%s: %v", a.name, err)
	}
	return r
}

func (b *browser) send(a *app, method, path string, body any) (reply, error) {
	var content io.Reader
	if body != nil {
		content = strings.NewReader(encode(body))
	}
	req, err := http.NewRequest(method, a.url+path, content)
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := b.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return reply{res, string(text)}, err
}

// get expects 200 and returns the reply.
func (b *browser) get(a *app, path string) reply {
	b.t.Helper()
	return b.succeed(a, "GET", path, nil)
}

// post expects 200 and returns the reply.
func (b *browser) post(a *app, path string, body any) reply {
	b.t.Helper()
	return b.succeed(a, "POST", path, body)
}

func (b *browser) succeed(a *app, method, path string, body any) reply {
	b.t.Helper()
	r := b.do(a, method, path, body)
	if r.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %s %s: status %d, %q", a.name, method, path, r.StatusCode, r.body)
	}
	return r
}

// begin sends a POST that holds, and returns once its handler waits. end lets
// it go on and returns its reply.
func (b *browser) begin(a *app, path string, body any) (end func() reply) {
	b.t.Helper()
	type outcome struct {
		reply
		err error
	}
	done, name := make(chan outcome, 1), rand.Text()
	go func() {
		r, err := b.send(a, "POST", path+"?hold="+name, body)
		done <- outcome{r, err}
	}()
	a.steer(b.t, "held/"+name)
	return func() reply {
		b.t.Helper()
		a.steer(b.t, "release/"+name)
		o := <-done
		if o.err != nil {
			b.t.Fatalf("%s: %v", a.name, o.err)
		}
		return o.reply
	}
}

// set sets keys, given in turn with their tagged values.
func (b *browser) set(a *app, keysAndValues ...any) reply {
	b.t.Helper()
	return b.post(a, "/set", dict("dict", keysAndValues...))
}

// session returns what the session has, as an application sees it.
func (b *browser) session(a *app) tag {
	b.t.Helper()
	return parse(b.t, b.get(a, "/session").body)["session"].(tag)
}

// see checks the value of a key, "" for one that is absent.
func (b *browser) see(a *app, key string, want any) {
	b.t.Helper()
	got := b.session(a).value(key)
	if want == nil {
		if got != nil {
			b.t.Errorf("%s sees %s = %s; it should be absent", a.name, key, encode(got))
		}
		return
	}
	if want := encode(normal(want)); got == nil || encode(got) != want {
		b.t.Errorf("%s sees %s = %s, want %s", a.name, key, encode(got), want)
	}
}

// answer checks the body of a reply.
func (b *browser) answer(r reply, want any) {
	b.t.Helper()
	if s, ok := want.(string); ok {
		if r.body != s {
			b.t.Errorf("%s: body %q, want %q", r.Request.URL.Path, r.body, s)
		}
		return
	}
	if got, want := encode(parse(b.t, r.body)), encode(normal(want)); got != want {
		b.t.Errorf("%s: %s, want %s", r.Request.URL.Path, got, want)
	}
}

// status checks the status of a reply.
func (b *browser) status(r reply, want int) {
	b.t.Helper()
	if r.StatusCode != want {
		b.t.Errorf("%s: status %d, want %d", r.Request.URL.Path, r.StatusCode, want)
	}
}

// cookie returns the session cookie that the browser has, or "".
func (b *browser) cookie(a *app) string {
	req, _ := http.NewRequest("GET", a.url, nil)
	for _, c := range b.client.Jar.Cookies(req.URL) {
		if c.Name == "session" {
			return c.Value
		}
	}
	return ""
}

// thief returns another browser that has this one's cookie.
func (b *browser) thief(a *app) *browser {
	b.t.Helper()
	value := b.cookie(a)
	if value == "" {
		b.t.Fatal("the browser has no session cookie")
	}
	other := newBrowser(b.t)
	other.take(a, value)
	return other
}

// take gives the browser a session cookie.
func (b *browser) take(a *app, value string) {
	req, _ := http.NewRequest("GET", a.url, nil)
	b.client.Jar.SetCookies(req.URL, []*http.Cookie{{Name: "session", Value: value, Path: "/"}})
}

// sent returns the session cookie that a reply sets, or nil.
func sent(r reply) *http.Cookie {
	for _, c := range r.Cookies() {
		if c.Name == "session" {
			return c
		}
	}
	return nil
}
