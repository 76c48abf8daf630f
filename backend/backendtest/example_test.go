package backendtest_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"time"

	_ "modernc.org/sqlite"

	"github.com/go-session2/sessions/backend"
)

// A Table keeps sessions in a table of SQLite. A record's revision is its
// data: the core writes a random token into every record, so that no two
// writes are equal.
type Table struct {
	db  *sql.DB
	now func() time.Time
}

// NewTable returns a Backend on a database that the caller opened.
func NewTable(db *sql.DB, now func() time.Time) (*Table, error) {
	_, err := db.Exec(`CREATE TABLE IF NOT EXISTS session (key TEXT PRIMARY KEY, data BLOB NOT NULL, expires INTEGER NOT NULL)`)
	return &Table{db: db, now: now}, fail("schema", err)
}

// Load finds nothing that has expired, whether or not Sweep has removed it.
func (t *Table) Load(ctx context.Context, key string) (backend.Record, error) {
	var data []byte
	var expires int64
	row := t.db.QueryRowContext(ctx, `SELECT data, expires FROM session WHERE key = ? AND expires > ?`, key, t.at(0))
	if err := row.Scan(&data, &expires); errors.Is(err, sql.ErrNoRows) {
		return backend.Record{}, fail("load", backend.ErrNotFound)
	} else if err != nil {
		return backend.Record{}, fail("load", err)
	}
	return backend.Record{Data: data, Revision: notNil(data), Expires: time.Unix(0, expires)}, nil
}

// Create takes the place of an expired record, and of no other.
func (t *Table) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	n, err := t.exec(ctx, `INSERT INTO session (key, data, expires) VALUES (?, ?, ?) ON CONFLICT (key)
		DO UPDATE SET data = excluded.data, expires = excluded.expires WHERE expires <= ?`, key, notNil(data), t.at(ttl), t.at(0))
	if err = t.outcome(ctx, n, err, key, data, backend.ErrExists); err != nil {
		return nil, fail("create", err)
	}
	return notNil(data), nil
}

// Update compares and swaps in one statement.
func (t *Table) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	n, err := t.exec(ctx, `UPDATE session SET data = ?, expires = ? WHERE key = ? AND data = ? AND expires > ?`,
		notNil(data), t.at(ttl), key, []byte(base), t.at(0))
	if err = t.outcome(ctx, n, err, key, data, backend.ErrConflict); err != nil {
		return nil, fail("update", err)
	}
	return notNil(data), nil
}

// Touch never shortens a life.
func (t *Table) Touch(ctx context.Context, key string, ttl time.Duration) error {
	n, err := t.exec(ctx, `UPDATE session SET expires = max(expires, ?) WHERE key = ? AND expires > ?`, t.at(ttl), key, t.at(0))
	if err == nil && n == 0 {
		err = backend.ErrNotFound
	}
	return fail("touch", err)
}

// Delete removes whatever is there, or with a base only what it stands for.
func (t *Table) Delete(ctx context.Context, key string, base backend.Revision) error {
	if base == nil {
		_, err := t.exec(ctx, `DELETE FROM session WHERE key = ?`, key)
		return fail("delete", err)
	}
	n, err := t.exec(ctx, `DELETE FROM session WHERE key = ? AND data = ? AND expires > ?`, key, []byte(base), t.at(0))
	return fail("delete", t.outcome(ctx, n, err, key, nil, backend.ErrConflict))
}

// Sweep makes a Table a [backend.Sweeper], as SQLite removes nothing by itself.
func (t *Table) Sweep(ctx context.Context, limit int) (int, error) {
	n, err := t.exec(ctx, `DELETE FROM session WHERE key IN (SELECT key FROM session WHERE expires <= ? LIMIT ?)`, t.at(0), limit)
	return int(n), fail("sweep", err)
}

// outcome tells what became of a statement that has changed n records. When it
// has found none, there is none; or it holds data already, because the reply
// to this very write was lost and the driver has sent it again, so all is
// well; or somebody else has changed it.
func (t *Table) outcome(ctx context.Context, n int64, err error, key string, data []byte, changed error) error {
	if err != nil || n > 0 {
		return err
	}
	rec, err := t.Load(ctx, key)
	switch {
	case err != nil:
		return err
	case data != nil && bytes.Equal(rec.Data, data):
		return nil
	}
	return changed
}

func (t *Table) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.db.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// at is the time after d in the unit of the column, nanoseconds.
func (t *Table) at(d time.Duration) int64 { return t.now().Add(d).UnixNano() }

// notNil keeps NULL out of the table: no data is data, too.
func notNil(data []byte) []byte { return append([]byte{}, data...) }

// fail adds what has failed to an error, and no key and no data.
func fail(op string, err error) error {
	if err != nil {
		err = fmt.Errorf("table: %s: %w", op, err)
	}
	return err
}

func Example() {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // each connection to :memory: is a database of its own
	table, err := NewTable(db, time.Now)
	if err != nil {
		log.Fatal(err)
	}

	// A program puts it into sessions.Config{Backend: table}.
	ctx := context.Background()
	first, err := table.Create(ctx, "key", []byte("one"), time.Minute)
	fmt.Println(string(first), err)
	second, err := table.Update(ctx, "key", []byte("two"), time.Minute, first)
	fmt.Println(string(second), err)
	_, err = table.Update(ctx, "key", []byte("three"), time.Minute, first)
	fmt.Println(errors.Is(err, backend.ErrConflict))
	// Output:
	// one <nil>
	// two <nil>
	// true
}
