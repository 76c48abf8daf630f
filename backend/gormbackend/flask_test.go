package gormbackend

import (
	"context"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

func TestFlaskConformance(t *testing.T) {
	for _, d := range databases()[:3] {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			p := d.newPlace(t)
			open := func(t testing.TB) backend.Backend {
				return p.backend(t, p.open(t, nil), Config{MaxSize: maxSize, Flask: backend.FlaskSession2})
			}
			resolution := 50 * time.Millisecond
			if p.name == "MySQL" {
				resolution = 1100 * time.Millisecond // a DATETIME counts in seconds
			}
			backendtest.Run(t, backendtest.Harness{
				Open:   open,
				Reopen: open,
				Overwrite: func(t testing.TB, key string, data []byte) {
					result := p.open(t, nil).Exec("UPDATE "+p.table+" SET data = ? WHERE session_id = ?", data, key)
					if result.Error != nil {
						t.Fatal(result.Error)
					}
				},
				Resolution: resolution,
				MaxSize:    maxSize,
				Flask:      true,
			})
		})
	}
}

// TestFlaskPrepared has gorm prepare statements, which must not be used.
func TestFlaskPrepared(t *testing.T) {
	p := databases()[0].newPlace(t)
	db := p.open(t, nil).Session(&gorm.Session{PrepareStmt: true})
	prepared := db.Config.ConnPool.(*gorm.PreparedStmtDB)
	b := p.backend(t, db, Config{Flask: backend.FlaskSession})
	cycle(t, b, "session:prepared", []byte("some data"))
	if n := len(prepared.Stmts.Keys()); n != 0 {
		t.Errorf("gorm has prepared %d statements", n)
	}
}

// TestFlaskUnknown has databases of which only gorm knows how to speak.
func TestFlaskUnknown(t *testing.T) {
	for _, d := range databases()[3:] {
		p := d.newPlace(t)
		_, err := NewWithConfig(p.open(t, nil), Config{Table: p.table, Flask: backend.FlaskSession2})
		if err == nil || !strings.Contains(err.Error(), "Flask") {
			t.Errorf("%s: NewWithConfig: %v", p.name, err)
		}
	}
}

func TestFlaskSettings(t *testing.T) {
	ctx, p := context.Background(), databases()[2].newPlace(t)
	db := p.open(t, nil)
	for name, value := range map[string]any{"Live": db, "URL": "sqlite:///" + p.file} {
		for format, want := range map[string]backend.FlaskFormat{"pickle": backend.FlaskPickle, "msgpack": backend.FlaskMsgpack} {
			opened, err := backend.Open("sqlalchemy", backend.NewSettings(map[string]any{
				"SESSION_SQLALCHEMY": value, "SESSION_SQLALCHEMY_TABLE": p.table,
				"SESSION_FLASK_COMPATIBLE": true, "SESSION_SERIALIZATION_FORMAT": format,
			}))
			if err != nil {
				t.Fatal(err)
			}
			b := opened.(*Backend)
			if _, got := b.FlaskLayout(); got != want {
				t.Errorf("%s: the format is %q, want %q", name, got, want)
			}
			key := "session:" + name + format
			if _, err := b.Create(ctx, key, []byte("data"), time.Hour); err != nil {
				t.Fatal(err)
			}
			var stored []string
			if err := db.Raw("SELECT data FROM "+p.table+" WHERE session_id = ?", key).Scan(&stored).Error; err != nil || len(stored) != 1 || stored[0] != "data" {
				t.Errorf("%s, %s: stored is %q, %v", name, format, stored, err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	b := p.backend(t, db, Config{})
	if layout, format := b.FlaskLayout(); layout != backend.NoFlask || format != "" {
		t.Errorf("without the setting: %v, %q", layout, format)
	}
	for _, layout := range []backend.FlaskLayout{-1, 3} {
		if _, err := NewWithConfig(db, Config{Flask: layout}); err == nil {
			t.Errorf("NewWithConfig takes the layout %d", layout)
		}
	}
}
