package gormbackend

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

const maxSize = 1 << 20

func TestConformance(t *testing.T) {
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			p := d.newPlace(t)
			open := func(t testing.TB) backend.Backend {
				return p.backend(t, p.open(t, nil), Config{MaxSize: maxSize})
			}
			backendtest.Run(t, backendtest.Harness{
				Open:   open,
				Reopen: open,
				Overwrite: func(t testing.TB, key string, data []byte) {
					result := p.open(t, nil).Exec("UPDATE "+p.table+" SET data = ? WHERE id = ?", data, p.key(key))
					if result.Error != nil || result.RowsAffected != 1 {
						t.Fatalf("overwrote %d rows, %v", result.RowsAffected, result.Error)
					}
				},
				Resolution: 50 * time.Millisecond,
				MaxSize:    maxSize,
			})
		})
	}
}

// cycle uses every method once, with a conflict and a key in use.
func cycle(t *testing.T, b *Backend, key string, data []byte) {
	t.Helper()
	ctx := context.Background()
	must := func(op string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Fatalf("%s: %v, want %v", op, err, want)
		}
	}
	other := append([]byte("other"), data...)
	first, err := b.Create(ctx, key, data, time.Hour)
	must("Create", err, nil)
	_, err = b.Create(ctx, key, other, time.Hour)
	must("Create", err, backend.ErrExists)
	_, err = b.Load(ctx, key)
	must("Load", err, nil)
	second, err := b.Update(ctx, key, other, time.Hour, first)
	must("Update", err, nil)
	_, err = b.Update(ctx, key, data, time.Hour, first[:1])
	must("Update", err, backend.ErrConflict)
	must("Touch", b.Touch(ctx, key, 2*time.Hour), nil)
	_, err = b.Sweep(ctx, 10)
	must("Sweep", err, nil)
	keys, _, err := b.List(ctx, key, "", 10)
	must("List", err, nil)
	if len(keys) != 1 || keys[0] != key {
		t.Fatalf("List found %d keys", len(keys))
	}
	must("Delete", b.Delete(ctx, key, second), nil)
	must("Delete", b.Delete(ctx, key, second), backend.ErrNotFound)
	must("Ping", b.Ping(ctx), nil)
}

// A journal is a logger of gorm that keeps all.
type journal struct {
	logger.Interface
	mu   sync.Mutex
	text bytes.Buffer
}

func newJournal() *journal {
	j := &journal{}
	j.Interface = logger.New(j, logger.Config{LogLevel: logger.Info})
	return j
}

func (j *journal) Printf(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, a := range append(args, format) {
		if s, ok := a.(string); ok {
			j.text.WriteString(s + "\n")
		}
	}
}

func (j *journal) LogMode(logger.LogLevel) logger.Interface { return j }

// TestSilent checks that no logger and no callback of the program sees a key
// or data.
func TestSilent(t *testing.T) {
	const key, data = "session:SecretKey", "SecretData"
	each(t, func(t *testing.T, p place) {
		j := newJournal()
		db := p.open(t, j)
		seen := func(tx *gorm.DB) {
			j.Printf("%s", tx.Dialector.Explain(tx.Statement.SQL.String(), tx.Statement.Vars...))
		}
		for _, register := range []func(string, func(*gorm.DB)) error{
			db.Callback().Create().After("gorm:create").Register, db.Callback().Query().After("gorm:query").Register,
			db.Callback().Update().After("gorm:update").Register, db.Callback().Delete().After("gorm:delete").Register,
			db.Callback().Row().After("gorm:row").Register, db.Callback().Raw().After("gorm:raw").Register,
		} {
			if err := register("test:seen", seen); err != nil {
				t.Fatal(err)
			}
		}
		cycle(t, p.backend(t, db, Config{}), key, []byte(data))
		if err := db.Exec("SELECT 1").Error; err != nil {
			t.Fatal(err)
		}
		text := j.text.String()
		if !strings.Contains(text, "SELECT 1") {
			t.Errorf("the test does not see the log: %q", text)
		}
		for _, secret := range []string{"SecretKey", "SecretData", "53656372657444617461"} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("the log has a secret in it:\n%s", text)
			}
		}
	})
}

// TestState checks that nothing of the state of the *gorm.DB comes along.
func TestState(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		for name, spoil := range map[string]func(*gorm.DB) *gorm.DB{
			"Chain": func(db *gorm.DB) *gorm.DB { return db.Table("elsewhere").Where("1 = 0").Limit(1).Order("nothing") },
			"Error": func(db *gorm.DB) *gorm.DB {
				db = db.Session(&gorm.Session{})
				db.Error = errors.New("broken")
				return db
			},
			"DryRun":  func(db *gorm.DB) *gorm.DB { return db.Session(&gorm.Session{DryRun: true}) },
			"Prepare": func(db *gorm.DB) *gorm.DB { return db.Session(&gorm.Session{PrepareStmt: true}) },
			"Done": func(db *gorm.DB) *gorm.DB {
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				return db.WithContext(ctx)
			},
		} {
			t.Run(name, func(t *testing.T) {
				p := p.newPlace(t)
				cycle(t, p.backend(t, spoil(p.open(t, nil)), Config{}), "session:state", []byte("some data"))
			})
		}
	})
}

