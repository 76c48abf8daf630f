package filebackend

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// tree returns the paths of all files and directories of the index.
func tree(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, ownersDir), func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return paths
}

// TestIndexFiles follows the entries of the index until they are gone.
func TestIndexFiles(t *testing.T) {
	const owner = "Ada_Lovelace-1815"
	ctx, cfg := context.Background(), Config{Dir: t.TempDir(), NoSync: true}
	ahead := time.Duration(0)
	b := openFor(t, cfg)
	b.now = func() time.Time { return time.Now().Add(ahead) }
	if n, err := b.Sweep(ctx, 10); n != 0 || err != nil {
		t.Errorf("Sweep without an index: %d, %v", n, err)
	}
	v, _ := b.Indexed(owner)
	for _, key := range []string{"a", "b", "c", "d"} {
		if _, err := v.Create(ctx, key, []byte("data"), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	paths := tree(t, cfg.Dir) // three directories and four files
	if len(paths) != 7 || strings.Contains(strings.ToLower(strings.Join(paths, "")), "ada") {
		t.Errorf("the index is %q", paths)
	}
	// What is absent goes when it is read, or at once by the view.
	if err := b.Delete(ctx, "a", nil); err != nil {
		t.Fatal(err)
	}
	if keys, err := v.Owned(ctx); err != nil || len(keys) != 3 || len(tree(t, cfg.Dir)) != 6 {
		t.Errorf("Owned: %q, %v, and the index is %q", keys, err, tree(t, cfg.Dir))
	}
	if err := v.Delete(ctx, "b", nil); err != nil || len(tree(t, cfg.Dir)) != 5 {
		t.Errorf("Delete: %v, and the index is %q", err, tree(t, cfg.Dir))
	}
	// What nobody reads goes by the sweeps: first the sessions, then the
	// entries, with their directory.
	ahead = 90 * time.Minute
	if n, err := b.Sweep(ctx, 10); n != 2 || err != nil {
		t.Errorf("Sweep: %d, %v", n, err)
	}
	ahead += 30 * time.Minute
	if _, err := b.Sweep(ctx, 10); err != nil || len(tree(t, cfg.Dir)) != 5 {
		t.Errorf("Sweep before its time: %v, and the index is %q", err, tree(t, cfg.Dir))
	}
	ahead += 31 * time.Minute
	if _, err := b.Sweep(ctx, 10); err != nil || len(tree(t, cfg.Dir)) != 2 {
		t.Errorf("Sweep: %v, and the index is %q", err, tree(t, cfg.Dir))
	}
	if _, err := v.Create(ctx, "e", []byte("data"), time.Hour); err != nil {
		t.Errorf("Create after the directory was removed: %v", err)
	}
	if keys, err := v.Owned(ctx); err != nil || len(keys) != 1 {
		t.Errorf("Owned: %q, %v", keys, err)
	}
}

// TestIndexOrder has the index fail: then there is no session that it does
// not know, and none that it knows of is changed.
func TestIndexOrder(t *testing.T) {
	ctx, cfg := context.Background(), Config{Dir: t.TempDir(), NoSync: true}
	b := openFor(t, cfg)
	rev := mustCreate(t, b, "old", "data", time.Minute)
	if err := os.WriteFile(filepath.Join(cfg.Dir, ownersDir), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v, _ := b.Indexed("ada")
	_, createErr := v.Create(ctx, "new", []byte("data"), time.Hour)
	_, updateErr := v.Update(ctx, "old", []byte("other"), time.Hour, rev)
	_, ownedErr := v.Owned(ctx)
	for _, err := range []error{createErr, updateErr, ownedErr, v.Touch(ctx, "old", time.Hour)} {
		if err == nil || strings.Contains(err.Error(), fileName("ada")) {
			t.Errorf("with an index that is no directory: %v", err)
		}
	}
	if err := loadErr(b, "new"); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("a session that the index does not know: %v", err)
	}
	if rec := mustHold(t, b, "old", "data"); time.Until(rec.Expires) > time.Minute+time.Second {
		t.Errorf("the session ends at %v", rec.Expires)
	}
}
