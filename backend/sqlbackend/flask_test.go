package sqlbackend

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

// flaskTables are the tables of Flask by the configuration that uses them.
var flaskTables = map[string]Config{
	"Peewee":     {Flask: backend.FlaskSession2},
	"SQLAlchemy": {Flask: backend.FlaskSession2, SQLAlchemy: true},
}

// eachFlask runs a test on each table of Flask in each of the databases.
func eachFlask(t *testing.T, f func(t *testing.T, p place, table string, cfg Config)) {
	for name, cfg := range flaskTables {
		each(t, func(t *testing.T, d database) {
			t.Run(name, func(t *testing.T) { f(t, d.newPlace(t), name, cfg) })
		})
	}
}

// exec runs a statement of another program.
func (p place) exec(t testing.TB, text string, values ...any) {
	t.Helper()
	if _, err := p.open(t).Exec(p.sql(text), values...); err != nil {
		t.Fatal(err)
	}
}

func TestFlaskConformance(t *testing.T) {
	for name, cfg := range flaskTables {
		for _, d := range databases() {
			if d.name == "SQLite/Bare" || name == "Peewee" && strings.Contains(d.name, "/") {
				continue // they make no difference to the table
			}
			t.Run(name+"/"+d.name, func(t *testing.T) {
				t.Parallel()
				p := d.newPlace(t)
				h := harness(p)
				cfg.MaxSize = maxSize
				h.Open = func(t testing.TB) backend.Backend { return p.backend(t, cfg) }
				h.Reopen = h.Open
				h.Overwrite = func(t testing.TB, key string, data []byte) {
					p.exec(t, "UPDATE {t} SET data = ? WHERE session_id = ?", data, key)
				}
				h.Flask = true
				if p.dialect == MySQL {
					h.Resolution = 1100 * time.Millisecond // a DATETIME counts in seconds
				}
				backendtest.Run(t, h)
			})
		}
	}
}

// insert stores a row as Flask does, with an end that is the given time from
// now, in the column's own precision.
func (p place) insert(t *testing.T, key, data string, ttl time.Duration) {
	t.Helper()
	until := any(time.Now().UTC().Add(ttl).Truncate(time.Microsecond))
	if p.dialect == SQLite {
		until = until.(time.Time).Format("2006-01-02 15:04:05.000000")
	}
	p.exec(t, "INSERT INTO {t} (session_id, data, expiry) VALUES (?, ?, ?)", key, []byte(data), until)
}

// TestFlaskTable works on a table and rows that Flask has made.
func TestFlaskTable(t *testing.T) {
	eachFlask(t, func(t *testing.T, p place, table string, cfg Config) {
		ctx := context.Background()
		p.exec(t, flaskSchemas[table][p.dialect])
		p.insert(t, "session:theirs", "one", time.Hour)
		p.insert(t, "session:stale", "old", -2*time.Second)
		p.insert(t, "other:key", "else", time.Hour)
		b := p.backend(t, cfg)

		rec, err := b.Load(ctx, "session:theirs")
		if err != nil || string(rec.Data) != "one" || time.Until(rec.Expires.Add(-time.Hour)).Abs() > 3*time.Second {
			t.Fatalf("Load: %q until %v, %v", rec.Data, rec.Expires, err)
		}
		if _, err := b.Update(ctx, "session:theirs", []byte("two"), time.Hour, rec.Revision); err != nil {
			t.Errorf("Update: %v", err)
		}
		for range 2 { // which MySQL may call no change
			if _, err := b.Update(ctx, "session:theirs", []byte("two"), time.Hour, []byte("two")); err != nil {
				t.Errorf("Update to the same data: %v", err)
			}
		}
		p.exec(t, "UPDATE {t} SET data = ? WHERE session_id = ?", []byte("three"), "session:theirs")
		if _, err := b.Update(ctx, "session:theirs", []byte("four"), time.Hour, []byte("two")); !errors.Is(err, backend.ErrConflict) {
			t.Errorf("Update of what Flask has changed: %v", err)
		}
		if _, err := b.Load(ctx, "session:stale"); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("Load of an expired row: %v", err)
		}
		if _, err := b.Create(ctx, "session:stale", []byte("new"), time.Hour); err != nil {
			t.Errorf("Create over an expired row: %v", err)
		}
		for _, key := range []string{"session:Theirs", "session:theirs ", "session:th%"} {
			if _, err := b.Load(ctx, key); !errors.Is(err, backend.ErrNotFound) {
				t.Errorf("Load of %q: %v", key, err)
			}
			if err := b.Delete(ctx, key, nil); err != nil {
				t.Errorf("Delete of %q: %v", key, err)
			}
		}
		if keys, _, err := b.List(ctx, "session:", "", 9); strings.Join(keys, " ") != "session:stale session:theirs" || err != nil {
			t.Errorf("List: %q, %v", keys, err)
		}
		if n, err := b.Sweep(ctx, 9); n != 0 || err != nil {
			t.Errorf("Sweep: %d, %v", n, err)
		}
		if p.dialect != MySQL {
			return
		}
		const limit = 1<<16 - 1
		if _, err := b.Create(ctx, "session:full", make([]byte, limit), time.Hour); err != nil {
			t.Errorf("Create of what a BLOB holds: %v", err)
		}
		_, err = b.Create(ctx, "session:over", make([]byte, limit+1), time.Hour)
		if !errors.Is(err, backend.ErrTooLarge) || !strings.Contains(err.Error(), fmt.Sprint(limit)) {
			t.Errorf("Create of more: %v", err)
		}
	})
}

