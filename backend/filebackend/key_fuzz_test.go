//go:build unix

package filebackend

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// FuzzStoreKey stores a session under an arbitrary key: it is there under
// exactly this key, in one file at its place, or it is refused.
func FuzzStoreKey(f *testing.F) {
	for _, key := range hostileKeys() {
		f.Add(key)
	}
	parent := f.TempDir()
	dir := filepath.Join(parent, "sessions")
	b := openFor(f, Config{Dir: dir, NoSync: true})
	ctx := context.Background()
	f.Fuzz(func(t *testing.T, key string) {
		if _, err := b.Create(ctx, key, []byte("data"), time.Hour); err != nil {
			if len(key) <= maxKey || !errors.Is(err, backend.ErrTooLarge) {
				t.Errorf("Create: %v", err)
			}
			if n := len(files(t, parent)); n != 0 {
				t.Errorf("a refused key made %d files", n)
			}
			return
		}
		if all := files(t, parent); len(all) != 1 || all[0] != path(dir, key) {
			t.Errorf("the session %q is in %q", key, all)
		}
		mustHold(t, b, key, "data")
		for _, other := range []string{key + "x", key + "/", key + "\x00", "x" + key, filepath.Clean(key)} {
			if other != key && !errors.Is(loadErr(b, other), backend.ErrNotFound) {
				t.Errorf("%q is also found as %q", key, other)
			}
		}
		keys, _, err := b.List(ctx, "", "", 10)
		if err != nil || len(keys) != 1 || keys[0] != key {
			t.Errorf("%q is listed as %q, %v", key, keys, err)
		}
		if err := b.Delete(ctx, key, nil); err != nil {
			t.Error(err)
		}
		if all := files(t, parent); len(all) != 0 {
			t.Errorf("Delete of %q left %q", key, all)
		}
	})
}
