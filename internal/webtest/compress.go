package webtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
)

// Compressed checks an application that compresses its responses, by
// middleware mounted before or after that of the sessions. serve makes it.
func Compressed(t *testing.T, serve func(Routes, sessions.Source) http.Handler) {
	long := strings.Repeat("the handler's bytes ", 500)
	p := newProbe(memory(t))
	f := Framework{Serve: func(routes Routes, srcs ...sessions.Source) http.Handler { return serve(routes, srcs[0]) }}
	b := f.site(t, Routes{
		"/set": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			sessions.Default(c).Set("a", "1")
			return text(w, long)
		},
		"/get": shop["/get"],
	}, sessions.Config{Backend: p, Logger: quiet}).browser()
	// The client asks for gzip and undoes it by itself.
	r := b.want("/set", long)
	if b.sent(r) == nil || !r.Uncompressed {
		t.Errorf("cookies %v, compressed: %v", r.Cookies(), r.Uncompressed)
	}
	if vary := strings.Join(r.Header["Vary"], ", "); !strings.Contains(vary, "Accept-Encoding") || !strings.Contains(vary, "Cookie") {
		t.Errorf("Vary %q", vary)
	}
	b.want("/get?key=a", "1")

	p.down.Store(true)
	for _, path := range []string{"/set", "/get?key=a"} {
		if r := b.do("GET", path); r.StatusCode != http.StatusServiceUnavailable || r.body != "Service Unavailable\n" || len(r.Cookies()) != 0 {
			t.Errorf("%s with the store down: status %d, body %q", path, r.StatusCode, r.body)
		}
	}
}
