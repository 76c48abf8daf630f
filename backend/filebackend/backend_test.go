package filebackend

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

var _ interface {
	backend.Backend
	backend.Sweeper
	backend.Lister
	backend.Pinger
} = (*Backend)(nil)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVar); role != "" {
		os.Exit(play(role))
	}
	os.Exit(m.Run())
}

// open opens a backend for a test.
func openFor(t testing.TB, cfg Config) *Backend {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = filepath.Join(t.TempDir(), "sessions")
	}
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func mustCreate(t testing.TB, b *Backend, key, data string, ttl time.Duration) backend.Revision {
	t.Helper()
	rev, err := b.Create(context.Background(), key, []byte(data), ttl)
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	return rev
}

func mustHold(t testing.TB, b *Backend, key, data string) backend.Record {
	t.Helper()
	rec, err := b.Load(context.Background(), key)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if string(rec.Data) != data {
		t.Fatalf("Load returned %d other bytes, want %d", len(rec.Data), len(data))
	}
	return rec
}

// path returns the file of a session below the directory.
func path(dir, key string) string {
	name := fileName(key)
	return filepath.Join(dir, name[:2], name)
}

func TestContract(t *testing.T) {
	for name, cfg := range map[string]Config{
		"default": {MaxSize: 512 << 10},
		"no sync": {NoSync: true},
		"limited": {NoSync: true, MaxSessions: 5000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.Dir = t.TempDir()
			open := func(t testing.TB) backend.Backend {
				b, err := New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
			foreign := openFor(t, cfg)
			backendtest.Run(t, backendtest.Harness{
				Open:   open,
				Reopen: open,
				Overwrite: func(t testing.TB, key string, data []byte) {
					ctx := context.Background()
					rec, err := foreign.Load(ctx, key)
					if err == nil {
						_, err = foreign.Update(ctx, key, data, time.Hour, rec.Revision)
					}
					if err != nil {
						t.Fatal(err)
					}
				},
				Resolution: 2 * time.Millisecond,
				MaxSize:    cfg.MaxSize,
			})
		})
	}
}

func TestRegistered(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "of", "flask")
	b, err := backend.Open("filesystem", backend.NewSettings(map[string]any{
		"SESSION_FILE_DIR":       dir,
		"SESSION_FILE_MODE":      "0640",
		"SESSION_FILE_THRESHOLD": "1",
	}))
	if err != nil {
		t.Fatal(err)
	}
	fb := b.(*Backend)
	defer fb.Close()
	mustCreate(t, fb, "k", "data", time.Hour)
	info, err := os.Stat(path(dir, "k"))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o640 {
		t.Errorf("the file has mode %#o, want 0640", got)
	}
	wantErr(t, "Create over the threshold", tryCreate(fb, "l"), backend.ErrFull)
}

func TestDefaultDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	b, err := backend.Open("filesystem", backend.NewSettings(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer b.(*Backend).Close()
	info, err := os.Stat("flask_session")
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v", info.Mode())
	}
	entries, err := os.ReadDir("flask_session")
	if err != nil || len(entries) != 0 {
		t.Errorf("an empty store has %d entries, %v", len(entries), err)
	}
}

func TestBadSettings(t *testing.T) {
	for name, value := range map[string]any{
		"SESSION_FILE_DIR":       7,
		"SESSION_FILE_MODE":      600, // decimal, as Flask users write by mistake
		"SESSION_FILE_THRESHOLD": -1,
	} {
		b, err := backend.Open("filesystem", backend.NewSettings(map[string]any{
			"SESSION_FILE_DIR": t.TempDir(), name: value,
		}))
		if err == nil {
			b.(*Backend).Close()
			t.Errorf("%s = %v was accepted", name, value)
			continue
		}
		wantText(t, err, name)
	}
}

func BenchmarkSync(b *testing.B)   { benchmark(b, Config{}) }
func BenchmarkNoSync(b *testing.B) { benchmark(b, Config{NoSync: true}) }
func BenchmarkLimited(b *testing.B) {
	benchmark(b, Config{NoSync: true, MaxSessions: 1 << 20})
}

func benchmark(b *testing.B, cfg Config) {
	backendtest.Benchmark(b, backendtest.Harness{
		Open: func(t testing.TB) backend.Backend { return openFor(t, cfg) },
	})
}
