package elasticbackend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

// serve runs a server until the test is over and returns its URL.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// forward sends a request on and its answer back.
func forward(t testing.TB, w http.ResponseWriter, r *http.Request, target *url.URL, path string) {
	u := *target
	u.Path, u.RawPath, u.RawQuery = must[string](t)(url.PathUnescape(path)), path, r.URL.RawQuery
	req := must[*http.Request](t)(http.NewRequestWithContext(r.Context(), r.Method, u.String(), r.Body))
	req.Header, req.ContentLength = r.Header, r.ContentLength
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		http.Error(w, "bad gateway", http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	maps.Copy(w.Header(), res.Header)
	w.WriteHeader(res.StatusCode)
	io.Copy(w, res.Body)
}

// TestDeadServer has a server that never answers.
func TestDeadServer(t *testing.T) {
	over := make(chan struct{})
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) { <-over })
	t.Cleanup(func() { close(over) }) // before the server closes
	b := openOn(t, clientFor(t, addr), Config{})
	for name, call := range withDeadline(b, "key") {
		ended := make(chan error, 1)
		go func() { ended <- call() }()
		select {
		case err := <-ended:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s does not return", name)
		}
	}
}

// withDeadline returns allCalls, each with a deadline of its own.
func withDeadline(b *Backend, key string) map[string]func() error {
	all := make(map[string]func() error)
	for name := range allCalls(b, context.Background(), key) {
		all[name] = func() error {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			return allCalls(b, ctx, key)[name]()
		}
	}
	return all
}

