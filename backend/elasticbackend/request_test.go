package elasticbackend

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"github.com/go-session2/sessions/backend"
)

// A spy is a client that counts what is sent, and can meddle with it.
type spy struct {
	elastictransport.Interface
	mu     sync.Mutex
	sent   []string
	before func() // is called before the next request is sent, once
}

func (s *spy) Perform(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	var endpoint string
	if parts := strings.SplitN(r.URL.Path, "/", 4); len(parts) > 2 {
		endpoint = parts[2]
	} else {
		endpoint = "index"
	}
	line := r.Method + " " + endpoint
	for _, name := range []string{"if_seq_no", "_source", "refresh"} {
		if r.URL.Query().Has(name) {
			line += " " + name
		}
	}
	s.sent = append(s.sent, line)
	before := s.before
	s.before = nil
	s.mu.Unlock()
	if before != nil {
		before()
	}
	return s.Interface.Perform(r)
}

// take returns what was sent since the last take.
func (s *spy) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.sent = nil }()
	return strings.Join(s.sent, ", ")
}

// watch returns a backend on an index of its own that exists, and its client.
func watch(t testing.TB) (*Backend, *spy) {
	t.Helper()
	s := &spy{Interface: connect(t)}
	b := openOn(t, s, Config{Index: newIndex(t)})
	if err := b.prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.take()
	return b, s
}

// TestRequests counts the round trips of every method.
func TestRequests(t *testing.T) {
	ctx := context.Background()
	b, sent := watch(t)
	var shift time.Duration
	b.now = func() time.Time { return time.Now().Add(shift) }
	other := openOn(t, connect(t), Config{Index: b.index})
	key, data, next := newKey(), []byte("one"), []byte("two")
	var rev backend.Revision
	var err error
	for _, step := range []struct {
		name string
		run  func() error
		want error
		sent string
	}{
		{"Load nothing", func() error { _, err := b.Load(ctx, key); return err }, backend.ErrNotFound, "GET _doc"},
		{"Create", func() error { rev, err = b.Create(ctx, key, data, time.Minute); return err }, nil, "PUT _create"},
		{"Create again", func() error { rev, err = b.Create(ctx, key, data, time.Minute); return err }, nil, "PUT _create, POST _update _source"},
		{"Create there", func() error { _, err := b.Create(ctx, key, next, time.Minute); return err }, backend.ErrExists, "PUT _create, POST _update _source"},
		{"Load", func() error { _, err := b.Load(ctx, key); return err }, nil, "GET _doc"},
		{"Update", func() error { rev, err = b.Update(ctx, key, next, time.Minute, rev); return err }, nil, "PUT _doc if_seq_no"},
		{"Update at once", func() error { rev, err = b.Update(ctx, key, data, time.Minute, rev); return err }, nil, "PUT _doc if_seq_no"},
		{"Touch enough", func() error { return b.Touch(ctx, key, time.Second) }, nil, "GET _doc _source"},
		{"Touch", func() error { return b.Touch(ctx, key, time.Hour) }, nil, "GET _doc _source, POST _update if_seq_no"},
		{"Update conflict", func() error { _, err := b.Update(ctx, key, next, time.Minute, rev); return err }, backend.ErrConflict,
			"PUT _doc if_seq_no, POST _update _source"},
		{"Delete conflict", func() error { return b.Delete(ctx, key, rev) }, backend.ErrConflict, "DELETE _doc if_seq_no, POST _update _source"},
		{"Update the same", func() error { rev, err = b.Update(ctx, key, data, time.Minute, rev); return err }, nil,
			"PUT _doc if_seq_no, POST _update _source"},
		{"Update without a base", func() error { _, err := b.Update(ctx, key, next, time.Minute, nil); return err }, backend.ErrConflict, "GET _doc"},
		{"Delete", func() error { return b.Delete(ctx, key, rev) }, nil, "DELETE _doc if_seq_no"},
		{"Delete gone", func() error { return b.Delete(ctx, key, rev) }, backend.ErrNotFound, "DELETE _doc if_seq_no, POST _update _source"},
		{"Update gone", func() error { _, err := b.Update(ctx, key, data, time.Minute, rev); return err }, backend.ErrNotFound,
			"PUT _doc if_seq_no, POST _update _source"},
		{"Touch gone", func() error { return b.Touch(ctx, key, time.Hour) }, backend.ErrNotFound, "GET _doc _source"},
		{"Delete any", func() error { return b.Delete(ctx, key, nil) }, nil, "DELETE _doc"},
		{"Create again later", func() error { rev, err = b.Create(ctx, key, data, time.Minute); return err }, nil, "PUT _create"},
		{"Touch raced", func() error {
			sent.before = func() {
				// The get has no race; its update has.
				sent.before = func() { must[backend.Revision](t)(other.Update(ctx, key, data, time.Minute, rev)) }
			}
			return b.Touch(ctx, key, time.Hour)
		}, nil, "GET _doc _source, POST _update if_seq_no, GET _doc _source, POST _update if_seq_no"},
		{"Ping", func() error { return b.Ping(ctx) }, nil, "GET _doc _source"},
		{"List", func() error { _, _, err := b.List(ctx, key, "", 10); return err }, nil, "POST _refresh, POST _search"},
		{"List on", func() error { _, _, err := b.List(ctx, key, "x", 10); return err }, nil, "POST _search"},
		{"Sweep nothing", func() error { _, err := b.Sweep(ctx, 10); return err }, nil, "POST _search"},
		{"pass", func() error { shift = 2 * time.Hour; return nil }, nil, ""},
		{"Create over expired", func() error { rev, err = b.Create(ctx, key, data, time.Minute); return err }, nil,
			"PUT _create, POST _update _source, PUT _doc if_seq_no"},
		{"pass", func() error { shift = 3 * time.Hour; return nil }, nil, ""},
		{"Update expired", func() error { _, err := b.Update(ctx, key, data, time.Minute, rev); return err }, backend.ErrNotFound, "GET _doc"},
		{"Delete expired", func() error { return b.Delete(ctx, key, rev) }, backend.ErrNotFound, "GET _doc"},
	} {
		if err := step.run(); !errors.Is(err, step.want) {
			t.Fatalf("%s: %v, want %v", step.name, err, step.want)
		}
		if got := sent.take(); got != step.sent {
			t.Errorf("%s sent %q, want %q", step.name, got, step.sent)
		}
	}
	raw(t, "POST", b.index+"/_refresh", "")
	if n, err := b.Sweep(ctx, 10); n != 1 || err != nil {
		t.Fatalf("Sweep: %d, %v", n, err)
	}
	if got, want := sent.take(), "POST _search, POST _bulk refresh"; got != want {
		t.Errorf("Sweep sent %q, want %q", got, want)
	}
}
