package dynamobackend

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// A step is an operation, the request that it may cost, and how it ends.
type step struct {
	name    string
	run     func() error
	request string
	err     error
}

// steps returns every operation with every outcome, in an order that works.
func steps(b *Backend, key string) []step {
	ctx := context.Background()
	data := func(i int) []byte { return fmt.Appendf(nil, "data %d", i) }
	create := func(key string, i int) func() error {
		return func() error { _, err := b.Create(ctx, key, data(i), time.Minute); return err }
	}
	update := func(key string, i, base int) func() error {
		return func() error {
			_, err := b.Update(ctx, key, data(i), time.Minute, revision(data(base)))
			return err
		}
	}
	touch := func(key string, ttl time.Duration) func() error {
		return func() error { return b.Touch(ctx, key, ttl) }
	}
	remove := func(key string, base backend.Revision) func() error {
		return func() error { return b.Delete(ctx, key, base) }
	}
	load := func(key string) func() error {
		return func() error { _, err := b.Load(ctx, key); return err }
	}
	gone := key + "-gone"
	return []step{
		{"Create", create(key, 1), "PutItem", nil},
		{"Create again", create(key, 1), "PutItem", nil},
		{"Create in use", create(key, 2), "PutItem", backend.ErrExists},
		{"Load", load(key), "GetItem", nil},
		{"Load missing", load(gone), "GetItem", backend.ErrNotFound},
		{"Update", update(key, 2, 1), "PutItem", nil},
		{"Update again", update(key, 2, 1), "PutItem", nil},
		{"Update stale", update(key, 3, 1), "PutItem", backend.ErrConflict},
		{"Update missing", update(gone, 3, 1), "PutItem", backend.ErrNotFound},
		{"Touch", touch(key, time.Hour), "UpdateItem", nil},
		{"Touch shorter", touch(key, time.Second), "UpdateItem", nil},
		{"Touch missing", touch(gone, time.Hour), "UpdateItem", backend.ErrNotFound},
		{"List", func() error { _, _, err := b.List(ctx, key, "", 10); return err }, "Scan", nil},
		{"Ping", func() error { return b.Ping(ctx) }, "DescribeTable", nil},
		{"Delete stale", remove(key, revision(data(1))), "DeleteItem", backend.ErrConflict},
		{"Delete at a revision", remove(key, revision(data(2))), "DeleteItem", nil},
		{"Delete gone at a revision", remove(key, revision(data(2))), "DeleteItem", backend.ErrNotFound},
		{"Delete", remove(key, nil), "DeleteItem", nil},
	}
}

// TestRequests counts what every operation costs, whatever its outcome.
func TestRequests(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		w := new(wire)
		b := on(t, connect(endpoint, w), table)
		if err := b.Ping(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.take()
		for _, s := range steps(b, "key") {
			if err := s.run(); !errors.Is(err, s.err) || (err == nil) != (s.err == nil) {
				t.Errorf("%s: %v, want %v", s.name, err, s.err)
			}
			sent := w.take()
			if len(sent) != 1 || sent[0].operation != s.request {
				t.Fatalf("%s sent %q, want one %s", s.name, sent, s.request)
			}
			if r := sent[0]; (r.operation == "GetItem" || r.operation == "Scan") != strings.Contains(r.body, `"ConsistentRead":true`) {
				t.Errorf("%s sent %s", s.name, r.body)
			}
		}
	})
}

// TestLostReply has the SDK repeat each request because its reply was lost.
func TestLostReply(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		ctx, w := context.Background(), new(wire)
		b := on(t, connect(endpoint, w), table)
		if err := b.Ping(ctx); err != nil {
			t.Fatal(err)
		}
		w.take()
		for _, s := range steps(b, "key") {
			w.lose = true
			want := s.err
			if s.name == "Delete at a revision" {
				want = backend.ErrNotFound // as documented
			}
			if err := s.run(); !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("%s: %v, want %v", s.name, err, want)
			}
			if got := w.operations(); !slices.Equal(got, []string{s.request, s.request}) {
				t.Fatalf("%s sent %q, want two %s", s.name, got, s.request)
			}
		}

		// Increments whose replies are lost count once.
		const n = 20
		rev, err := b.Create(ctx, "counter", []byte("0 "+rand.Text()), time.Minute)
		for i := 0; i < n && err == nil; i++ {
			rec, lerr := b.Load(ctx, "counter")
			if lerr != nil || !bytes.Equal(rec.Revision, rev) {
				t.Fatalf("after %d increments: %v", i, lerr)
			}
			var count int
			fmt.Sscan(string(rec.Data), &count)
			w.lose = i%2 == 0
			rev, err = b.Update(ctx, "counter", fmt.Appendf(nil, "%d %s", count+1, rand.Text()), time.Minute, rev)
		}
		rec, lerr := b.Load(ctx, "counter")
		if err != nil || lerr != nil || !strings.HasPrefix(string(rec.Data), fmt.Sprint(n, " ")) {
			t.Fatalf("%d increments gave %q, %v, %v", n, rec.Data, err, lerr)
		}
	})
}

// TestList checks that pages are bounded, and what is left out.
func TestList(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		ctx, w := context.Background(), new(wire)
		b := on(t, connect(endpoint, w), table)
		for i := range 25 {
			if _, err := b.Create(ctx, fmt.Sprintf("session:%02d", i), []byte("data"), time.Hour); err != nil {
				t.Fatal(err)
			}
			put(t, connect(endpoint, nil), table, native.encode(fmt.Sprintf("session:gone%02d", i), nil, time.Now().Add(-time.Hour)))
			put(t, connect(endpoint, nil), table, native.encode(fmt.Sprintf("other:%02d", i), nil, time.Now().Add(time.Hour)))
		}
		w.take()
		var all []string
		cursor, pages := "", 0
		for {
			keys, next, err := b.List(ctx, "session:", cursor, 10)
			if err != nil || len(keys) > 10 {
				t.Fatalf("%d keys, %v", len(keys), err)
			}
			all = append(all, keys...)
			pages++
			if cursor = next; next == "" {
				break
			}
		}
		slices.Sort(all)
		if all = slices.Compact(all); len(all) != 25 || all[0] != "session:00" || all[24] != "session:24" {
			t.Errorf("listed: %q", all)
		}
		if got := w.count("Scan"); got != pages {
			t.Errorf("%d pages cost %d scans", pages, got)
		}
		if _, _, err := b.List(ctx, "", "", 0); err == nil {
			t.Error("a limit of 0 was accepted")
		}
	})
}
