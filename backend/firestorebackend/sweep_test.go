package firestorebackend

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// TestSweepSpares extends records between the search of a sweep and its
// deletions, in two ways, and has another sweep remove one.
func TestSweepSpares(t *testing.T) {
	b, ctx := fresh(t), context.Background()
	for _, key := range []string{"touched", "updated", "removed", "expired"} {
		if _, err := b.Create(ctx, key, nil, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	rec, err := b.Load(ctx, "updated")
	if err != nil {
		t.Fatal(err)
	}
	b.now = func() time.Time { return time.Now().Add(time.Minute) }
	found, err := b.expired(ctx, 10)
	if err != nil || len(found) != 4 {
		t.Fatalf("%d have expired, %v", len(found), err)
	}
	b.now = time.Now
	if err := b.Touch(ctx, "touched", time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Update(ctx, "updated", []byte("more"), time.Hour, rec.Revision); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(ctx, "removed", nil); err != nil {
		t.Fatal(err)
	}
	if n, err := b.removeAll(ctx, found); n != 1 || err != nil {
		t.Errorf("%d were removed, %v", n, err)
	}
	for key, want := range map[string]error{"touched": nil, "updated": nil, "removed": backend.ErrNotFound, "expired": backend.ErrNotFound} {
		if _, err := b.get(ctx, key); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", key, err, want)
		}
	}
}

// TestSweepBatches has more expired records than one query finds.
func TestSweepBatches(t *testing.T) {
	b, ctx := fresh(t), context.Background()
	const n = maxBatch + 30
	w := b.client.BulkWriter(ctx)
	for range n {
		if _, err := w.Create(b.coll.NewDoc(), native.document("", record{expires: time.Now()})); err != nil {
			t.Fatal(err)
		}
	}
	w.End()
	for _, want := range []int{maxBatch + 10, 20, 0} {
		if got, err := b.Sweep(ctx, maxBatch+10); got != want || err != nil {
			t.Errorf("Sweep removed %d, want %d, %v", got, want, err)
		}
	}
}
