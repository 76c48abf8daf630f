//go:build unix

package filebackend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// TestRequirement runs the tests of docs/security.md's requirements for files.
//
// ST-10 fails when New does not ask checkDir, and ST-11 when the file's name
// is the key.
func TestRequirement(t *testing.T) {
	t.Run("ST-10", func(t *testing.T) {
		t.Run("directories", unsafeDirectories)
		t.Run("modes", modes)
	})
	t.Run("ST-11", hostileFileNames)
}

func unsafeDirectories(t *testing.T) {
	at := func(t *testing.T) string { return filepath.Join(t.TempDir(), "sessions") }
	made := func(t *testing.T, mode fs.FileMode) string {
		dir := at(t)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, c := range map[string]struct {
		dir func(t *testing.T) string
		fix string // what the error must say
	}{
		"none":                      {func(*testing.T) string { return "" }, "SESSION_FILE_DIR"},
		"writable for all":          {func(t *testing.T) string { return made(t, 0o777) }, "chmod 0700 "},
		"writable for all, sticky":  {func(t *testing.T) string { return made(t, 0o777|fs.ModeSticky) }, "name another"},
		"the directory for temp":    {func(*testing.T) string { return "/tmp" }, "name another"},
		"a file":                    {func(t *testing.T) string { d := at(t); put(t, d, nil); return d }, "name another"},
		"a link":                    {func(t *testing.T) string { return link(t, made(t, 0o700)) }, "symbolic link"},
		"a link and a slash behind": {func(t *testing.T) string { return link(t, made(t, 0o700)) + "/" }, "symbolic link"},
		"another user's": {func(t *testing.T) string {
			dir := made(t, 0o700)
			if err := os.Chown(dir, 12345, -1); errors.Is(err, os.ErrPermission) {
				t.Skip("only root can give a directory away")
			} else if err != nil {
				t.Fatal(err)
			}
			return dir
		}, "chown "},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := New(Config{Dir: c.dir(t)})
			if err == nil {
				b.Close()
			}
			wantText(t, err, c.fix)
		})
	}
}

func link(t *testing.T, target string) string {
	at := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(target, at); err != nil {
		t.Fatal(err)
	}
	return at
}

func TestBadConfig(t *testing.T) {
	for name, cfg := range map[string]Config{
		"decimal mode":        {Mode: 600},
		"no reading":          {Mode: 0o200},
		"everybody may write": {Mode: 0o666},
		"setuid":              {Mode: 0o600 | fs.ModeSetuid},
		"negative limit":      {MaxSessions: -1},
		"negative size":       {MaxSize: -1},
		"huge size":           {MaxSize: 1<<30 + 1},
	} {
		cfg.Dir = t.TempDir()
		if b, err := New(cfg); err == nil {
			b.Close()
			t.Errorf("%s was accepted", name)
		}
	}
}

// modes checks the permissions of everything that is made, under a umask
// that would take them away.
func modes(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	for _, mode := range []fs.FileMode{0, 0o600, 0o640, 0o644} {
		dir := filepath.Join(t.TempDir(), "made", "with", "parents")
		b := openFor(t, Config{Dir: dir, Mode: mode, MaxSessions: 1, NoSync: true})
		rev := mustCreate(t, b, "k", "data", time.Hour)
		if _, err := b.Update(context.Background(), "k", []byte("more"), time.Hour, rev); err != nil {
			t.Fatal(err)
		}
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o600)
			switch {
			case d.IsDir():
				want = 0o700
			case isFileName(d.Name()) && mode != 0:
				want = mode
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("with the mode %#o %s has %#o, want %#o", mode, d.Name(), got, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// hostileKeys are keys that mean something to a file system, a shell, or a
// decoder of names.
func hostileKeys() []string {
	return []string{
		"", ".", "..", "/", "\\", "../../x", "..\\..\\x", "/etc/passwd", "C:\\Windows\\system.ini",
		"a\x00b", "\x00", "a/b", "a/../b", "%2e%2e%2f", "CON", "nul.txt", "COM1", "x:stream", "x.", "x ",
		"~root", "-rf", "*", "?", "locks/count", "locks", "x.tmp", "\n", "\xff\xfe", "é", "e\u0301", "K", "k",
		"\u202egnp.exe", "日本語", "🍪", strings.Repeat("a", 255), strings.Repeat("a", 256), strings.Repeat("b", 5<<10),
		strings.Repeat("../", 1000), fileName("x"), "00/" + fileName("x"), strings.Repeat("c", maxKey),
	}
}

func hostileFileNames(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "sessions")
	b := openFor(t, Config{Dir: dir, NoSync: true})
	keys := hostileKeys()
	for i, key := range keys {
		mustCreate(t, b, key, fmt.Sprint("data ", i), time.Hour)
	}
	for i, key := range keys {
		rec := mustHold(t, b, key, fmt.Sprint("data ", i))
		if _, err := b.Update(context.Background(), key, fmt.Append(nil, "more ", i), time.Hour, rec.Revision); err != nil {
			t.Fatalf("Update of key %d: %v", i, err)
		}
	}
	listed := make(map[string]bool)
	for cursor := ""; ; {
		page, next, err := b.List(context.Background(), "", cursor, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range page {
			listed[key] = true
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	for i, key := range keys {
		mustHold(t, b, key, fmt.Sprint("more ", i))
		if !listed[key] {
			t.Errorf("key %d was not listed", i)
		}
	}
	for _, f := range files(t, parent) {
		rel, err := filepath.Rel(dir, f)
		if err != nil || !isFileName(filepath.Base(f)) || rel != filepath.Base(f)[:2]+"/"+filepath.Base(f) {
			t.Errorf("there is a file %s", rel)
		}
	}
	for i, key := range keys {
		if err := b.Delete(context.Background(), key, nil); err != nil {
			t.Fatalf("Delete of key %d: %v", i, err)
		}
	}
	if left := files(t, parent); len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
	tooLong := strings.Repeat("d", maxKey+1)
	wantErr(t, "Create", tryCreate(b, tooLong), backend.ErrTooLarge)
	wantErr(t, "Load", loadErr(b, tooLong), backend.ErrNotFound)
}

// TestErrorsHoldNoPath takes the directory's permissions away in ways that
// every operation meets.
func TestErrorsHoldNoPath(t *testing.T) {
	dir := t.TempDir()
	b := openFor(t, Config{Dir: dir, NoSync: true})
	ctx := context.Background()
	const key = "a:secret:key"
	name := fileName(key)
	put(t, filepath.Join(dir, name[:2]), []byte("a file where a directory should be"))
	_, _, listErr := b.List(ctx, "", "", 1)
	_, sweepErr := b.Sweep(ctx, 1)
	_, updateErr := b.Update(ctx, key, nil, time.Hour, nil)
	_, _, cursorErr := b.List(ctx, "", "../"+key, 1)
	for op, err := range map[string]error{
		"load": loadErr(b, key), "create": tryCreate(b, key), "update": updateErr,
		"touch": b.Touch(ctx, key, time.Hour), "delete": b.Delete(ctx, key, nil),
		"list": listErr, "sweep": sweepErr, "cursor": cursorErr,
	} {
		if err == nil || errors.Is(err, backend.ErrNotFound) {
			t.Errorf("%s: %v", op, err)
			continue
		}
		for _, secret := range []string{key, name, name[:2] + "/", dir} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error of %s holds a key or a path: %q", op, err)
			}
		}
	}
}
