package filebackend

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// captured are files that cachelib has written, 0.9 for Flask-Session2 and
// 0.13 for Flask-Session. Both use MD5.
var captured = []struct {
	layout            backend.FlaskLayout
	key, name, expiry string
	data              string
}{
	{backend.FlaskSession2, "session:2967d15e-de02-475d-a57a-1630fc00b08b", "254697ba5ae95507e18242e1a6a6cfcc", "47e02c6b",
		"8005951f000000000000007d94288c0a5f7065726d616e656e7494888c0176948c0568656c6c6f94752e"},
	{backend.FlaskSession, "session:-tcorOHn1_12L-k0feOLQYO5b4Q7k9uCaW4d6o3d80s", "599c6173ef8cc08ee92017653be29b69", "4ae02c6b",
		"8005951f000000000000007d94288c0a5f7065726d616e656e7494888c0176948c0568656c6c6f94752e"},
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFlaskCaptured reads, changes, removes and makes anew what Flask has
// stored, in the directory as it was at the end of the capture.
func TestFlaskCaptured(t *testing.T) {
	for _, c := range captured {
		dir, ctx := t.TempDir(), context.Background()
		seconds := binary.LittleEndian.Uint32(unhex(t, c.expiry))
		put(t, filepath.Join(dir, c.name), append(binary.NativeEndian.AppendUint32(nil, seconds), unhex(t, c.data)...))
		put(t, filepath.Join(dir, md5Names.count), unhex(t, "0000000080054b012e"))
		b := openFor(t, Config{Dir: dir, Flask: c.layout})
		b.now = func() time.Time { return time.Unix(int64(seconds), 0).Add(-time.Hour) }
		rec := mustHold(t, b, c.key, string(unhex(t, c.data)))
		if !rec.Expires.Equal(time.Unix(int64(seconds), 0)) {
			t.Errorf("it expires %v", rec.Expires)
		}
		stored := func(op, data string, expires uint32, count int) {
			t.Helper()
			file, err := os.ReadFile(filepath.Join(dir, c.name))
			if data == "" {
				if !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s: %v", op, err)
				}
			} else if err != nil || binary.NativeEndian.Uint32(file) != expires || string(file[4:]) != data {
				t.Errorf("%s stored %q, %v", op, file, err)
			} else if info, _ := os.Stat(filepath.Join(dir, c.name)); info.Mode().Perm() != 0o600 {
				t.Errorf("%s: the mode is %v", op, info.Mode())
			}
			counter, err := os.ReadFile(filepath.Join(dir, md5Names.count))
			n, ok := pickledNumber(counter[4:])
			if err != nil || !ok || n != count || binary.NativeEndian.Uint32(counter) != 0 {
				t.Errorf("after %s the count file is %q, %v", op, counter, err)
			}
			for _, f := range files(t, dir) {
				if name := filepath.Base(f); name != c.name && name != md5Names.count && !strings.Contains(f, flaskSuffix+"/") {
					t.Errorf("after %s there is %s", op, name)
				}
			}
		}
		if err := b.Touch(ctx, c.key, 2*time.Hour); err != nil {
			t.Fatal(err)
		}
		stored("Touch", string(rec.Data), seconds+3600, 1)
		if err := b.Touch(ctx, c.key, time.Hour); err != nil {
			t.Fatal(err)
		}
		stored("a shorter Touch", string(rec.Data), seconds+3600, 1)
		rev, err := b.Update(ctx, c.key, []byte("new"), 3*time.Hour, rec.Revision)
		if err != nil {
			t.Fatal(err)
		}
		stored("Update", "new", seconds+2*3600, 1)
		if err := b.Delete(ctx, c.key, rev); err != nil {
			t.Fatal(err)
		}
		stored("Delete", "", 0, 0)
		if _, err := b.Create(ctx, c.key, []byte("newer"), time.Hour+time.Nanosecond); err != nil {
			t.Fatal(err)
		}
		stored("Create", "newer", seconds+1, 1)
		if err := b.Delete(ctx, c.key, nil); err != nil {
			t.Fatal(err)
		}
		stored("Delete", "", 0, 0)
	}
}

