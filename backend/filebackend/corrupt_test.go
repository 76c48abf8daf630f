//go:build unix

package filebackend

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// spoiled returns the file of the session "k" and where it is.
func spoiled(t testing.TB, dir string, b *Backend) (file []byte, at string) {
	t.Helper()
	mustCreate(t, b, "k", "the data of a session", time.Hour)
	at = path(dir, "k")
	file, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	return file, at
}

func truncatedAnywhere(t *testing.T) {
	dir := t.TempDir()
	b := openFor(t, Config{Dir: dir, NoSync: true})
	file, at := spoiled(t, dir, b)
	for n := range file {
		put(t, at, file[:n])
		wantErr(t, "Load", loadErr(b, "k"), backend.ErrCorrupt)
	}
	wantQuarantined(t, b, "k")
	put(t, at, file)
	mustHold(t, b, "k", "the data of a session")
	for _, more := range [][]byte{{0}, file, make([]byte, 1<<20)} {
		put(t, at, append(bytes.Clone(file), more...))
		wantErr(t, "Load", loadErr(b, "k"), backend.ErrCorrupt)
	}
	put(t, at, nil)
	wantQuarantined(t, b, "k")
	wantDeletable(t, b, "k")
}

func everyBitFlipped(t *testing.T) {
	dir := t.TempDir()
	b := openFor(t, Config{Dir: dir, NoSync: true})
	file, at := spoiled(t, dir, b)
	for i := range 8 * len(file) {
		flipped := bytes.Clone(file)
		flipped[i/8] ^= 1 << (i % 8)
		put(t, at, flipped)
		wantErr(t, "Load", loadErr(b, "k"), backend.ErrCorrupt)
	}
	put(t, at, file)
	mustHold(t, b, "k", "the data of a session")
}

// TestExpiryFlipped makes a live session look expired to the first look of
// the sweeper.
func TestExpiryFlipped(t *testing.T) {
	dir := t.TempDir()
	b := openFor(t, Config{Dir: dir, NoSync: true})
	file, at := spoiled(t, dir, b)
	file[expiryAt] |= 0x80
	put(t, at, file)
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(at, old, old); err != nil {
		t.Fatal(err)
	}
	wantQuarantined(t, b, "k")
}

func init() {
	gate["truncated"] = truncatedAnywhere
	gate["bit flipped"] = everyBitFlipped
	gate["planted"] = planted
	gate["linked directory"] = linkedDirectory
}

// plant puts something in the place of the session "k".
type plant func(t *testing.T, dir, at string)

func planted(t *testing.T) {
	good := encode("k", []byte("planted"), time.Now().Add(time.Hour).UnixMilli())
	for name, plant := range map[string]plant{
		"foreign file": func(t *testing.T, _, at string) { put(t, at, []byte("<?php echo 1;")) },
		"Flask's file": func(t *testing.T, _, at string) {
			put(t, at, append([]byte{0xff, 0xff, 0xff, 0x7f}, "\x80\x05}\x94."...))
		},
		"copy of another session": func(t *testing.T, _, at string) {
			put(t, at, encode("l", []byte("another's"), time.Now().Add(time.Hour).UnixMilli()))
		},
		"huge sparse file": func(t *testing.T, _, at string) {
			put(t, at, good)
			if err := os.Truncate(at, 1<<40); err != nil {
				t.Skipf("the file system holds no sparse files of 1 TiB: %v", err)
			}
		},
		"data over the limit": func(t *testing.T, _, at string) {
			put(t, at, encode("k", make([]byte, defaultMaxSize+1), time.Now().Add(time.Hour).UnixMilli()))
		},
		"link inside": func(t *testing.T, dir, at string) {
			put(t, filepath.Join(dir, "other"), good)
			if err := os.Symlink("../other", at); err != nil {
				t.Fatal(err)
			}
		},
		"link outside": func(t *testing.T, _, at string) {
			target := filepath.Join(t.TempDir(), "outside")
			put(t, target, good)
			if err := os.Symlink(target, at); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if now, err := os.ReadFile(target); err != nil || !bytes.Equal(now, good) {
					t.Errorf("the file behind the link was changed: %v", err)
				}
			})
		},
		"dangling link": func(t *testing.T, _, at string) {
			if err := os.Symlink("nowhere", at); err != nil {
				t.Fatal(err)
			}
		},
		"named pipe": func(t *testing.T, _, at string) {
			if err := syscall.Mkfifo(at, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"directory": func(t *testing.T, _, at string) {
			if err := os.Mkdir(at, 0o700); err != nil {
				t.Fatal(err)
			}
		},
		"another user's file": func(t *testing.T, _, at string) {
			put(t, at, good)
			if err := os.Chown(at, 12345, -1); errors.Is(err, os.ErrPermission) {
				t.Skip("only root can give a file away")
			} else if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "sessions")
			b := openFor(t, Config{Dir: dir, NoSync: true})
			at := path(dir, "k")
			if err := os.Mkdir(filepath.Dir(at), 0o700); err != nil {
				t.Fatal(err)
			}
			plant(t, dir, at)
			wantQuarantined(t, b, "k")
			wantDeletable(t, b, "k")
		})
	}
}

