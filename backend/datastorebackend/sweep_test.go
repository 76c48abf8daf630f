package datastorebackend

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"cloud.google.com/go/datastore"

	"github.com/go-session2/sessions/backend"
)

// TestSweepSpares extends records between the search of a sweep and its
// deletions, in two ways, and has another sweep remove one.
func TestSweepSpares(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		b, ctx := s.fresh(t), context.Background()
		var keys []*datastore.Key
		for _, key := range []string{"touched", "updated", "removed", "expired"} {
			if _, err := b.Create(ctx, key, []byte("data"), time.Minute); err != nil {
				t.Fatal(err)
			}
			keys = append(keys, b.name(key))
		}
		if err := b.Touch(ctx, "touched", time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Update(ctx, "updated", []byte("more"), time.Hour, []byte("data")); err != nil {
			t.Fatal(err)
		}
		if err := b.Delete(ctx, "removed", nil); err != nil {
			t.Fatal(err)
		}
		b.now = func() time.Time { return time.Now().Add(time.Minute) }
		if n, err := b.removeAll(ctx, keys); n != 1 || err != nil {
			t.Errorf("%d were removed, %v", n, err)
		}
		for key, want := range map[string]error{"touched": nil, "updated": nil, "removed": datastore.ErrNoSuchEntity, "expired": datastore.ErrNoSuchEntity} {
			var list datastore.PropertyList
			if err := b.client.Get(ctx, b.name(key), &list); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", key, err, want)
			}
		}
	})
}

// TestSweepBatches has more expired records than one transaction removes, and
// as many entities before them that cannot be removed.
func TestSweepBatches(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		b, ctx := s.fresh(t), context.Background()
		const n = 2*sweepBatch + 10
		var keys []*datastore.Key
		var lists []datastore.PropertyList
		for i := range n {
			keys = append(keys, b.name(fmt.Sprint("foreign", i)), b.name(fmt.Sprint("expired", i)))
			lists = append(lists, datastore.PropertyList{{Name: "expires", Value: time.Unix(0, 0)}},
				*b.layout.encode(record{data: backend.Revision("data"), expires: time.Unix(1, 0)}))
		}
		if _, err := b.client.PutMulti(ctx, keys, lists); err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{sweepBatch + 5, sweepBatch + 5, 0} {
			if got, err := b.Sweep(ctx, sweepBatch+5); got != want || err != nil {
				t.Errorf("Sweep removed %d, want %d, %v", got, want, err)
			}
		}
		left, err := b.client.GetAll(ctx, datastore.NewQuery(b.kind).KeysOnly(), nil)
		if err != nil || len(left) != n {
			t.Errorf("%d entities are left, want the %d foreign ones, %v", len(left), n, err)
		}
	})
}
