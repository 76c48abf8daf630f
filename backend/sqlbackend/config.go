package sqlbackend

import "github.com/go-session2/sessions/backend"

// A Dialect is the SQL that a database speaks.
type Dialect string

// The dialects. MySQL is also MariaDB's.
const (
	PostgreSQL Dialect = "postgres"
	MySQL      Dialect = "mysql"
	SQLite     Dialect = "sqlite"
)

// A Config holds what can be set about a Backend. The zero value is useful.
type Config struct {
	// Dialect is what the database speaks. Default: what the driver is
	// known to speak, which are pgx, lib/pq, go-sql-driver/mysql,
	// modernc.org/sqlite, mattn/go-sqlite3, and glebarez's and ncruces'
	// go-sqlite. A driver that wraps another needs it set.
	Dialect Dialect

	// Table is the name of the table: up to 48 letters, digits and
	// underscores, the first no digit. In PostgreSQL and MySQL another such
	// name and a dot may come before it, the schema or database. Default:
	// "sessions". The setting is SESSION_PEEWEE_TABLE.
	Table string

	// MaxSize is the size of the data of a record, in bytes, above which
	// Create and Update return ErrTooLarge without asking the database.
	// Default: what the database takes; see [MaxDataSize], which is also
	// the most.
	MaxSize int

	// SkipSchema leaves it to the operator to make the table, by
	// [Backend.Migrate] or the statements of [Backend.Schema].
	SkipSchema bool

	// Flask is the extension of Flask whose table is used: for Flask-Session2
	// that of peewee, for Flask-Session, which has no peewee, that of
	// SQLAlchemy. Default: the table of this library. The setting is
	// SESSION_FLASK_COMPATIBLE; see [backend.Settings.FlaskLayout].
	Flask backend.FlaskLayout

	// SQLAlchemy says that the table of Flask-Session2 is that of
	// SQLAlchemy. By settings that is SESSION_TYPE "sqlalchemy".
	SQLAlchemy bool
}
