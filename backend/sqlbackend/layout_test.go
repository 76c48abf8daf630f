package sqlbackend

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// TestLayout looks at a record as another program would, and writes one.
func TestLayout(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		ctx, p := context.Background(), d.newPlace(t)
		db, b := p.open(t), p.backend(t, Config{})
		if _, err := b.Create(ctx, "session:Key", []byte("a\x00\xff"), time.Hour); err != nil {
			t.Fatal(err)
		}
		var data []byte
		var expires int64
		row := db.QueryRow(p.sql("SELECT data, expires FROM {t} WHERE id = ?"), p.key("session:Key"))
		if err := row.Scan(&data, &expires); err != nil {
			t.Fatal(err)
		}
		if string(data) != "a\x00\xff" {
			t.Errorf("data is %q", data)
		}
		want := time.Now().Add(time.Hour).UnixMilli()
		if math.Abs(float64(expires-want)) > 5000 {
			t.Errorf("expires is %d, want about %d", expires, want)
		}

		write := p.sql("INSERT INTO {t} (id, data, expires) VALUES (?, ?, ?)")
		for key, until := range map[string]int64{"foreign": want, "stale": time.Now().Add(-time.Second).UnixMilli()} {
			if _, err := db.Exec(write, p.key(key), []byte("theirs"), until); err != nil {
				t.Fatal(err)
			}
		}
		rec, err := b.Load(ctx, "foreign")
		if err != nil || string(rec.Data) != "theirs" || rec.Expires.Sub(time.UnixMilli(want)).Abs() > 5*time.Second {
			t.Errorf("Load: %q until %v, %v", rec.Data, rec.Expires, err)
		}
		if _, err := db.Exec(write, p.key("endless"), []byte("theirs"), int64(math.MaxInt64)); err != nil {
			t.Fatal(err)
		}
		if rec, err := b.Load(ctx, "endless"); err != nil || rec.Expires.Before(time.Now().Add(backend.MaxTTL/2)) {
			t.Errorf("Load of a record without end: until %v, %v", rec.Expires, err)
		}
		if _, err := b.Load(ctx, "stale"); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("Load of an expired record: %v", err)
		}
		if n, err := b.Sweep(ctx, 10); n != 1 || err != nil {
			t.Errorf("Sweep: %d, %v", n, err)
		}
	})
}

// TestSQLiteText has another program store text where a blob belongs.
func TestSQLiteText(t *testing.T) {
	ctx := context.Background()
	d := databases()[6]
	p := d.newPlace(t)
	b := p.backend(t, Config{})
	if _, err := b.Create(ctx, "k", []byte("ours"), time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := p.open(t).Exec(p.sql("UPDATE {t} SET data = 'theirs'")); err != nil {
		t.Fatal(err)
	}
	rec, err := b.Load(ctx, "k")
	if err != nil || string(rec.Data) != "theirs" {
		t.Fatalf("Load: %q, %v", rec.Data, err)
	}
	if _, err := b.Update(ctx, "k", []byte("next"), time.Hour, rec.Revision); err != nil {
		t.Errorf("Update: %v", err)
	}
}

// TestSpaces checks what a text column with a binary collation gets wrong in
// MySQL.
func TestSpaces(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		ctx, b := context.Background(), d.newPlace(t).backend(t, Config{})
		for _, key := range []string{"k", "k ", "k  ", "K", "k\t", "k'\"`\\%_", "sitzung-ü", "sitzung-u"} {
			if _, err := b.Create(ctx, key, []byte("of "+key), time.Hour); err != nil {
				t.Fatalf("Create of %q: %v", key, err)
			}
		}
		for _, key := range []string{"k", "k ", "K", "k'\"`\\%_", "sitzung-ü"} {
			if rec, err := b.Load(ctx, key); err != nil || string(rec.Data) != "of "+key {
				t.Errorf("Load of %q: %q, %v", key, rec.Data, err)
			}
		}
		if keys, _, err := b.List(ctx, "sitzung-ü", "", 5); err != nil || len(keys) != 1 {
			t.Errorf("List: %q, %v", keys, err)
		}
	})
}

// TestKeys checks the keys that some database would cut or refuse.
func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		ctx, b := context.Background(), d.newPlace(t).backend(t, Config{})
		long := strings.Repeat("k", 255)
		if _, err := b.Create(ctx, long, []byte("d"), time.Hour); err != nil {
			t.Errorf("Create of a key of 255 bytes: %v", err)
		}
		for _, key := range []string{"", long + "k", "a\x00b", "\x00", "\xff"} {
			if _, err := b.Create(ctx, key, []byte("d"), time.Hour); err == nil {
				t.Errorf("Create of %q succeeded", key)
			} else if len(key) > 1 && strings.Contains(err.Error(), key) {
				t.Errorf("the error holds the key: %v", err)
			}
		}
	})
}