// TestTransaction checks that the sessions are no part of the transaction
// that the *gorm.DB is.
func TestTransaction(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		ctx := context.Background()
		db := p.open(t, nil)
		tx := db.Begin()
		b := p.backend(t, tx, Config{})
		if _, err := b.Create(ctx, "session:tx", []byte("data"), time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback().Error; err != nil {
			t.Fatal(err)
		}
		if _, err := b.Load(ctx, "session:tx"); err != nil {
			t.Errorf("the record went with the transaction: %v", err)
		}
	})
}

func TestPreparedTransaction(t *testing.T) {
	p := databases()[2].newPlace(t)
	tx := p.open(t, nil).Begin()
	defer tx.Rollback()
	_, err := NewWithConfig(tx.Session(&gorm.Session{PrepareStmt: true}), Config{})
	if err == nil || !strings.Contains(err.Error(), "transaction") {
		t.Errorf("NewWithConfig: %v, want an error about the transaction", err)
	}
}

// TestSchema has eight processes make the table at once.
func TestSchema(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		var wg sync.WaitGroup
		for i := range 8 {
			b := p.backend(t, p.open(t, nil), Config{})
			wg.Go(func() {
				_, err := b.Create(context.Background(), "session:"+string(rune('a'+i)), []byte("data"), time.Hour)
				if err != nil {
					t.Errorf("Create: %v", err)
				}
			})
		}
		wg.Wait()
		if !p.open(t, nil).Table(p.table).Migrator().HasIndex(p.table, index(p)) {
			t.Error("the table has no index on expires")
		}
	})
}

// index is the name of the index on the time.
func index(p place) string {
	if strings.HasPrefix(p.name, "Unknown") {
		return "idx_" + p.table + "_expires"
	}
	return p.table + "_expires_idx"
}

func TestSkipSchema(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		ctx := context.Background()
		db := p.open(t, nil)
		b := p.backend(t, db, Config{SkipSchema: true})
		if _, err := b.Load(ctx, "session:none"); err == nil || errors.Is(err, backend.ErrNotFound) {
			t.Fatalf("Load without a table: %v", err)
		}
		for range 2 {
			if err := b.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			for _, text := range b.Schema() {
				if err := db.Exec(text).Error; err != nil {
					t.Fatal(err)
				}
			}
		}
		if known := !strings.HasPrefix(p.name, "Unknown"); known != (len(b.Schema()) > 0) {
			t.Errorf("Schema has %d statements", len(b.Schema()))
		}
		cycle(t, b, "session:schema", []byte("some data"))
	})
}

func TestInvalid(t *testing.T) {
	for name, db := range map[string]*gorm.DB{"Nil": nil, "Zero": {}, "Config": {Config: &gorm.Config{}}} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewWithConfig(db, Config{}); err == nil {
				t.Error("NewWithConfig succeeded")
			}
			b := New(db)
			if _, err := b.Load(context.Background(), "k"); err == nil || !strings.Contains(err.Error(), "not open") {
				t.Errorf("Load: %v", err)
			}
			if err := b.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	p := databases()[2].newPlace(t)
	db := p.open(t, nil)
	for _, typ := range []string{"gorm", "sqlalchemy"} {
		b, err := backend.Open(typ, backend.NewSettings(map[string]any{
			"SESSION_SQLALCHEMY": db, "SESSION_SQLALCHEMY_TABLE": p.table,
		}))
		if err != nil {
			t.Fatal(err)
		}
		cycle(t, b.(*Backend), "session:settings", []byte("some data"))
		if err := b.(*Backend).Close(); err != nil {
			t.Fatal(err)
		}
		if err := db.Exec("SELECT COUNT(*) FROM " + p.table).Error; err != nil {
			t.Errorf("Close closed the program's database: %v", err)
		}
	}
	b, err := backend.Open("gorm", backend.NewSettings(map[string]any{"SESSION_SQLALCHEMY": "sqlite:///" + t.TempDir() + "/s.db"}))
	if err != nil {
		t.Fatal(err)
	}
	cycle(t, b.(*Backend), "session:settings", []byte("some data"))
	if err := b.(*Backend).Close(); err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string]map[string]any{
		"SESSION_SQLALCHEMY must be":               {},
		"SESSION_SQLALCHEMY must be a *gorm.DB":    {"SESSION_SQLALCHEMY": "oracle://u:hunter2@host/db"},
		"not a name":                               {"SESSION_SQLALCHEMY": db, "SESSION_SQLALCHEMY_TABLE": "a b"},
		`"other.sessions" is not a name`:           {"SESSION_SQLALCHEMY": db, "SESSION_SQLALCHEMY_SCHEMA": "other"}, // SQLite has none
		"SESSION_SQLALCHEMY_TABLE must be a strin": {"SESSION_SQLALCHEMY": db, "SESSION_SQLALCHEMY_TABLE": 1},
	} {
		_, err := backend.Open("gorm", backend.NewSettings(values))
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open: %v, want an error with %q", err, name)
		}
	}
}
