package sqlstore

import (
	"strconv"
	"strings"
)

// A Dialect is how a database wants its statements.
type Dialect struct {
	// Quote quotes an identifier that is known to hold no quote.
	Quote func(name string) string

	// Bind returns the n-th placeholder, counted from 1.
	Bind func(n int) string

	// Key turns a key into the argument for a column that compares bytes.
	Key func(key string) any

	// Limit returns the clause that follows ORDER BY to get n rows only.
	Limit func(n int) string

	// Now is an expression: the database's clock as Unix time in
	// milliseconds, the same in all of a statement. Default: the clock of
	// this program.
	Now string

	// Same is a condition: the data of the row is the revision :base.
	Same string

	// Insert is the template of an INSERT that also takes the place of
	// an expired record, and changes nothing when the key is in use.
	// Default: an INSERT that fails when the key is in use, in any way.
	Insert string

	// Sweep is the template of a DELETE of expired records that honours
	// {limit}. Default: a SELECT, and a DELETE for each row.
	Sweep string

	// Schema are the templates of statements that create the table and its
	// indexes where they are missing. {index} and {owners} are the names of
	// the indexes.
	Schema []string

	// Upgrade is the template of a statement that gives a table of before
	// there were owners the column that it lacks.
	Upgrade string

	// Packet is a query for the largest packet that the server takes, or
	// that is of use.
	Packet string

	// Prepare keeps statements prepared. Without it the drivers of MySQL
	// prepare a statement each time, which is a second round trip.
	Prepare bool

	// Schemas allows the name of a table to begin with that of a schema.
	Schemas bool

	// Flask returns the dialect for a table of a Flask extension. Default:
	// such a table cannot be used.
	Flask func(FlaskTable) Dialect

	layout layout // default: that of this library
}

// Named returns the dialect with a name: postgres, mysql or sqlite.
func Named(name string) (d Dialect, ok bool) {
	switch name {
	case "postgres":
		return PostgreSQL(), true
	case "mysql":
		return MySQL(), true
	case "sqlite":
		return SQLite(), true
	}
	return Dialect{}, false
}

const same = "{data} = :base"

// insertOnConflict is understood by PostgreSQL and SQLite.
const insertOnConflict = "INSERT INTO {table} AS old ({id}, {data}, {expires}) VALUES (:key, :data, {end}) " +
	"ON CONFLICT ({id}) DO UPDATE SET {data} = excluded.{data}, {expires} = excluded.{expires} " +
	"WHERE old.{expires} <= {now}"

// PostgreSQL is the dialect of PostgreSQL 10 and later.
//
// The rows to sweep are locked before they are deleted, so that sweepers pass
// each other by. ARRAY makes the inner SELECT run once.
func PostgreSQL() Dialect {
	return Dialect{
		Quote:  quoteWith(`"`),
		Bind:   func(n int) string { return "$" + strconv.Itoa(n) },
		Key:    textKey,
		Limit:  limit,
		Now:    "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS bigint)",
		Same:   same,
		Insert: insertOnConflict,
		Sweep: "DELETE FROM {table} WHERE {expires} <= {now} AND {id} = ANY(ARRAY(" +
			"SELECT {id} FROM {table} WHERE {expires} <= {now} ORDER BY {expires} {limit} FOR UPDATE SKIP LOCKED))",
		Schema: []string{
			`CREATE TABLE IF NOT EXISTS {table} ({id} TEXT COLLATE "C" PRIMARY KEY, {data} BYTEA NOT NULL, {expires} BIGINT NOT NULL, {owner} TEXT COLLATE "C")`,
			`CREATE INDEX IF NOT EXISTS {index} ON {table} ({expires})`,
			`CREATE INDEX IF NOT EXISTS {owners} ON {table} ({owner}) WHERE {owner} IS NOT NULL`,
		},
		Upgrade: `ALTER TABLE {table} ADD COLUMN {owner} TEXT COLLATE "C"`,
		Schemas: true,
		Flask:   flaskPostgreSQL,
	}
}

// MySQL is the dialect of MySQL 5.7 and MariaDB 10.2 and later.
//
// There is no statement that inserts, or else replaces what has expired, and
// says which: with the option clientFoundRows, "nothing was changed" looks
// like "inserted". INSERT IGNORE would cut data that is too long.
//
// VARBINARY compares bytes. A text column would ignore case, and also with a
// binary collation space at the end.
func MySQL() Dialect {
	return Dialect{
		Quote: quoteWith("`"),
		Bind:  questionMark,
		Key:   binaryKey,
		Limit: limit,
		Now:   "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)",
		Same:  same,
		Sweep: "DELETE FROM {table} WHERE {expires} <= {now} ORDER BY {expires}, {id} {limit}",
		Schema: []string{
			`CREATE TABLE IF NOT EXISTS {table} ({id} VARBINARY(255) NOT NULL PRIMARY KEY, {data} LONGBLOB NOT NULL, {expires} BIGINT NOT NULL, {owner} VARBINARY(64), INDEX {index} ({expires}), INDEX {owners} ({owner})) ENGINE=InnoDB`,
		},
		Upgrade: "ALTER TABLE {table} ADD COLUMN {owner} VARBINARY(64), ADD INDEX {owners} ({owner})",
		Packet:  "SELECT @@max_allowed_packet",
		Prepare: true,
		Schemas: true,
		Flask:   flaskMySQL,
	}
}

// SQLite is the dialect of SQLite 3.24 and later.
//
// A column of SQLite holds values of any type, and text never equals a blob:
// the CAST lets what a shell has stored be compared as well.
func SQLite() Dialect {
	return Dialect{
		Quote:  quoteWith(`"`),
		Bind:   questionMark,
		Key:    textKey,
		Limit:  limit,
		Now:    "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
		Same:   "CAST({data} AS BLOB) = :base",
		Insert: insertOnConflict,
		Sweep: "DELETE FROM {table} WHERE {id} IN (" +
			"SELECT {id} FROM {table} WHERE {expires} <= {now} ORDER BY {expires} {limit})",
		Schema: []string{
			`CREATE TABLE IF NOT EXISTS {table} ({id} TEXT NOT NULL PRIMARY KEY, {data} BLOB NOT NULL, {expires} INTEGER NOT NULL, {owner} TEXT)`,
			`CREATE INDEX IF NOT EXISTS {index} ON {table} ({expires})`,
			`CREATE INDEX IF NOT EXISTS {owners} ON {table} ({owner}) WHERE {owner} IS NOT NULL`,
		},
		Upgrade: "ALTER TABLE {table} ADD COLUMN {owner} TEXT",
		Prepare: true,
		Flask:   flaskSQLite,
	}
}

// Other is the dialect of a database of which nothing is known but how it
// quotes, binds and limits. Keys are of a binary type, as the collation of
// its text is not known.
func Other(quote func(string) string, bind, limit func(int) string) Dialect {
	return Dialect{Quote: quote, Bind: bind, Key: binaryKey, Limit: limit, Same: same, Schemas: true}
}

func quoteWith(q string) func(string) string {
	return func(name string) string { return q + strings.ReplaceAll(name, ".", q+"."+q) + q }
}

func questionMark(int) string  { return "?" }
func limit(n int) string       { return "LIMIT " + strconv.Itoa(n) }
func textKey(key string) any   { return key }
func binaryKey(key string) any { return []byte(key) }