// TestFlaskNeverEnds has a session without an expiry, which a touch leaves.
func TestFlaskNeverEnds(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	put(t, filepath.Join(dir, md5Names.sum("k")), []byte("\x00\x00\x00\x00data"))
	b := openFor(t, Config{Dir: dir, Flask: backend.FlaskSession2})
	if rec := mustHold(t, b, "k", "data"); !rec.Expires.IsZero() {
		t.Errorf("it expires %v", rec.Expires)
	}
	if err := b.Touch(ctx, "k", time.Hour); err != nil {
		t.Error(err)
	}
	if rec := mustHold(t, b, "k", "data"); !rec.Expires.IsZero() {
		t.Errorf("after a touch it expires %v", rec.Expires)
	}
	if n, err := b.Sweep(ctx, 10); n != 0 || err != nil {
		t.Errorf("Sweep removed %d, %v", n, err)
	}
}

func TestFlaskCorrupt(t *testing.T) {
	for name, content := range map[string][]byte{"empty": {}, "short": {1, 2, 3}, "long": make([]byte, 4+1025)} {
		dir := t.TempDir()
		path := filepath.Join(dir, md5Names.sum("k"))
		put(t, path, content)
		b := openFor(t, Config{Dir: dir, Flask: backend.FlaskSession2, MaxSize: 1024})
		wantErr(t, "Load", loadErr(b, "k"), backend.ErrCorrupt)
		wantErr(t, "Create", tryCreate(b, "k"), backend.ErrExists)
		_, err := b.Update(context.Background(), "k", nil, time.Hour, backend.Revision("x"))
		wantErr(t, "Update", err, backend.ErrCorrupt)
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
			t.Errorf("a file that is %s was changed: %v", name, err)
		}
		wantDeletable(t, b, "k")
	}
}

// TestFlaskNames finds out how the application names its files.
func TestFlaskNames(t *testing.T) {
	for name, c := range map[string]struct {
		layout backend.FlaskLayout
		files  []string // the newest last
		want   *naming
	}{
		"Flask-Session2":      {backend.FlaskSession2, []string{sha256Names.count}, md5Names},
		"new cachelib":        {backend.FlaskSession, []string{sha256Names.count, md5Names.sum("x")}, sha256Names},
		"old cachelib":        {backend.FlaskSession, []string{md5Names.count, sha256Names.sum("x")}, md5Names},
		"updated cachelib":    {backend.FlaskSession, []string{md5Names.count, sha256Names.count}, sha256Names},
		"downgraded cachelib": {backend.FlaskSession, []string{sha256Names.count, md5Names.count}, md5Names},
		"not counting, old":   {backend.FlaskSession, []string{"README", md5Names.sum("x")}, md5Names},
		"not counting, new":   {backend.FlaskSession, []string{"README", sha256Names.sum("x")}, sha256Names},
		"empty":               {backend.FlaskSession, nil, sha256Names},
	} {
		dir := t.TempDir()
		for i, file := range c.files {
			put(t, filepath.Join(dir, file), []byte("\x00\x00\x00\x00data"))
			at := time.Now().Add(time.Duration(i-10) * time.Second)
			if err := os.Chtimes(filepath.Join(dir, file), at, at); err != nil {
				t.Fatal(err)
			}
		}
		b := openFor(t, Config{Dir: dir, Flask: c.layout})
		if b.names.Load() != c.want {
			t.Errorf("%s: the names have %d characters", name, len(b.names.Load().count))
		}
	}
}

