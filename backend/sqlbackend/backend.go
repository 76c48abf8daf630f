// Package sqlbackend keeps sessions in PostgreSQL, MySQL, MariaDB or SQLite,
// by database/sql. It imports no driver: the program chooses one.
//
// # Layout
//
// A record is one row of the table, "sessions" unless Config says otherwise:
//
//	id       the key, compared byte for byte: TEXT COLLATE "C" in PostgreSQL,
//	         VARBINARY(255) in MySQL, TEXT in SQLite; the primary key
//	data     the data: BYTEA, LONGBLOB, BLOB
//	expires  when the record will be gone, as Unix time in milliseconds; has
//	         an index
//
// The first call makes the table and its index where they are missing. See
// [Backend.Schema] and Config.SkipSchema to make them otherwise. Package
// gormbackend has the same layout for these databases.
//
// # Flask
//
// With Config.Flask the table is that of an extension of Flask, with the
// columns session_id, data and expiry; docs/backends.md has its statements.
//
// # Statements
//
// Every operation is one statement, one round trip and no transaction. Update
// and Delete at a revision have the data of that revision in their WHERE
// clause, all of it; so they notice every other writer. Only when a statement
// has found nothing to change, a SELECT tells why. The statements give the
// same guarantee at every isolation level. One that the database gives up
// because of others (a deadlock, a serialization failure, a locked SQLite
// file) is run again, for ten seconds and not after the context ends.
//
// Time is the database's own, so the clocks of the programs need not agree.
// Sweep removes the expired rows, which are invisible from the moment on that
// they expire.
//
// # The database
//
// PostgreSQL 10, MySQL 5.7, MariaDB 10.2, SQLite 3.24, or later. Reads must
// go to the primary: a replica lags behind, and shows sessions that are
// logged out.
//
// PostgreSQL: any driver; behind a pooler by transaction set the driver's
// mode that prepares no statements, as for every program.
//
// MySQL: no option of the driver matters, clientFoundRows and
// interpolateParams included. The statements are prepared once for each
// connection. The largest record is a quarter of the server's
// max_allowed_packet.
//
// SQLite: one file on a local disk, with a busy_timeout and in WAL mode, as
// it has one writer at a time: "?_pragma=busy_timeout(5000)&_pragma=
// journal_mode(WAL)" for modernc.org/sqlite, "?_busy_timeout=5000&
// _journal_mode=WAL" for mattn/go-sqlite3. A database in memory belongs to
// one connection: call SetMaxOpenConns(1).
package sqlbackend

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/sqlstore"
)

type store = sqlstore.Store

// A Backend is a [backend.Backend] that is also a [backend.Sweeper],
// [backend.Lister], [backend.Pinger] and [io.Closer]. Its errors begin with
// "sql:" and hold no key and no data. Keys are UTF-8 of 1 to 255 bytes. It may
// be used by any number of goroutines at once. Make one with [New] or
// [NewWithConfig].
type Backend struct {
	*store
	flask backend.FlaskLayout
}

var (
	_ backend.Backend = (*Backend)(nil)
	_ backend.Sweeper = (*Backend)(nil)
	_ backend.Lister  = (*Backend)(nil)
	_ backend.Pinger  = (*Backend)(nil)
	_ io.Closer       = (*Backend)(nil)
)

// MaxDataSize is the most bytes of data that a record may have: 128 MiB. With
// MySQL it is a quarter of the server's max_allowed_packet where that is less.
const MaxDataSize = sqlstore.MaxDataSize

// New returns a Backend with the table "sessions" on a database that the
// caller opened and will close. It does no I/O.
//
// New never fails, so that it fits into a Config literal. When the driver is
// not one of those whose dialect is known, every method of the Backend returns
// an error that says so; [NewWithConfig] returns that error at once, and takes
// the dialect.
func New(db *sql.DB) *Backend {
	b, err := NewWithConfig(db, Config{})
	if err != nil {
		return &Backend{store: sqlstore.Invalid(name, err)}
	}
	return b
}

// NewWithConfig is [New] with options. It returns an error for a nil db, an
// unknown dialect, a table name that is not allowed, a MaxSize out of range and
// an unknown Flask.
func NewWithConfig(db *sql.DB, cfg Config) (*Backend, error) { return open(db, cfg, nil) }

const name = "sql"

func open(db *sql.DB, cfg Config, closeDB func() error) (*Backend, error) {
	if db == nil {
		return nil, errors.New("sql: the database is nil")
	}
	dialect, err := cfg.Dialect.dialect(db)
	if err != nil {
		return nil, err
	}
	if cfg.Flask < backend.NoFlask || cfg.Flask > backend.FlaskSession {
		return nil, errNoFlask
	}
	if cfg.Table == "" {
		cfg.Table = "sessions"
	}
	s, err := sqlstore.New(sqlstore.Options{
		Name: name, Pool: db, Dialect: dialect, Table: cfg.Table,
		Flask: cfg.flaskTable(), Close: closeDB, MaxSize: cfg.MaxSize, SkipSchema: cfg.SkipSchema,
	})
	if err != nil {
		return nil, err
	}
	return &Backend{s, cfg.Flask}, nil
}

// Schema returns the statements that create the table and its index where they
// are missing, for operators who run them themselves.
func (b *Backend) Schema() []string { return b.store.Schema() }

// Migrate creates the table and its index where they are missing. The first
// use of the Backend does that by itself unless Config.SkipSchema is set;
// Migrate is for a step of the deployment that may do more than the program.
func (b *Backend) Migrate(ctx context.Context) error { return b.store.Migrate(ctx) }

// detect returns the dialect of the driver of db, or "".
func detect(db *sql.DB) Dialect {
	t := reflect.TypeOf(db.Driver())
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for dialect, drivers := range map[Dialect][]string{
		PostgreSQL: {"github.com/jackc/pgx/", "github.com/lib/pq"},
		MySQL:      {"github.com/go-sql-driver/mysql"},
		SQLite: {"modernc.org/sqlite", "github.com/mattn/go-sqlite3",
			"github.com/glebarez/go-sqlite", "github.com/ncruces/go-sqlite3"},
	} {
		for _, path := range drivers {
			if strings.HasPrefix(t.PkgPath(), path) {
				return dialect
			}
		}
	}
	return ""
}

// dialect returns what d stands for.
func (d Dialect) dialect(db *sql.DB) (sqlstore.Dialect, error) {
	if d == "" {
		if d = detect(db); d == "" {
			return sqlstore.Dialect{}, fmt.Errorf(
				"sql: the dialect of the driver %T is not known: set Config.Dialect (SESSION_DB_DIALECT)", db.Driver())
		}
	}
	if known, ok := sqlstore.Named(string(d)); ok {
		return known, nil
	}
	return sqlstore.Dialect{}, fmt.Errorf("sql: the dialect %q is none of %q, %q and %q", d, PostgreSQL, MySQL, SQLite)
}
