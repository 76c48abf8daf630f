// Package walk walks through the tea shop of package exampleapp as a visitor
// does, for the tests of the examples.
package walk

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/filebackend"
	"github.com/go-session2/sessions/internal/exampleapp"
)

// A visitor is a browser in a shop.
type visitor struct {
	t      *testing.T
	base   *url.URL
	client *http.Client
}

func newVisitor(t *testing.T, base string) *visitor {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{t: t, base: u, client: &http.Client{Jar: jar, Transport: transport}}
}

// get opens a page and returns it.
func (v *visitor) get(path string) string {
	v.t.Helper()
	r, err := v.client.Get(v.base.String() + path)
	return v.page(r, err, http.StatusOK)
}

// post sends a form, given as names and values in turn, and returns the page
// that the shop then leads to.
func (v *visitor) post(path string, form ...string) string {
	v.t.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	r, err := v.client.PostForm(v.base.String()+path, values)
	return v.page(r, err, http.StatusOK)
}

func (v *visitor) page(r *http.Response, err error, status int) string {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	if r.StatusCode != status || !strings.HasSuffix(strings.TrimSpace(string(body)), "</html>") {
		v.t.Fatalf("%s: status %d, want %d and a whole page, got %q", r.Request.URL.Path, r.StatusCode, status, body)
	}
	return string(body)
}

// cookie returns the value of the session cookie, or "".
func (v *visitor) cookie() string {
	for _, c := range v.client.Jar.Cookies(v.base) {
		if c.Name == sessions.DefaultName {
			return c.Value
		}
	}
	return ""
}

// expect checks what a page shows.
func (v *visitor) expect(page string, texts ...string) {
	v.t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			v.t.Errorf("the page does not show %q:\n%s", text, page)
		}
	}
}

// expectNot checks what a page does not show.
func (v *visitor) expectNot(page string, texts ...string) {
	v.t.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			v.t.Errorf("the page shows %q:\n%s", text, page)
		}
	}
}

// open opens a shop with an empty store.
func open(t *testing.T, newHandler func(*sessions.Manager, string) http.Handler) (*httptest.Server, *filebackend.Backend) {
	t.Helper()
	store, err := filebackend.New(filebackend.Config{Dir: t.TempDir() + "/sessions", NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	manager, err := sessions.NewManager(sessions.Config{
		Backend:      store,
		ErrorHandler: exampleapp.Unavailable,
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newHandler(manager, "test"))
	t.Cleanup(func() {
		server.Close()
		if err := manager.Close(); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return server, store
}

// rows returns how many sessions the store holds.
func rows(t *testing.T, store backend.Lister) int {
	t.Helper()
	keys, next, err := store.List(context.Background(), "", "", 100)
	if err != nil || next != "" {
		t.Fatalf("list: %v, more: %t", err, next != "")
	}
	return len(keys)
}
