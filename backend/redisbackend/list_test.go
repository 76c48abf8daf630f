package redisbackend

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// listAll returns the keys with a prefix, sorted and each once.
func listAll(t *testing.T, b *Backend, prefix string, limit int) []string {
	t.Helper()
	var all []string
	for cursor := ""; ; {
		keys, next, err := b.List(context.Background(), prefix, cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(keys) > limit {
			t.Fatalf("a page of at most %d keys has %d", limit, len(keys))
		}
		all = append(all, keys...)
		if next == "" {
			slices.Sort(all)
			return slices.Compact(all)
		}
		cursor = next
	}
}

// TestListPattern has prefixes that would be patterns.
func TestListPattern(t *testing.T) {
	eachServer(t, func(t *testing.T, client redis.UniversalClient) {
		ctx, b, id := context.Background(), New(client), rand.Text()
		prefixes := []string{"*", "?", "[a-z]", "[^a]", `\`, `\*`, `\\`, `]`, "{x}", "ü\x00"}
		for _, p := range append(prefixes, "a", "") {
			if _, err := b.Create(ctx, "test:"+id+p+":1", []byte("data"), time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range prefixes {
			want := "test:" + id + p + ":1"
			if got := listAll(t, b, "test:"+id+p+":", 1000); !slices.Equal(got, []string{want}) {
				t.Errorf("the prefix %q gives %q", p, got)
			}
		}
	})
}

// TestClusterSlots has keys enough for every master, in small pages.
func TestClusterSlots(t *testing.T) {
	for _, heed := range []bool{true, false} {
		ctx, client := context.Background(), cluster(t, heed).(*redis.ClusterClient)
		b, prefix := New(client), "test:"+rand.Text()+":"
		var keys []string
		masters := make(map[string]int)
		for i := range 300 {
			key := fmt.Sprintf("%s%03d", prefix, i)
			rev, err := b.Create(ctx, key, []byte(key), time.Minute)
			if err == nil {
				rev, err = b.Update(ctx, key, []byte(key+key), time.Minute, rev)
			}
			if err == nil {
				err = b.Touch(ctx, key, time.Hour)
			}
			if err == nil && i%3 == 0 {
				err = b.Delete(ctx, key, rev)
			} else {
				keys = append(keys, key)
			}
			if err != nil {
				t.Fatal(err)
			}
			master, err := client.MasterForKey(ctx, key)
			if err != nil {
				t.Fatal(err)
			}
			masters[master.Options().Addr]++
		}
		if len(masters) < 3 {
			t.Fatalf("the keys are on %d masters only", len(masters))
		}
		for _, limit := range []int{1, 30, 5000} {
			if got := listAll(t, b, prefix, limit); !slices.Equal(got, keys) {
				t.Errorf("%d keys were listed, want %d", len(got), len(keys))
			}
		}
	}
}

func TestListCursor(t *testing.T) {
	ctx, b := context.Background(), New(cluster(t, true))
	for name, c := range map[string]struct {
		cursor string
		limit  int
		want   string
	}{
		"limit":    {"", 0, "the limit is 0"},
		"text":     {"secret", 10, "the cursor is not one of this backend"},
		"negative": {`{"node":-1}`, 10, "the cursor is not one of this backend"},
		"changed":  {`{"node":0,"set":1,"scan":0}`, 10, "have changed"},
		"beyond":   {`{"node":99}`, 10, "have changed"},
	} {
		_, _, err := b.List(ctx, "test:", c.cursor, c.limit)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
