package sqlbackend

import (
	"crypto/rand"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/go-session2/sessions/internal/testenv"
)

// A database is one way to reach a database.
type database struct {
	name    string
	dialect Dialect
	open    func(t testing.TB, file string) *sql.DB // file is for SQLite
}

// databases are all ways that the options of the drivers and of the servers
// make different.
func databases() []database {
	pg := func(options ...string) func(testing.TB, string) *sql.DB {
		return func(t testing.TB, _ string) *sql.DB {
			return openDB(t, "pgx", with(testenv.Need(t, "POSTGRES_DSN"), options...))
		}
	}
	my := func(options ...string) func(testing.TB, string) *sql.DB {
		return func(t testing.TB, _ string) *sql.DB {
			return openDB(t, "mysql", with(testenv.Need(t, "MYSQL_DSN"), options...))
		}
	}
	lite := func(options ...string) func(testing.TB, string) *sql.DB {
		return func(t testing.TB, file string) *sql.DB { return openDB(t, "sqlite", with("file:"+file, options...)) }
	}
	return []database{
		{"PostgreSQL", PostgreSQL, pg()},
		{"PostgreSQL/Serializable", PostgreSQL, pg("default_transaction_isolation=serializable")},
		{"PostgreSQL/SimpleProtocol", PostgreSQL, pg("default_query_exec_mode=simple_protocol")},
		{"MySQL", MySQL, my()},
		{"MySQL/FoundRows", MySQL, my("clientFoundRows=true")},
		{"MySQL/Interpolated", MySQL, my("interpolateParams=true", "sql_mode=''", "time_zone='-05:00'")},
		{"SQLite", SQLite, lite("_pragma=busy_timeout(60000)", "_pragma=journal_mode(WAL)")},
		{"SQLite/Bare", SQLite, lite()},
	}
}

// each runs a test on one way to reach each of the databases.
func each(t *testing.T, f func(t *testing.T, d database)) {
	for _, d := range databases() {
		if !strings.Contains(d.name, "/") {
			t.Run(d.name, func(t *testing.T) { f(t, d) })
		}
	}
}

func with(dsn string, options ...string) string {
	for _, o := range options {
		if strings.Contains(dsn, "?") {
			dsn += "&" + o
		} else {
			dsn += "?" + o
		}
	}
	return dsn
}

func openDB(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	t.Cleanup(func() { db.Close() })
	return db
}

// A place is a table that the test has for itself.
type place struct {
	database
	table, file string
}

// newPlace names a table, which is dropped when the test ends.
func (d database) newPlace(t testing.TB) place {
	p := place{d, "sqlbackend_" + strings.ToLower(rand.Text()[:12]), filepath.Join(t.TempDir(), "sessions.db")}
	db := p.open(t)
	t.Cleanup(func() {
		if _, err := db.Exec("DROP TABLE IF EXISTS " + p.table); err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p place) open(t testing.TB) *sql.DB { return p.database.open(t, p.file) }

func (p place) backend(t testing.TB, cfg Config) *Backend {
	t.Helper()
	cfg.Table = p.table
	b, err := NewWithConfig(p.open(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// sql returns a statement with {t} as the table and ? as the dialect has it.
func (p place) sql(text string) string {
	text = strings.ReplaceAll(text, "{t}", p.table)
	if p.dialect != PostgreSQL {
		return text
	}
	for n := '1'; strings.Contains(text, "?"); n++ {
		text = strings.Replace(text, "?", "$"+string(n), 1)
	}
	return text
}

// key is what a key looks like to the database: bytes in MySQL.
func (p place) key(key string) any {
	if p.dialect == MySQL {
		return []byte(key)
	}
	return key
}
