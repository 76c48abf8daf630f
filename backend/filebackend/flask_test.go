package filebackend

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

// An application stands for Flask: it writes files as cachelib does, without
// locks.
type application struct {
	dir   string
	names *naming
}

func (a application) path(key string) string { return filepath.Join(a.dir, a.names.sum(key)) }

// set stores data for an hour.
func (a application) set(t testing.TB, key string, data []byte) {
	t.Helper()
	file, _ := encodeFlask(data, uint32(time.Now().Add(time.Hour).Unix()))
	temp := filepath.Join(a.dir, rand.Text()+flaskSuffix)
	if err := os.WriteFile(temp, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temp, a.path(key)); err != nil {
		t.Fatal(err)
	}
}

func (a application) remove(t testing.TB, key string) {
	t.Helper()
	if err := os.Remove(a.path(key)); err != nil {
		t.Fatal(err)
	}
}

// unlisted hides List, which there cannot be.
type unlisted struct {
	backend.Backend
	backend.Sweeper
	backend.Pinger
	close func() error
}

func (u unlisted) Close() error { return u.close() }

func TestFlaskConformance(t *testing.T) {
	for name, cfg := range map[string]Config{
		"Flask-Session2": {Flask: backend.FlaskSession2, NoSync: true, MaxSize: 1 << 20},
		"Flask-Session":  {Flask: backend.FlaskSession, MaxSize: 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.Dir = filepath.Join(t.TempDir(), "sessions")
			open := func(t testing.TB) backend.Backend {
				b, err := New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				return unlisted{b, b, b, b.Close}
			}
			flask := application{cfg.Dir, md5Names}
			if cfg.Flask == backend.FlaskSession {
				flask.names = sha256Names
			}
			backendtest.Run(t, backendtest.Harness{
				Open:      open,
				Reopen:    open,
				Overwrite: flask.set,
				MaxSize:   cfg.MaxSize,
				Flask:     true,
			})
		})
	}
}
