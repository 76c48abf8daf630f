package sqlbackend

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

// hold locks the record "k" by a transaction of another program.
func hold(t *testing.T, p place) *sql.Tx {
	t.Helper()
	db := p.open(t)
	db.SetMaxOpenConns(1)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	if _, err := tx.Exec(p.sql("UPDATE {t} SET expires = expires + 1 WHERE id = ?"), p.key("k")); err != nil {
		t.Fatal(err)
	}
	return tx
}

// TestLocked waits for a lock, and for no longer than the context: SQLite
// would wait for its busy_timeout of a minute.
func TestLocked(t *testing.T) {
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) {
			ctx, p := context.Background(), d.newPlace(t)
			b := p.backend(t, Config{})
			rev, err := b.Create(ctx, "k", []byte("old"), time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			tx := hold(t, p)
			short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			defer cancel()
			start := time.Now()
			err = b.Touch(short, "k", 2*time.Hour)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Touch: %v, want the deadline", err)
			}
			if d := time.Since(start); d > 30*time.Second {
				t.Errorf("Touch returned after %v", d)
			}

			result := make(chan error, 1)
			go func() {
				_, err := b.Update(ctx, "k", []byte("new"), time.Hour, rev)
				result <- err
			}()
			select {
			case err := <-result:
				t.Fatalf("Update did not wait: %v", err)
			case <-time.After(300 * time.Millisecond):
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := <-result; err != nil {
				t.Errorf("Update: %v", err)
			}
		})
	}
}

// silent returns the address of a server that accepts and never answers.
func silent(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// refusing returns an address where nobody listens.
func refusing(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestDown checks that every method returns in time when there is no server,
// and does not tell the password.
func TestDown(t *testing.T) {
	for name, address := range map[string]string{"Refusing": refusing(t), "Silent": silent(t)} {
		for driver, dsn := range map[string]string{
			"pgx":   "postgres://user:hunter2@" + address + "/db?sslmode=disable",
			"mysql": "user:hunter2@tcp(" + address + ")/db",
		} {
			t.Run(name+"/"+driver, func(t *testing.T) {
				b := New(openDB(t, driver, dsn))
				for op, call := range map[string]func(context.Context) error{
					"Load": func(ctx context.Context) error { _, err := b.Load(ctx, "secret-key"); return err },
					"Create": func(ctx context.Context) error {
						_, err := b.Create(ctx, "secret-key", []byte("d"), time.Hour)
						return err
					},
					"Touch":  func(ctx context.Context) error { return b.Touch(ctx, "secret-key", time.Hour) },
					"Delete": func(ctx context.Context) error { return b.Delete(ctx, "secret-key", nil) },
					"Ping":   b.Ping,
				} {
					ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
					start := time.Now()
					err := call(ctx)
					cancel()
					if err == nil || errors.Is(err, backend.ErrNotFound) {
						t.Errorf("%s: %v", op, err)
					} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "secret-key") {
						t.Errorf("%s: the error holds a secret: %v", op, err)
					}
					if d := time.Since(start); d > 30*time.Second {
						t.Errorf("%s returned after %v", op, d)
					}
				}
			})
		}
	}
}

// TestRecovers starts before its database is there.
func TestRecovers(t *testing.T) {
	ctx := context.Background()
	file := filepath.Join(t.TempDir(), "not", "yet", "sessions.db")
	b := New(openDB(t, "sqlite", "file:"+file))
	if err := b.Ping(ctx); err == nil {
		t.Fatal("Ping succeeded")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Create(ctx, "k", []byte("d"), time.Hour); err != nil {
		t.Errorf("Create: %v", err)
	}
}

// TestRoundTrips counts what goes over the wire for each operation.
func TestRoundTrips(t *testing.T) {
	for _, d := range []struct {
		driver, variable string
		count            func(p []byte) (used, trips int)
		flask            backend.FlaskLayout
	}{
		{"pgx", "POSTGRES_DSN", countPostgres, backend.NoFlask},
		{"mysql", "MYSQL_DSN", countMySQL, backend.NoFlask},
		{"pgx", "POSTGRES_DSN", countPostgres, backend.FlaskSession2},
		{"mysql", "MYSQL_DSN", countMySQL, backend.FlaskSession2},
	} {
		t.Run(d.driver, func(t *testing.T) {
			ctx := context.Background()
			w := newWire(t, testenv.Need(t, d.variable), d.count)
			p := map[string]database{"pgx": databases()[0], "mysql": databases()[3]}[d.driver].newPlace(t)
			db := openDB(t, d.driver, w.dsn)
			db.SetMaxOpenConns(1)
			b, err := NewWithConfig(db, Config{Table: p.table, Flask: d.flask})
			if err != nil {
				t.Fatal(err)
			}
			var rev backend.Revision
			for round := range 2 { // the first prepares
				want := func(op string, n int, f func() error) {
					t.Helper()
					before := w.trips.Load()
					if err := f(); err != nil {
						t.Fatalf("%s: %v", op, err)
					}
					if got := int(w.trips.Load() - before); round > 0 && got != n {
						t.Errorf("%s took %d round trips, want %d", op, got, n)
					}
				}
				is := func(err, target error) error {
					if errors.Is(err, target) {
						return nil
					}
					return errors.Join(errors.New("another error"), err)
				}
				want("Create", 1, func() (err error) { rev, err = b.Create(ctx, "k", []byte("one"), time.Hour); return })
				want("Load", 1, func() error { _, err := b.Load(ctx, "k"); return err })
				want("Load of nothing", 1, func() error { _, err := b.Load(ctx, "x"); return is(err, backend.ErrNotFound) })
				want("Update", 1, func() (err error) { rev, err = b.Update(ctx, "k", []byte("two"), time.Hour, rev); return })
				want("Update in conflict", 2, func() error {
					_, err := b.Update(ctx, "k", []byte("three"), time.Hour, []byte("one"))
					return is(err, backend.ErrConflict)
				})
				want("Touch", 1, func() error { return b.Touch(ctx, "k", 2*time.Hour) })
				want("Touch of nothing", 2, func() error { return is(b.Touch(ctx, "x", time.Hour), backend.ErrNotFound) })
				want("Delete at a revision", 1, func() error { return b.Delete(ctx, "k", rev) })
				want("Delete at a revision of nothing", 2, func() error { return is(b.Delete(ctx, "k", rev), backend.ErrNotFound) })
				want("Delete", 1, func() error { return b.Delete(ctx, "k", nil) })
			}
		})
	}
}
