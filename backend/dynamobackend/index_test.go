package dynamobackend

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/go-session2/sessions/backend"
)

// TestIndexItem looks at the item of an owner: it lives as long as the record
// that lives longest, and what is over goes from it when it is read, and from
// time to time when it is written.
func TestIndexItem(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		ctx, db := context.Background(), connect(endpoint, nil)
		b := on(t, db, table)
		v, err := b.Indexed("ada")
		if err != nil {
			t.Fatal(err)
		}
		keys := func() int { return len(members(stored(t, db, table, ownerPrefix+"ada"))) }
		create := func(key string, ttl time.Duration) {
			t.Helper()
			if _, err := v.Create(ctx, key, []byte("data"), ttl); err != nil {
				t.Fatal(err)
			}
		}
		create("long", 2*time.Hour)
		create("short", time.Hour)
		number, _ := stored(t, db, table, ownerPrefix+"ada")["expires"].(*types.AttributeValueMemberN)
		end, err := strconv.ParseInt(number.Value, 10, 64)
		if want := time.Now().Add(3 * time.Hour); err != nil || time.Unix(end, 0).Sub(want).Abs() > time.Minute {
			t.Errorf("the item ends at %v, want %v; %v", time.Unix(end, 0), want, err)
		}
		if list, _, err := b.List(ctx, "", "", 100); err != nil || len(list) != 2 {
			t.Errorf("List: %q, %v", list, err)
		}
		if _, err := b.Load(ctx, ownerPrefix+"ada"); !errors.Is(err, backend.ErrCorrupt) {
			t.Errorf("Load of the item of an owner: %v", err)
		}
		// Read.
		if err := b.Delete(ctx, "short", nil); err != nil {
			t.Fatal(err)
		}
		if list, err := v.Owned(ctx); err != nil || len(list) != 1 || keys() != 1 {
			t.Errorf("Owned: %q, %d, %v", list, keys(), err)
		}
		// Written.
		for i := range trimEvery - 1 {
			key := strings.Repeat("k", i+1)
			create(key, time.Hour)
			if err := b.Delete(ctx, key, nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := keys(); n != 2 { // the last was not deleted yet when it was looked
			t.Errorf("the item has %d keys", n)
		}
		if err := v.Delete(ctx, "long", nil); err != nil || keys() != 1 {
			t.Errorf("after Delete: %d keys, %v", keys(), err)
		}
	})
}