// linkedDirectory puts a link that leads out in the place of a directory
// of sessions.
func linkedDirectory(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	b := openFor(t, Config{Dir: dir, NoSync: true})
	at := path(dir, "k")
	if err := os.Symlink(outside, filepath.Dir(at)); err != nil {
		t.Fatal(err)
	}
	if err := loadErr(b, "k"); err == nil || errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Load: %v", err)
	}
	if tryCreate(b, "k") == nil {
		t.Error("Create followed the link")
	}
	if left := files(t, outside); len(left) != 0 {
		t.Errorf("there are %d files outside", len(left))
	}
}

// FuzzFileFormat reads arbitrary bytes as a session file: a record that is
// exactly what this package writes, an expired one, or ErrCorrupt.
func FuzzFileFormat(f *testing.F) {
	far := time.Now().Add(backend.MaxTTL).UnixMilli()
	for _, seed := range [][]byte{
		nil,
		[]byte(magic),
		encode("k", nil, far),
		encode("k", []byte("data"), far),
		encode("k", []byte("data"), 0),
		encode("k", []byte("data"), -1<<63),
		encode("k", []byte("data"), 1<<63-1),
		encode("", []byte("data"), far),
		encode("another key", []byte("data"), far),
		encode("k", bytes.Repeat([]byte{0xff}, 300), far),
		append(encode("k", []byte("data"), far), 0),
		encode("k", []byte("data"), far)[:overhead],
		bytes.Repeat([]byte{0xff}, overhead+10),
		append([]byte(magic), make([]byte, 50)...),
	} {
		f.Add(seed)
	}
	dir := f.TempDir()
	b := openFor(f, Config{Dir: dir, NoSync: true})
	at := path(dir, "k")
	f.Fuzz(func(t *testing.T, content []byte) {
		// With a checksum that fits, so that what comes behind it is tried.
		for _, repaired := range []bool{false, true} {
			if repaired && len(content) > expiryAt {
				content = bytes.Clone(content)
				sum := checksum(content)
				content[sumAt], content[sumAt+1] = byte(sum>>24), byte(sum>>16)
				content[sumAt+2], content[sumAt+3] = byte(sum>>8), byte(sum)
			}
			put(t, at, content)
			long := time.Now().Add(-time.Hour)
			if err := os.Chtimes(at, long, long); err != nil {
				t.Fatal(err)
			}
			rec, err := b.Load(context.Background(), "k")
			switch {
			case err == nil:
				if !bytes.Equal(encode("k", rec.Data, rec.Expires.UnixMilli()), content) {
					t.Error("a file was read that this package would write otherwise")
				}
			case !errors.Is(err, backend.ErrNotFound) && !errors.Is(err, backend.ErrCorrupt):
				t.Errorf("Load: %v", err)
			}
		}
	})
}
