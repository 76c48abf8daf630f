package gormbackend

import (
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"

	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/go-session2/sessions/internal/testenv"
)

// A database is one of the databases, under its own dialect or under one
// that this package does not know.
type database struct {
	name    string
	dialect func(t testing.TB, file string) gorm.Dialector // file is for SQLite
}

func databases() []database {
	known := []database{
		{"PostgreSQL", func(t testing.TB, _ string) gorm.Dialector {
			return postgres.Open(testenv.Need(t, "POSTGRES_DSN"))
		}},
		{"MySQL", func(t testing.TB, _ string) gorm.Dialector {
			return mysql.Open(testenv.Need(t, "MYSQL_DSN"))
		}},
		{"SQLite", func(t testing.TB, file string) gorm.Dialector {
			return sqlite.Open("file:" + file + "?_busy_timeout=5000&_journal_mode=WAL")
		}},
	}
	all := known
	for _, d := range known {
		all = append(all, database{"Unknown" + d.name, func(t testing.TB, file string) gorm.Dialector {
			return unknown{d.dialect(t, file)}
		}})
	}
	return all
}

// unknown is a dialect that has another name.
type unknown struct{ gorm.Dialector }

func (unknown) Name() string { return "unknown" }

// each runs a test on all databases.
func each(t *testing.T, f func(t *testing.T, p place)) {
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) { f(t, d.newPlace(t)) })
	}
}

// A place is a table that the test has for itself.
type place struct {
	database
	table, file string
}

// newPlace names a table, which is dropped when the test ends.
func (d database) newPlace(t testing.TB) place {
	p := place{d, "gormbackend_" + strings.ToLower(rand.Text()[:12]), filepath.Join(t.TempDir(), "sessions.db")}
	db := p.open(t, nil)
	t.Cleanup(func() {
		if err := db.Exec("DROP TABLE IF EXISTS " + p.table).Error; err != nil {
			t.Error(err)
		}
	})
	return p
}

// open opens the database. A nil log is none.
func (p place) open(t testing.TB, log logger.Interface) *gorm.DB {
	t.Helper()
	if log == nil {
		log = logger.Discard
	}
	db, err := gorm.Open(p.dialect(t, p.file), &gorm.Config{Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := db.DB()
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(16)
	t.Cleanup(func() { pool.Close() })
	return db
}

func (p place) backend(t testing.TB, db *gorm.DB, cfg Config) *Backend {
	t.Helper()
	cfg.Table = p.table
	b, err := NewWithConfig(db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// key is what a key looks like to the database.
func (p place) key(key string) any {
	if p.name == "PostgreSQL" || p.name == "SQLite" {
		return key
	}
	return []byte(key)
}
