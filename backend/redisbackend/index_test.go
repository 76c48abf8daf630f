package redisbackend

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
)

func indexed(t *testing.T, b *Backend, owner string) view {
	t.Helper()
	ix, err := b.Indexed(owner)
	if err != nil {
		t.Fatal(err)
	}
	return ix.(view)
}

// TestIndexSet looks at the set of an owner: what is over goes from it when
// it is written and when it is read, and in the end the set itself.
func TestIndexSet(t *testing.T) {
	eachServer(t, func(t *testing.T, client redis.UniversalClient) {
		ctx, b, owner := context.Background(), New(client), rand.Text()
		v, set := indexed(t, b, owner), ownerPrefix+owner
		members := func() []string {
			t.Helper()
			list, err := client.ZRange(ctx, set, 0, -1).Result()
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		first, second, third := rand.Text(), rand.Text(), rand.Text()
		create := func(key string, ttl time.Duration) {
			t.Helper()
			if _, err := v.Create(ctx, key, []byte("data"), ttl); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { client.Del(ctx, key) })
		}
		create(first, 2*time.Hour)
		create(second, time.Hour)
		score, err := client.ZScore(ctx, set, first).Result()
		if want := time.Now().Add(3 * time.Hour); err != nil || time.UnixMilli(int64(score)).Sub(want).Abs() > time.Minute {
			t.Errorf("the entry ends at %v, want %v; %v", time.UnixMilli(int64(score)), want, err)
		}
		if ttl := client.PTTL(ctx, set).Val(); ttl < 179*time.Minute || ttl > 3*time.Hour {
			t.Errorf("the set lives for %v", ttl)
		}
		if keys, _, err := b.List(ctx, "sessions-of:", "", 1000); err != nil || len(keys) > 0 {
			t.Errorf("the set is listed as a record: %v", err)
		}

		// Written: what has expired goes.
		client.ZAdd(ctx, set, redis.Z{Score: 1000, Member: second})
		create(third, time.Hour)
		if got := members(); slices.Contains(got, second) || len(got) != 2 {
			t.Errorf("an expired entry stays: %q", got)
		}
		// Read: what is absent goes.
		client.Del(ctx, first)
		if keys, err := v.Owned(ctx); err != nil || !slices.Equal(keys, []string{third}) || len(members()) != 1 {
			t.Errorf("Owned: %q, %q, %v", keys, members(), err)
		}
		if err := v.Delete(ctx, third, nil); err != nil || len(members()) != 0 {
			t.Errorf("after Delete: %q, %v", members(), err)
		}
	})
}

// TestIndexOrder has the index fail: then there is no record that it does not
// know, and none that it knows of is changed.
func TestIndexOrder(t *testing.T) {
	client := mini(t, true)
	ctx, b, owner := context.Background(), New(client), rand.Text()
	rev, err := b.Create(ctx, "old", []byte("data"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Set(ctx, ownerPrefix+owner, "no set", 0).Err(); err != nil {
		t.Fatal(err)
	}
	v := indexed(t, b, owner)
	_, createErr := v.Create(ctx, "new", []byte("data"), time.Hour)
	_, updateErr := v.Update(ctx, "old", []byte("other"), time.Hour, rev)
	_, ownedErr := v.Owned(ctx)
	for _, err := range []error{createErr, updateErr, ownedErr, v.Touch(ctx, "old", time.Hour)} {
		if err == nil || strings.Contains(err.Error(), owner) {
			t.Errorf("with an index that is no set: %v", err)
		}
	}
	if _, err := b.Load(ctx, "new"); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("a record that the index does not know: %v", err)
	}
	rec, err := b.Load(ctx, "old")
	if err != nil || string(rec.Data) != "data" || time.Until(rec.Expires) > time.Minute {
		t.Errorf("the record is %q until %v, %v", rec.Data, rec.Expires, err)
	}
}