// TestDownServer has nothing listening where the server should be.
func TestDownServer(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	b := openOn(t, clientFor(t, s.URL), Config{})
	for name, call := range withDeadline(b, "session:secret-key") {
		err := call()
		if err == nil || errors.Is(err, backend.ErrNotFound) || !strings.HasPrefix(err.Error(), "elasticsearch: ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOtherAnswers has servers that are not Elasticsearch, or that refuse.
func TestOtherAnswers(t *testing.T) {
	const key = "session:secret-key/."
	for _, c := range []struct {
		status int
		body   string
	}{
		{404, "404 page not found for session:secret-key"},
		{404, `{"message": "no route to secret"}`},
		{404, `{"error": "no handler found for uri [/sessions/_doc/session:secret-key/.]"}`},
		{404, `{"error": {"type": "secret key"}}`},
		{409, "secret"},
		{200, "<html>secret"},
		{200, `{"secret-key": 1}`},
		{200, `[]`},
		{301, ""},
		{401, `{"error": {"type": "security_exception", "reason": "secret"}}`},
		{403, `{"error": {"type": "security_exception", "reason": "secret"}}`},
		{429, `{"error": {"type": "es_rejected_execution_exception", "reason": "[secret-key]"}}`},
		{503, `{"error": {"type": "unavailable_shards_exception", "reason": "[secret-key]"}}`},
	} {
		addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		})
		b := openOn(t, clientFor(t, addr), Config{SkipSchema: true})
		for name, call := range allCalls(b, context.Background(), key) {
			err := call()
			if err == nil && (c.status != 200 || name != "Ping") {
				t.Errorf("%s with the answer %d %s succeeded", name, c.status, c.body)
			}
			for _, never := range []error{backend.ErrNotFound, backend.ErrExists, backend.ErrConflict, backend.ErrCorrupt} {
				if errors.Is(err, never) {
					t.Errorf("%s with the answer %d %s: %v", name, c.status, c.body, err)
				}
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || !strings.HasPrefix(err.Error(), "elasticsearch: ")) {
				t.Errorf("%s with the answer %d %s: %v", name, c.status, c.body, err)
			}
			if c.status >= 400 && !strings.Contains(err.Error(), fmt.Sprint(c.status)) {
				t.Errorf("%s with the answer %d %s does not tell the status: %v", name, c.status, c.body, err)
			}
		}
	}
}

// TestServerLimit has a server that takes less than MaxSize.
func TestServerLimit(t *testing.T) {
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	})
	b := openOn(t, clientFor(t, addr), Config{SkipSchema: true})
	for _, name := range []string{"Create", "Update"} {
		err := calls(b, context.Background(), "key")[name]()
		if !errors.Is(err, backend.ErrTooLarge) || !strings.Contains(err.Error(), "http.max_content_length") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A plain client is one whose errors quote the URL.
type plain struct{ base string }

func (p plain) Perform(r *http.Request) (*http.Response, error) {
	u, err := url.Parse(p.base)
	if err != nil {
		return nil, err
	}
	r.URL.Scheme, r.URL.Host = u.Scheme, u.Host
	return http.DefaultClient.Do(r)
}

func TestErrorText(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	b := New(plain{s.URL})
	for name, call := range calls(b, context.Background(), "session:secret-key/.") {
		err := call()
		var failed *url.Error
		if err == nil || strings.Contains(err.Error(), "secret") || !errors.As(err, &failed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	inner := errors.New("inner")
	for _, text := range []string{"no route for secret-key/.", "no route for secret-key%2F%2E"} {
		if err := quiet(fmt.Errorf("%s: %w", text, inner), "secret-key/."); !errors.Is(err, inner) || err.Error() != "no route for ..." {
			t.Errorf("%s became %v", text, err)
		}
	}
}

// TestLostReply has the client repeat each request because its reply was lost.
func TestLostReply(t *testing.T) {
	ctx := context.Background()
	target := must[*url.URL](t)(url.Parse(testenv.Need(t, "ELASTICSEARCH_URL")))
	for _, how := range []string{"broken connection", "gateway timeout"} {
		t.Run(how, func(t *testing.T) {
			var lose atomic.Bool
			addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet || !lose.CompareAndSwap(true, false) {
					forward(t, w, r, target, r.URL.EscapedPath())
					return
				}
				forward(t, httptest.NewRecorder(), r, target, r.URL.EscapedPath())
				if how == "broken connection" {
					panic(http.ErrAbortHandler)
				}
				w.WriteHeader(http.StatusGatewayTimeout)
			})
			b := openOn(t, clientFor(t, addr), Config{Index: newIndex(t)})
			if err := b.prepare(ctx); err != nil {
				t.Fatal(err)
			}
			key := newKey()
			var rev backend.Revision
			var err error
			for _, step := range []struct {
				name string
				run  func() error
				want error
			}{
				{"Create", func() error { rev, err = b.Create(ctx, key, []byte("one"), time.Minute); return err }, nil},
				{"Update", func() error { rev, err = b.Update(ctx, key, []byte("two"), time.Minute, rev); return err }, nil},
				{"Update again", func() error { rev, err = b.Update(ctx, key, []byte("three"), time.Minute, rev); return err }, nil},
				{"Touch", func() error { return b.Touch(ctx, key, time.Hour) }, nil},
				{"Delete", func() error { return b.Delete(ctx, key, nil) }, nil},
				{"Create again", func() error { rev, err = b.Create(ctx, key, []byte("four"), time.Minute); return err }, nil},
				{"Delete at a revision", func() error { return b.Delete(ctx, key, rev) }, backend.ErrNotFound}, // as documented
			} {
				lose.Store(true)
				if err := step.run(); !errors.Is(err, step.want) {
					t.Errorf("%s: %v, want %v", step.name, err, step.want)
				}
				if lose.Load() {
					t.Fatalf("%s: no reply was lost", step.name)
				}
			}

			// Increments whose replies are lost count once.
			key, n := newKey(), 30
			rev = must[backend.Revision](t)(b.Create(ctx, key, []byte("0 "+rand.Text()), time.Minute))
			for i := range n {
				rec := must[backend.Record](t)(b.Load(ctx, key))
				var count int
				fmt.Sscan(string(rec.Data), &count)
				lose.Store(i%2 == 0)
				rev = must[backend.Revision](t)(b.Update(ctx, key, fmt.Appendf(nil, "%d %s", count+1, rand.Text()), time.Minute, rev))
			}
			if rec := must[backend.Record](t)(b.Load(ctx, key)); !strings.HasPrefix(string(rec.Data), fmt.Sprint(n, " ")) {
				t.Errorf("%d increments gave %q", n, rec.Data)
			}
		})
	}
}

// TestSeveralNodes has a list of nodes of which one is down.
func TestSeveralNodes(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	b := openOn(t, clientFor(t, s.URL, testenv.Need(t, "ELASTICSEARCH_URL")), Config{Index: newIndex(t)})
	ctx := context.Background()
	for range 10 {
		key := newKey()
		rev := must[backend.Revision](t)(b.Create(ctx, key, []byte("one"), time.Minute))
		must[backend.Revision](t)(b.Update(ctx, key, []byte("two"), time.Minute, rev))
		must[backend.Record](t)(b.Load(ctx, key))
	}
}

// TestConnections checks that connections are used again, so that all replies
// are read and closed, also those that are errors.
func TestConnections(t *testing.T) {
	ctx := context.Background()
	target := must[*url.URL](t)(url.Parse(testenv.Need(t, "ELASTICSEARCH_URL")))
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		forward(t, w, r, target, r.URL.EscapedPath())
	}))
	var opened atomic.Int64
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	b := openOn(t, clientFor(t, s.URL), Config{Index: newIndex(t)})
	for range 5 {
		key := newKey()
		b.Load(ctx, key)
		rev := must[backend.Revision](t)(b.Create(ctx, key, []byte("one"), time.Minute))
		b.Create(ctx, key, []byte("two"), time.Minute)
		b.Touch(ctx, key, time.Hour)
		b.Update(ctx, key, []byte("three"), time.Minute, rev)
		b.List(ctx, key, "", 10)
		b.Sweep(ctx, 10)
		b.Ping(ctx)
		b.Delete(ctx, key, rev)
		b.Delete(ctx, key, nil)
		b.Delete(ctx, key, nil)
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections were opened", n)
	}
}

var _ elastictransport.Interface = plain{}
