package elasticbackend

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// TestSweep has a record that is extended between the search and the delete,
// and one that has only just expired, which the search does not find yet.
func TestSweep(t *testing.T) {
	ctx := context.Background()
	b, client := watch(t)
	raw(t, "PUT", b.index+"/_settings", `{"index": {"refresh_interval": "-1"}}`)
	now := time.Now()
	b.now = func() time.Time { return now }
	var keys []string
	for range 5 {
		key := newKey()
		must[backend.Revision](t)(b.Create(ctx, key, []byte("data"), time.Minute))
		keys = append(keys, key)
	}
	raw(t, "POST", b.index+"/_refresh", "")
	late := newKey()
	must[backend.Revision](t)(b.Create(ctx, late, []byte("data"), time.Minute))

	sweeping := openOn(t, client, Config{Index: b.index})
	sweeping.now = func() time.Time { return now.Add(time.Hour) }
	client.take()
	client.before = func() { // the search
		client.before = func() { // the bulk request
			if err := b.Touch(ctx, keys[0], 2*time.Hour); err != nil {
				t.Error(err)
			}
		}
	}
	n, err := sweeping.Sweep(ctx, 100)
	if n != 4 || err != nil {
		t.Errorf("Sweep removed %d, %v", n, err)
	}
	must[backend.Record](t)(sweeping.Load(ctx, keys[0]))
	for _, key := range append(slices.Clone(keys[1:]), late) {
		if _, err := sweeping.Load(ctx, key); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("Load of an expired record: %v", err)
		}
	}
	// The refresh of the bulk request has shown the late one.
	if n, err := sweeping.Sweep(ctx, 100); n != 1 || err != nil {
		t.Errorf("the second Sweep removed %d, %v", n, err)
	}
	if n, err := sweeping.Sweep(ctx, 100); n != 0 || err != nil {
		t.Errorf("the third Sweep removed %d, %v", n, err)
	}
}

// TestSearchLag shows what needs a refresh and what does not.
func TestSearchLag(t *testing.T) {
	ctx := context.Background()
	b, _ := watch(t)
	raw(t, "PUT", b.index+"/_settings", `{"index": {"refresh_interval": "-1"}}`)
	for i := range 20 {
		key := newKey()
		rev := must[backend.Revision](t)(b.Create(ctx, key, []byte("one"), time.Minute))
		must[backend.Record](t)(b.Load(ctx, key))
		must[backend.Revision](t)(b.Update(ctx, key, []byte("two"), time.Minute, rev))
		if rec := must[backend.Record](t)(b.Load(ctx, key)); string(rec.Data) != "two" {
			t.Errorf("Load returned %q", rec.Data)
		}
		if hits := must[[]hit](t)(b.search(ctx, query{Query: map[string]any{"match_all": struct{}{}}, Sort: []string{"key"}, Size: 100})); len(hits) != 0 {
			t.Errorf("a search found %d records before a refresh, after %d writes", len(hits), i+1)
		}
	}
	if keys, _, err := b.List(ctx, "", "", 100); len(keys) != 20 || err != nil {
		t.Errorf("List found %d keys, %v", len(keys), err)
	}
}

// TestListLimit has a limit that is more than a search may find.
func TestListLimit(t *testing.T) {
	b, _ := watch(t)
	must[backend.Revision](t)(b.Create(context.Background(), newKey(), nil, time.Minute))
	if keys, _, err := b.List(context.Background(), "", "", 1<<30); len(keys) != 1 || err != nil {
		t.Errorf("List: %d keys, %v", len(keys), err)
	}
	for _, limit := range []int{0, -1} {
		if _, _, err := b.List(context.Background(), "", "", limit); err == nil {
			t.Errorf("List with the limit %d succeeded", limit)
		}
		if n, err := b.Sweep(context.Background(), limit); n != 0 || err != nil {
			t.Errorf("Sweep with the limit %d: %d, %v", limit, n, err)
		}
	}
}
