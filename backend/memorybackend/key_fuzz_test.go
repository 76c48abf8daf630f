package memorybackend

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// FuzzStoreKey stores a session under an arbitrary key: it is there under
// exactly this key.
func FuzzStoreKey(f *testing.F) {
	for _, key := range []string{"", "session:x", "\x00", "a\x00b", "\xff\xfe", "é", "e\u0301", "../../x", "a b\r\n", "K", "k"} {
		f.Add(key)
	}
	b, err := New(Config{})
	if err != nil {
		f.Fatal(err)
	}
	ctx := context.Background()
	f.Fuzz(func(t *testing.T, key string) {
		if _, err := b.Create(ctx, key, []byte("data"), time.Hour); err != nil {
			t.Fatal(err)
		}
		if rec, err := b.Load(ctx, key); err != nil || string(rec.Data) != "data" {
			t.Errorf("Load of %q: %q, %v", key, rec.Data, err)
		}
		for _, other := range []string{key + "x", key + "\x00", "x" + key, key + " "} {
			if _, err := b.Load(ctx, other); !errors.Is(err, backend.ErrNotFound) {
				t.Errorf("%q is also found as %q: %v", key, other, err)
			}
		}
		if keys, _, err := b.List(ctx, "", "", 10); err != nil || len(keys) != 1 || keys[0] != key {
			t.Errorf("%q is listed as %q, %v", key, keys, err)
		}
		if err := b.Delete(ctx, key, nil); err != nil {
			t.Error(err)
		}
		if keys, _, err := b.List(ctx, "", "", 10); err != nil || len(keys) != 0 {
			t.Errorf("Delete of %q left %q, %v", key, keys, err)
		}
	})
}
