// Package gormbackend keeps sessions in any database that gorm has a dialect
// for.
//
// # Layout
//
// In PostgreSQL, MySQL, MariaDB and SQLite the table is that of package
// sqlbackend: the key "id", compared byte for byte, "data", and "expires" as
// Unix time in milliseconds. In other databases gorm's migrator makes it, with
// the binary type of the dialect for id and data; the database must be able to
// compare that type with =.
//
// # Flask
//
// With Config.Flask the table is that of Flask's SQLAlchemy, with the columns
// id, session_id, data and expiry; docs/backends.md has its statements.
//
// # What it takes from gorm
//
// The connection pool, the dialect and the migrator. The statements are one
// for each operation and do not run through gorm's callbacks: so they are not
// in the log of gorm or of a tracing plugin, where keys and data would be,
// and hooks, scopes, soft delete and dbresolver's replicas do not touch them.
// Nor is it of importance in what state the *gorm.DB is that the Backend was
// made with: it may be in the middle of a chain, hold an error, or be a
// transaction, which the sessions are no part of.
//
// # Guarantees
//
// Those of package sqlbackend, with the same advice for the databases. In
// databases other than the four, time is the clock of the program, so the
// clocks of all programs should agree; a sweep takes a statement for each
// record; and a Create whose key is in use takes more than one.
package gormbackend

import (
	"context"
	"errors"
	"io"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/sqlstore"
)

type store = sqlstore.Store

// A Backend is a [backend.Backend] that is also a [backend.Sweeper],
// [backend.Lister], [backend.Pinger] and [io.Closer]. Its errors begin with
// "gorm:" and hold no key and no data. Keys are UTF-8 of 1 to 255 bytes. It
// may be used by any number of goroutines at once. Make one with [New] or
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

// A Config holds what can be set about a Backend. The zero value is useful.
type Config struct {
	// Table is the name of the table: up to 48 letters, digits and
	// underscores, the first no digit. But in SQLite another such name and
	// a dot may come before it, the schema or database. No naming strategy
	// is applied. Default: "sessions". The setting is
	// SESSION_SQLALCHEMY_TABLE.
	Table string

	// MaxSize is the size of the data of a record, in bytes, above which
	// Create and Update return ErrTooLarge without asking the database.
	// Default: what the database takes; see [MaxDataSize], which is also
	// the most.
	MaxSize int

	// SkipSchema leaves it to the operator to make the table, by
	// [Backend.Migrate] or the statements of [Backend.Schema].
	SkipSchema bool

	// Flask is the extension of Flask whose table of SQLAlchemy is used, in
	// PostgreSQL, MySQL, MariaDB and SQLite. Default: the table of this
	// library. The setting is SESSION_FLASK_COMPATIBLE; see
	// [backend.Settings.FlaskLayout].
	Flask backend.FlaskLayout
}

// New returns a Backend with the table "sessions" on the database of db,
// which the caller opened and will close. It does no I/O.
//
// New never fails, so that it fits into a Config literal. With a db that has
// no connections every method of the Backend returns an error that says so;
// [NewWithConfig] returns that error at once.
func New(db *gorm.DB) *Backend {
	b, err := NewWithConfig(db, Config{})
	if err != nil {
		return &Backend{store: sqlstore.Invalid(name, err)}
	}
	return b
}

const (
	name         = "gorm"
	defaultTable = "sessions"
)

// NewWithConfig is [New] with options. It returns an error for a db that has
// no connections, a table name that is not allowed, a MaxSize out of range, an
// unknown Flask and a Flask in a database other than the four.
func NewWithConfig(db *gorm.DB, cfg Config) (*Backend, error) {
	if db == nil || db.Config == nil || db.Dialector == nil || db.Config.ConnPool == nil {
		return nil, errors.New("gorm: the database is not open")
	}
	if _, ok := db.Config.ConnPool.(gorm.TxCommitter); ok {
		return nil, errors.New("gorm: the database is a transaction")
	}
	if cfg.Flask < backend.NoFlask || cfg.Flask > backend.FlaskSession {
		return nil, errNoFlask
	}
	o := options(cfg)
	o.Pool = pool(db, cfg.Flask)
	var known bool
	if o.Dialect, known = sqlstore.Named(db.Dialector.Name()); !known {
		o.Dialect = dialectOf(db)
		o.Migrate = migrator(db, o.Table)
	}
	s, err := sqlstore.New(o)
	if err != nil {
		return nil, err
	}
	return &Backend{s, cfg.Flask}, nil
}

func options(cfg Config) sqlstore.Options {
	if cfg.Table == "" {
		cfg.Table = defaultTable
	}
	return sqlstore.Options{
		Name: name, Table: cfg.Table, Flask: flaskTable(cfg.Flask),
		MaxSize: cfg.MaxSize, SkipSchema: cfg.SkipSchema,
	}
}

// Schema returns the statements that create the table and its index where they
// are missing, for operators who run them themselves. It is nil
// for other databases than the four; there, use Migrate.
func (b *Backend) Schema() []string { return b.store.Schema() }

// Migrate creates the table and its index where they are missing. The first
// use of the Backend does that by itself unless Config.SkipSchema is set;
// Migrate is for a step of the deployment that may do more than the program.
func (b *Backend) Migrate(ctx context.Context) error { return b.store.Migrate(ctx) }

// dialectOf makes the dialect of a database of which only gorm knows how it
// quotes, binds and limits.
func dialectOf(db *gorm.DB) sqlstore.Dialect {
	quote := func(name string) string {
		var text strings.Builder
		db.Dialector.QuoteTo(&text, name)
		return text.String()
	}
	bind := func(n int) string {
		var text strings.Builder
		db.Dialector.BindVarTo(&text, &gorm.Statement{DB: db, Vars: make([]any, n)}, nil)
		return text.String()
	}
	limit := func(n int) string {
		// The clause is told that there is an ORDER BY, which some
		// databases need and which the statements have. Explain writes
		// the number into the text.
		stmt := &gorm.Statement{DB: db, Clauses: map[string]clause.Clause{"ORDER BY": {}}}
		stmt.AddClause(clause.Limit{Limit: &n})
		stmt.Build("LIMIT")
		return db.Dialector.Explain(stmt.SQL.String(), stmt.Vars...)
	}
	return sqlstore.Other(quote, bind, limit)
}
