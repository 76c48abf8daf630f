package sqlbackend

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

// A forgetful connection calls itself bad when the reply to a statement is
// lost, as those of lib/pq do, so that database/sql may run it again.
type forgetful struct {
	*stdlib.Conn
	lose *atomic.Bool
}

func (c forgetful) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	result, err := c.Conn.ExecContext(ctx, query, args)
	if c.lose.CompareAndSwap(true, false) {
		return nil, driver.ErrBadConn
	}
	return result, err
}

// A connector makes forgetful connections.
type connector struct {
	dsn  string
	lose *atomic.Bool
}

func (c connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.dsn)
	if err != nil {
		return nil, err
	}
	return forgetful{conn.(*stdlib.Conn), c.lose}, nil
}

func (c connector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

// TestFlaskLostReply loses the reply to a write, which has happened. It is an
// error, and nothing that says how the write has ended.
func TestFlaskLostReply(t *testing.T) {
	none := func([]byte) (int, int) { return 0, 0 }
	for name, open := range map[string]func(t *testing.T) (place, *sql.DB, *atomic.Bool){
		"pgx": func(t *testing.T) (place, *sql.DB, *atomic.Bool) {
			w := newWire(t, testenv.Need(t, "POSTGRES_DSN"), none)
			return databases()[0].newPlace(t), openDB(t, "pgx", w.dsn), &w.lose
		},
		"mysql": func(t *testing.T) (place, *sql.DB, *atomic.Bool) {
			w := newWire(t, testenv.Need(t, "MYSQL_DSN"), none)
			return databases()[3].newPlace(t), openDB(t, "mysql", w.dsn), &w.lose
		},
		"forgetful": func(t *testing.T) (place, *sql.DB, *atomic.Bool) {
			c := connector{testenv.Need(t, "POSTGRES_DSN"), new(atomic.Bool)}
			db := sql.OpenDB(c)
			t.Cleanup(func() { db.Close() })
			return databases()[0].newPlace(t), db, c.lose
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			p, db, lose := open(t)
			db.SetMaxOpenConns(1)
			b, err := NewWithConfig(db, Config{Table: p.table, Dialect: p.dialect, Flask: backend.FlaskSession2})
			if err != nil {
				t.Fatal(err)
			}
			revision := map[string]backend.Revision{}
			write := map[string]func(key string) error{
				"Create": func(key string) error { _, err := b.Create(ctx, key, []byte("new"), time.Hour); return err },
				"Update": func(key string) error {
					_, err := b.Update(ctx, key, []byte("new"), time.Hour, revision[key])
					return err
				},
				"Delete": func(key string) error { return b.Delete(ctx, key, revision[key]) },
			}
			for name, f := range write {
				for _, key := range []string{"warm", "lost"} { // the first prepares
					if name != "Create" {
						if revision[name+key], err = b.Create(ctx, name+key, []byte("old"), time.Hour); err != nil {
							t.Fatal(err)
						}
					}
				}
				if err := f(name + "warm"); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				lose.Store(true)
				err := f(name + "lost")
				if lose.Load() {
					t.Fatalf("%s lost no reply", name)
				}
				for _, e := range []error{nil, backend.ErrExists, backend.ErrConflict, backend.ErrNotFound} {
					if errors.Is(err, e) {
						t.Errorf("%s: %v", name, err)
					}
				}
				rec, err := b.Load(ctx, name+"lost")
				if name == "Delete" && !errors.Is(err, backend.ErrNotFound) || name != "Delete" && (err != nil || string(rec.Data) != "new") {
					t.Errorf("%s did not happen: %q, %v", name, rec.Data, err)
				}
			}
		})
	}
}