// TestFlaskBegins has an application with an old cachelib start after this
// program, and then be updated.
func TestFlaskBegins(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	b := openFor(t, Config{Dir: dir, Flask: backend.FlaskSession})
	wantErr(t, "Load", loadErr(b, "k"), backend.ErrNotFound)
	at := time.Now().Add(-time.Hour)
	for i, names := range []*naming{md5Names, sha256Names} {
		flask := application{dir, names}
		put(t, filepath.Join(dir, names.count), []byte("\x00\x00\x00\x00\x80\x05K\x00."))
		if err := os.Chtimes(filepath.Join(dir, names.count), at, at.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
		key := string(rune('a' + i))
		flask.set(t, key, []byte("data"))
		rec := mustHold(t, b, key, "data")
		if _, err := b.Update(ctx, key, []byte("new"), time.Hour, rec.Revision); err != nil {
			t.Error(err)
		}
		mustCreate(t, b, key+"2", "data", time.Hour)
		if _, err := os.Stat(flask.path(key + "2")); err != nil {
			t.Error(err)
		}
		flask.remove(t, key)
		wantErr(t, "Load", loadErr(b, key), backend.ErrNotFound)
	}
}

// TestFlaskSweep removes what has expired and what killed processes left, and
// nothing else.
func TestFlaskSweep(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	old := time.Now().Add(-2 * time.Hour)
	add := func(name, content string) {
		t.Helper()
		put(t, filepath.Join(dir, name), []byte(content))
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	add(md5Names.count, "\x00\x00\x00\x00\x80\x05K\x05.")
	add(md5Names.sum("live"), "\xff\xff\xff\xffdata")
	add(md5Names.sum("for ever"), "\x00\x00\x00\x00data")
	add(md5Names.sum("expired"), "\x01\x00\x00\x00data")
	add(sha256Names.sum("expired"), "\x01\x00\x00\x00data")
	add(md5Names.sum("short"), "\x01\x00")
	add("README", "\x01\x00\x00\x00data")
	add("tmpabcdefgh"+flaskSuffix, "left behind")
	b := openFor(t, Config{Dir: dir, Flask: backend.FlaskSession2})
	put(t, filepath.Join(dir, "tmpijklmnop"+flaskSuffix), []byte("being written"))
	if n, err := b.Sweep(ctx, 1); n != 1 || err != nil {
		t.Errorf("Sweep removed %d, %v", n, err)
	}
	if n, err := b.Sweep(ctx, 10); n != 1 || err != nil {
		t.Errorf("Sweep removed %d, %v", n, err)
	}
	left := map[string]bool{md5Names.count: true, md5Names.sum("live"): true, md5Names.sum("for ever"): true,
		md5Names.sum("short"): true, "README": true, "tmpijklmnop" + flaskSuffix: true, b.lockDir(): true}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(left) {
		t.Errorf("%d files are left, want %d, %v", len(entries), len(left), err)
	}
	for _, e := range entries {
		if !left[e.Name()] {
			t.Errorf("%s is left", e.Name())
		}
	}
	if file, _ := os.ReadFile(filepath.Join(dir, md5Names.count)); len(file) < 4 {
		t.Error("the count file is gone")
	} else if n, ok := pickledNumber(file[4:]); n != 3 || !ok {
		t.Errorf("the count is %d", n)
	}
}

// TestPickledNumber has the numbers as Python writes them.
func TestPickledNumber(t *testing.T) {
	for text, want := range map[string]int{
		"80054b002e": 0, "80054bff2e": 255, "80054d00012e": 256, "80054dffff2e": 65535,
		"80059506000000000000004a000001002e": 65536, "80024a000001002e": 65536, "80044b052e": 5,
	} {
		if n, ok := pickledNumber(unhex(t, text)); n != want || !ok {
			t.Errorf("%s is %d, %t, want %d", text, n, ok, want)
		}
	}
	for _, bad := range []string{"", "80", "8005", "80054b00", "80058c0161942e", "80054b002e2e", "4b002e", "8005954b002e"} {
		if n, ok := pickledNumber(unhex(t, bad)); ok {
			t.Errorf("%s is %d", bad, n)
		}
	}
	for _, n := range []int{0, 255, 256, 65536, 1<<31 - 1} {
		if back, ok := pickledNumber(pickleNumber(n)); back != n || !ok {
			t.Errorf("%d comes back as %d", n, back)
		}
	}
}

func TestFlaskConfig(t *testing.T) {
	for _, cfg := range []Config{{Flask: 3}, {Flask: -1}, {Flask: backend.FlaskSession, MaxSessions: 1}} {
		cfg.Dir = t.TempDir()
		if b, err := New(cfg); err == nil {
			b.Close()
			t.Errorf("New takes %d and %d", cfg.Flask, cfg.MaxSessions)
		}
	}
	dir := t.TempDir()
	b, err := backend.Open("filesystem", backend.NewSettings(map[string]any{
		"SESSION_FILE_DIR": dir, "SESSION_FILE_THRESHOLD": 1, "SESSION_FLASK_COMPATIBLE": true}))
	if err != nil {
		t.Fatal(err)
	}
	fb := b.(*Backend)
	defer fb.Close()
	if layout, format := fb.FlaskLayout(); layout != backend.FlaskSession2 || format != backend.FlaskPickle {
		t.Errorf("layout %v, format %q", layout, format)
	}
	mustCreate(t, fb, "a", "data", time.Hour)
	mustCreate(t, fb, "b", "data", time.Hour)
	if _, _, err := fb.List(context.Background(), "", "", 10); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("List: %v", err)
	}
	if err := fb.Ping(context.Background()); err != nil {
		t.Error(err)
	}
}