// TestSchema has eight processes make the table at once.
func TestSchema(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		p := d.newPlace(t)
		var wg sync.WaitGroup
		for i := range 8 {
			b := p.backend(t, Config{})
			wg.Go(func() {
				if _, err := b.Create(context.Background(), fmt.Sprint("k", i), []byte("d"), time.Hour); err != nil {
					t.Errorf("Create: %v", err)
				}
			})
		}
		wg.Wait()
		var indexes int
		row := p.open(t).QueryRow(p.sql(map[Dialect]string{
			PostgreSQL: "SELECT COUNT(*) FROM pg_indexes WHERE indexname = '{t}_expires_idx'",
			MySQL:      "SELECT COUNT(*) FROM information_schema.statistics WHERE table_name = '{t}' AND index_name = '{t}_expires_idx'",
			SQLite:     "SELECT COUNT(*) FROM sqlite_master WHERE type = 'index' AND name = '{t}_expires_idx'",
		}[d.dialect]))
		if err := row.Scan(&indexes); indexes != 1 || err != nil {
			t.Errorf("there are %d indexes on expires, %v", indexes, err)
		}
	})
}

func TestSkipSchema(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		ctx, p := context.Background(), d.newPlace(t)
		db, b := p.open(t), p.backend(t, Config{SkipSchema: true})
		_, err := b.Create(ctx, "session:SecretKey", []byte("SecretData"), time.Hour)
		if err == nil || !strings.Contains(err.Error(), p.table) || strings.Contains(err.Error(), "Secret") {
			t.Fatalf("Create without a table: %v", err)
		}
		for range 2 {
			for _, text := range b.Schema() {
				if _, err := db.Exec(text); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Create(ctx, "k", []byte("d"), time.Hour); err != nil {
			t.Errorf("Create: %v", err)
		}
	})
}

// TestQualified puts the table into a schema of its own.
func TestQualified(t *testing.T) {
	for i, schema := range map[int]string{0: "public", 3: "sessions"} { // the database of the tests
		d := databases()[i]
		t.Run(d.name, func(t *testing.T) {
			p := d.newPlace(t)
			b, err := NewWithConfig(p.open(t), Config{Table: schema + "." + p.table})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Create(context.Background(), "k", []byte("d"), time.Hour); err != nil {
				t.Fatal(err)
			}
			if _, err := p.backend(t, Config{}).Load(context.Background(), "k"); err != nil {
				t.Errorf("Load by the plain name: %v", err)
			}
		})
	}
}

// TestNoRights uses a table without the right to make one: PostgreSQL would
// refuse even CREATE TABLE IF NOT EXISTS.
func TestNoRights(t *testing.T) {
	ctx := context.Background()
	p := databases()[0].newPlace(t)
	if _, err := p.backend(t, Config{}).Create(ctx, "k", []byte("d"), time.Hour); err != nil {
		t.Fatal(err)
	}
	db := p.open(t)
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	b, err := NewWithConfig(db, Config{Table: p.table})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Load(ctx, "k"); err != nil {
		t.Errorf("Load: %v", err)
	}
}

// TestServerLimit checks the size that follows from MySQL's packets, with
// data that a driver must escape, and without the strict mode, in which a
// column that is too short cuts in silence.
func TestServerLimit(t *testing.T) {
	ctx := context.Background()
	for _, d := range databases()[3:6] {
		t.Run(d.name, func(t *testing.T) {
			p := d.newPlace(t)
			b := p.backend(t, Config{})
			var packet int
			if err := p.open(t).QueryRow("SELECT @@max_allowed_packet").Scan(&packet); err != nil {
				t.Fatal(err)
			}
			data := []byte(strings.Repeat("'", packet/4))
			rev, err := b.Create(ctx, "k", data, time.Hour)
			if err != nil {
				t.Fatalf("Create of %d bytes: %v", len(data), err)
			}
			data = []byte(strings.Repeat("\x00", packet/4))
			if _, err = b.Update(ctx, "k", data, time.Hour, rev); err != nil {
				t.Fatalf("Update to %d bytes: %v", len(data), err)
			}
			if rec, err := b.Load(ctx, "k"); err != nil || string(rec.Data) != string(data) {
				t.Fatalf("Load: %d bytes, %v", len(rec.Data), err)
			}
			_, err = b.Update(ctx, "k", append(data, 0), time.Hour, data)
			if !errors.Is(err, backend.ErrTooLarge) || !strings.Contains(err.Error(), fmt.Sprint(packet/4)) {
				t.Errorf("Update to more: %v", err)
			}
		})
	}
}