// TestFlaskEndless has a row without an expiry, as Flask-Session2 stores a
// session that is not permanent.
func TestFlaskEndless(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		ctx, p := context.Background(), d.newPlace(t)
		b := p.backend(t, flaskTables["SQLAlchemy"])
		if err := b.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		for change, f := range map[string]func(key string) error{
			"Touch":  func(key string) error { return b.Touch(ctx, key, time.Hour) },
			"Update": func(key string) error { _, err := b.Update(ctx, key, []byte("e"), time.Hour, []byte("d")); return err },
		} {
			p.exec(t, "INSERT INTO {t} (session_id, data, expiry) VALUES (?, ?, NULL)", change, []byte("d"))
			if n, err := b.Sweep(ctx, 9); n != 0 || err != nil {
				t.Errorf("Sweep: %d, %v", n, err)
			}
			if _, err := b.Create(ctx, change, []byte("other"), time.Hour); !errors.Is(err, backend.ErrExists) {
				t.Errorf("Create: %v", err)
			}
			if rec, err := b.Load(ctx, change); err != nil || !rec.Expires.IsZero() {
				t.Errorf("Load: until %v, %v", rec.Expires, err)
			}
			if err := f(change); err != nil {
				t.Errorf("%s: %v", change, err)
			}
			if rec, err := b.Load(ctx, change); err != nil || time.Until(rec.Expires.Add(-time.Hour)).Abs() > 3*time.Second {
				t.Errorf("Load after %s: until %v, %v", change, rec.Expires, err)
			}
		}
	})
}

// TestFlaskText checks what SQLite stores: SQLAlchemy takes the digits after
// the point for a number of microseconds.
func TestFlaskText(t *testing.T) {
	for name, cfg := range flaskTables {
		ctx, p := context.Background(), databases()[6].newPlace(t)
		b := p.backend(t, cfg)
		if _, err := b.Create(ctx, "k", []byte("d"), time.Hour); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			var data, expiry, text string
			row := p.open(t).QueryRow(p.sql("SELECT typeof(data), typeof(expiry), CAST(expiry AS TEXT) FROM {t}"))
			if err := row.Scan(&data, &expiry, &text); err != nil {
				t.Fatal(err)
			}
			until, err := time.Parse("2006-01-02 15:04:05.000000", text)
			if data != "blob" || expiry != "text" || err != nil || time.Until(until.Add(-time.Hour)).Abs() > time.Minute {
				t.Errorf("%s: data is a %s, expiry a %s: %q, %v", name, data, expiry, text, err)
			}
			if err := b.Touch(ctx, "k", time.Hour+time.Second); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFlaskSettings(t *testing.T) {
	p := databases()[6].newPlace(t)
	values := map[string]any{"SESSION_DB": p.open(t), "SESSION_PEEWEE_TABLE": p.table, "SESSION_FLASK_COMPATIBLE": true}
	opened, err := backend.Open("peewee", backend.NewSettings(values))
	if err != nil {
		t.Fatal(err)
	}
	b := opened.(*Backend)
	if layout, format := b.FlaskLayout(); layout != backend.FlaskSession2 || format != backend.FlaskPickle {
		t.Errorf("the layout is %v, %q", layout, format)
	}
	if len(b.Schema()) != 2 || !strings.Contains(b.Schema()[0], `"ip"`) {
		t.Errorf("the table is not that of peewee: %q", b.Schema())
	}
	values["SESSION_SERIALIZATION_FORMAT"] = "msgpack"
	if _, err := backend.Open("peewee", backend.NewSettings(values)); err == nil || !strings.Contains(err.Error(), "SESSION_TYPE sqlalchemy") {
		t.Errorf("with a format of Flask-Session: %v", err)
	}
	c := p.backend(t, Config{Flask: backend.FlaskSession})
	if layout, format := c.FlaskLayout(); layout != backend.FlaskSession || format != backend.FlaskMsgpack {
		t.Errorf("the layout is %v, %q", layout, format)
	}
	if !strings.Contains(c.Schema()[0], `UNIQUE`) {
		t.Errorf("the table is not that of SQLAlchemy: %q", c.Schema())
	}
	if layout, format := p.backend(t, Config{}).FlaskLayout(); layout != backend.NoFlask || format != "" {
		t.Errorf("without the setting: %v, %q", layout, format)
	}
	for _, layout := range []backend.FlaskLayout{-1, 3} {
		if _, err := NewWithConfig(p.open(t), Config{Flask: layout}); err == nil {
			t.Errorf("NewWithConfig takes the layout %d", layout)
		}
	}
}
