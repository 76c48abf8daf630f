package elasticbackend

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// TestOwnerUnmapped has an index that the operator made for an earlier
// version: a search for an owner would find nothing in it, and say nothing.
func TestOwnerUnmapped(t *testing.T) {
	index, ctx := newIndex(t), context.Background()
	raw(t, "PUT", index, `{"mappings": {"dynamic": false, "properties": {"key": {"type": "keyword"}, "expires": {"type": "date", "format": "epoch_millis"}}}}`)
	b := openOn(t, connect(t), Config{Index: index, SkipSchema: true})
	v, err := b.Indexed("ada")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Create(ctx, "before", []byte("data"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if keys, err := v.Owned(ctx); !errors.Is(err, backend.ErrNoIndex) {
		t.Errorf("Owned: %q, %v", keys, err)
	}
	if err := b.EnsureSchema(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Create(ctx, "after", []byte("data"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if keys, err := v.Owned(ctx); err != nil || len(keys) != 1 {
		t.Errorf("Owned: %q, %v", keys, err)
	}
}
