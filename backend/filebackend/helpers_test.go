package filebackend

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

func wantErr(t testing.TB, op string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: got the error %v, want %v", op, err, want)
	}
}

func wantText(t testing.TB, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Fatalf("got the error %v, want one with %q", err, text)
	}
}

func loadErr(b *Backend, key string) error {
	_, err := b.Load(context.Background(), key)
	return err
}

func tryCreate(b *Backend, key string) error {
	_, err := b.Create(context.Background(), key, []byte("data"), time.Hour)
	return err
}

// files returns the paths of all regular files below a directory but the
// locks.
func files(t testing.TB, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == lockDir {
			return fs.SkipDir
		}
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// put writes a file in the place of a session's.
func put(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantQuarantined checks that a corrupt file is left to be looked at by all
// but Delete.
func wantQuarantined(t testing.TB, b *Backend, key string) {
	t.Helper()
	ctx := context.Background()
	data := []byte("new")
	_, err := b.Load(ctx, key)
	wantErr(t, "Load", err, backend.ErrCorrupt)
	_, err = b.Create(ctx, key, data, time.Hour)
	wantErr(t, "Create", err, backend.ErrExists)
	_, err = b.Update(ctx, key, data, time.Hour, backend.Revision("x"))
	wantErr(t, "Update", err, backend.ErrCorrupt)
	wantErr(t, "Touch", b.Touch(ctx, key, time.Hour), backend.ErrCorrupt)
	wantErr(t, "Delete with a base", b.Delete(ctx, key, backend.Revision("x")), backend.ErrCorrupt)
	if n, err := b.Sweep(ctx, 10); n != 0 || err != nil {
		t.Fatalf("Sweep: %d, %v", n, err)
	}
	if keys, _, err := b.List(ctx, "", "", 10); len(keys) != 0 || err != nil {
		t.Fatalf("List: %d keys, %v", len(keys), err)
	}
	wantErr(t, "Load", loadErr(b, key), backend.ErrCorrupt)
}

// wantDeletable checks that Delete makes room for a new record.
func wantDeletable(t testing.TB, b *Backend, key string) {
	t.Helper()
	if err := b.Delete(context.Background(), key, nil); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	wantErr(t, "Load", loadErr(b, key), backend.ErrNotFound)
	mustCreate(t, b, key, "new", time.Hour)
	mustHold(t, b, key, "new")
}

// newTempName returns a name for a file that is being written.
func newTempName() string { return rand.Text() + tempSuffix }
