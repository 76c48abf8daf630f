package elasticbackend

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
	"github.com/go-session2/sessions/internal/testenv"
)

// maxSize is the limit that the conformance suite probes.
const maxSize = 1 << 20

// harness runs the suite on an index of its own.
func harness(t testing.TB) backendtest.Harness {
	index := newIndex(t)
	open := func(t testing.TB) backend.Backend {
		return openOn(t, connect(t), Config{Index: index, MaxSize: maxSize})
	}
	return backendtest.Harness{
		Open:   open,
		Reopen: open,
		Overwrite: func(t testing.TB, key string, data []byte) {
			doc, err := encode(key, data, time.Now().Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			raw(t, "PUT", index+"/_doc/"+escape(key), string(doc))
		},
		Resolution:         50 * time.Millisecond,
		MaxSize:            maxSize,
		TouchMovesRevision: true,
	}
}

func TestConformance(t *testing.T) { backendtest.Run(t, harness(t)) }

func BenchmarkBackend(b *testing.B) { backendtest.Benchmark(b, harness(b)) }

// newIndex returns the name of an index that does not exist, and removes it
// after the test.
func newIndex(t testing.TB) string {
	t.Helper()
	testenv.Need(t, "ELASTICSEARCH_URL")
	index := "test-elasticbackend-" + strings.ToLower(rand.Text())
	t.Cleanup(func() { raw(t, "DELETE", index+"?ignore_unavailable=true", "") })
	return index
}

// openOn opens a backend that is closed after the test.
func openOn(t testing.TB, client elastictransport.Interface, cfg Config) *Backend {
	t.Helper()
	b, err := NewWithConfig(client, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// connect returns a client on the server.
func connect(t testing.TB) elastictransport.Interface {
	t.Helper()
	return clientFor(t, testenv.Need(t, "ELASTICSEARCH_URL"))
}

// clientFor returns a client on the nodes at these URLs.
func clientFor(t testing.TB, hosts ...string) elastictransport.Interface {
	t.Helper()
	urls := parseHosts(strings.Join(hosts, ","))
	if urls == nil {
		t.Fatalf("%q are no URLs", hosts)
	}
	client, release, err := dial(urls)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return client
}

// raw sends a request as a foreign program would, and returns the answer.
func raw(t testing.TB, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequest(method, testenv.Need(t, "ELASTICSEARCH_URL")+"/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode > 299 {
		t.Fatalf("%s: %s %s, %v", method, res.Status, text, err)
	}
	return string(text)
}

func newKey() string { return "test:" + rand.Text() }

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestKeys has keys with everything that means something in a URL or in JSON.
func TestKeys(t *testing.T) {
	ctx := context.Background()
	b, _ := watch(t)
	keys := []string{
		".", "..", "a/b", "a/../b", "/", "a+b", "a b", " ", "%2F", "a%b", "?x#y", "a&b=c", `"\`, "<>", "_x", "*", "a,b",
		"\x00", "\n", "é", "e\u0301", "\u2028", "日本", strings.Repeat("k", 512),
	}
	for _, key := range keys {
		rev := must[backend.Revision](t)(b.Create(ctx, key, []byte(key), time.Minute))
		must[backend.Revision](t)(b.Update(ctx, key, []byte("="+key), time.Minute, rev))
		if err := b.Touch(ctx, key, time.Hour); err != nil {
			t.Errorf("Touch of %q: %v", key, err)
		}
	}
	for _, key := range keys {
		if rec := must[backend.Record](t)(b.Load(ctx, key)); string(rec.Data) != "="+key {
			t.Errorf("Load of %q returned %q", key, rec.Data)
		}
	}
	listed := make(map[string]bool)
	for cursor, more := "", true; more; more = cursor != "" {
		page, next, err := b.List(ctx, "", cursor, 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range page {
			listed[key] = true
		}
		cursor = next
	}
	for _, key := range keys {
		if !listed[key] {
			t.Errorf("%q was not listed", key)
		}
		if err := b.Delete(ctx, key, nil); err != nil {
			t.Errorf("Delete of %q: %v", key, err)
		}
		if _, err := b.Load(ctx, key); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("Load of %q: %v", key, err)
		}
	}
	for _, key := range []string{"", strings.Repeat("k", 513), "a\xff"} {
		for name, call := range calls(b, ctx, key) {
			if err := call(); err == nil || !strings.Contains(err.Error(), "512") {
				t.Errorf("%s with a key of %d bytes: %v", name, len(key), err)
			}
		}
	}
}

// calls returns a call of every method with a key.
func calls(b *Backend, ctx context.Context, key string) map[string]func() error {
	data, base := []byte("data-of-the-test"), (&state{seqNo: 1, term: 1, expires: time.Now().Add(time.Hour)}).revision()
	return map[string]func() error{
		"Load":          func() error { _, err := b.Load(ctx, key); return err },
		"Create":        func() error { _, err := b.Create(ctx, key, data, time.Minute); return err },
		"Update":        func() error { _, err := b.Update(ctx, key, data, time.Minute, base); return err },
		"Touch":         func() error { return b.Touch(ctx, key, time.Minute) },
		"Delete":        func() error { return b.Delete(ctx, key, nil) },
		"Delete a base": func() error { return b.Delete(ctx, key, base) },
	}
}

// allCalls is calls with those that have no key.
func allCalls(b *Backend, ctx context.Context, key string) map[string]func() error {
	all := calls(b, ctx, key)
	all["List"] = func() error { _, _, err := b.List(ctx, key, "", 10); return err }
	all["Sweep"] = func() error { _, err := b.Sweep(ctx, 10); return err }
	all["Ping"] = func() error { return b.Ping(ctx) }
	all["EnsureSchema"] = func() error { return b.EnsureSchema(ctx) }
	return all
}

// TestDefaultMaxSize stores as much as may be stored by default.
func TestDefaultMaxSize(t *testing.T) {
	ctx := context.Background()
	b, sent := watch(t)
	data := make([]byte, DefaultMaxSize+1)
	rand.Read(data)
	key := newKey()
	_, err := b.Create(ctx, key, data, time.Minute)
	if !errors.Is(err, backend.ErrTooLarge) || !strings.Contains(err.Error(), "16777216") || sent.take() != "" {
		t.Errorf("Create of a byte too much: %v", err)
	}
	data = data[:DefaultMaxSize]
	must[backend.Revision](t)(b.Create(ctx, key, data, time.Minute))
	if rec := must[backend.Record](t)(b.Load(ctx, key)); !bytes.Equal(rec.Data, data) {
		t.Errorf("Load returned other data, %d bytes", len(rec.Data))
	}
	// What base64 makes of the most that can be set is less than the limit.
	if n := len(newDocument(t, MaxDataSize)); n > 100<<20 {
		t.Errorf("the document of MaxDataSize is %d bytes", n)
	}
}

func newDocument(t testing.TB, size int) []byte {
	t.Helper()
	return must[[]byte](t)(encode(strings.Repeat("\x01", maxKeySize), make([]byte, size), time.UnixMilli(1<<62)))
}

func TestConfig(t *testing.T) {
	client := clientFor(t, "http://localhost:1")
	for _, cfg := range []Config{
		{MaxSize: -1}, {MaxSize: MaxDataSize + 1},
		{Index: "Upper"}, {Index: "_x"}, {Index: "-x"}, {Index: ".."}, {Index: "a/b"}, {Index: "a,b"}, {Index: "a*"},
		{Index: "a?b"}, {Index: "a b"}, {Index: "é"}, {Index: strings.Repeat("x", 256)},
	} {
		if _, err := NewWithConfig(client, cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
	b := openOn(t, client, Config{})
	if b.index != "sessions" || b.maxSize != DefaultMaxSize {
		t.Errorf("the defaults are %q, %d", b.index, b.maxSize)
	}
	b = openOn(t, client, Config{Index: "a-1.b_c", MaxSize: 70_000})
	if b.index != "a-1.b_c" || b.maxSize != 70_000 {
		t.Errorf("the options became %q, %d", b.index, b.maxSize)
	}
}

func TestNilClient(t *testing.T) {
	var none *elastictransport.Client
	for _, client := range []elastictransport.Interface{nil, none} {
		if b, err := NewWithConfig(client, Config{}); err == nil || b != nil {
			t.Errorf("NewWithConfig of %#v: %v, %v", client, b, err)
		}
		for name, call := range allCalls(New(client), context.Background(), "key") {
			if err := call(); err == nil || !strings.Contains(err.Error(), "the client is nil") {
				t.Errorf("%s of %#v: %v", name, client, err)
			}
		}
	}
}

func TestPathPrefix(t *testing.T) {
	ctx := context.Background()
	index := newIndex(t)
	target := must[*url.URL](t)(url.Parse(testenv.Need(t, "ELASTICSEARCH_URL")))
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/elastic")
		if !ok {
			http.Error(w, "no", http.StatusTeapot)
			return
		}
		forward(t, w, r, target, path)
	})
	b := openOn(t, clientFor(t, addr+"/elastic/"), Config{Index: index})
	key := newKey()
	must[backend.Revision](t)(b.Create(ctx, key, []byte("data"), time.Minute))
	must[backend.Record](t)(b.Load(ctx, key))
}
