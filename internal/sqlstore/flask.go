package sqlstore

import (
	"context"
	"database/sql"
)

// A FlaskTable is the table of an extension of Flask.
type FlaskTable int

const (
	NoFlask    FlaskTable = iota // the table of this library
	SQLAlchemy                   // as Flask-Session2 and Flask-Session have it in SQLAlchemy
	Peewee                       // as Flask-Session2 has it in peewee
)

// tokens reports whether the data holds write tokens, so that equal data is
// the same write.
func (s *Store) tokens() bool { return s.o.Flask == NoFlask }

// conns is a Pool that can be asked for a connection, as a [sql.DB] can.
type conns interface {
	Conn(ctx context.Context) (*sql.Conn, error)
}

// execOnConn runs a statement on one connection. On a pool, database/sql would
// run it again when the driver calls the connection bad, and lib/pq also does
// when it was the reply that was lost. The drivers whose statements are
// prepared do not.
func execOnConn(ctx context.Context, pool conns, query string, values []any) (sql.Result, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	return conn.ExecContext(ctx, query, values...)
}

// flaskLayout is the layout of both tables. The time in them is UTC without a
// time zone. SQLAlchemy's has NULL for no end, and a number for a key of its
// own, which the database gives; peewee's has a column for an address, which
// is left to Flask.
//
// The order of keys is that of the column's collation, so a page is not the
// range of a prefix.
func flaskLayout() layout {
	l := native
	l.id, l.expires = "session_id", "expiry"
	l.live = "({expires} IS NULL OR {expires} > {now})"
	return l
}

// flaskPostgreSQL is PostgreSQL for the tables of Flask. Nothing in it depends
// on the time zone of the connection.
func flaskPostgreSQL(t FlaskTable) Dialect {
	d := PostgreSQL()
	d.layout = flaskLayout()
	d.layout.end = "{now} + CAST(:ttl AS bigint) * interval '1 millisecond'"
	d.layout.left = "CAST(ceil(extract(epoch FROM {expires} - {now}) * 1000) AS bigint)"
	d.layout.list = "SELECT {id} FROM {table} WHERE {id} > :cursor AND " +
		"substr({id}, 1, length(CAST(:prefix AS text))) = :prefix ORDER BY {id} {limit}"
	d.Now = "(statement_timestamp() AT TIME ZONE 'UTC')"
	table := `"id" SERIAL NOT NULL, {id} VARCHAR(255), {data} BYTEA, {expires} TIMESTAMP WITHOUT TIME ZONE, PRIMARY KEY ("id"), UNIQUE ({id})`
	if t == Peewee {
		table = `{id} VARCHAR(256) NOT NULL PRIMARY KEY, {data} BYTEA NOT NULL, {expires} TIMESTAMP NOT NULL, "ip" VARCHAR(25)`
	}
	d.Schema = []string{
		"CREATE TABLE IF NOT EXISTS {table} (" + table + ")",
		"CREATE INDEX IF NOT EXISTS {index} ON {table} ({expires})",
	}
	return d
}

// flaskMySQL is MySQL for the tables of Flask.
//
// A text column finds a key by its collation, which may ignore case, so the
// bytes are compared as well. DATETIME counts in seconds: an expiry is rounded
// up by hand, as MariaDB cuts what does not fit and MySQL rounds it. Flask has
// BLOB for the data, 64 KiB at most.
func flaskMySQL(t FlaskTable) Dialect {
	const bytes = "CAST(CONVERT({id} USING utf8mb4) AS BINARY)"
	d := MySQL()
	d.layout = flaskLayout()
	d.layout.key = "{id} = :key AND " + bytes + " = :key"
	d.layout.end = "CAST(DATE_FORMAT({now} + INTERVAL (:ttl * 1000 + 999999) MICROSECOND, '%Y-%m-%d %H:%i:%s') AS DATETIME)"
	d.layout.left = "((TIMESTAMPDIFF(MICROSECOND, {now}, {expires}) + 999) DIV 1000)"
	d.layout.list = "SELECT {id} FROM {table} WHERE {id} > :cursor AND " +
		"LEFT(" + bytes + ", LENGTH(:prefix)) = :prefix ORDER BY {id} {limit}"
	d.Now = "UTC_TIMESTAMP(6)"
	d.Key = textKey
	table := "`id` INTEGER NOT NULL AUTO_INCREMENT, {id} VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, " +
		"{data} LONGBLOB, {expires} DATETIME, PRIMARY KEY (`id`), UNIQUE ({id})"
	if t == Peewee {
		table = "{id} VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, " +
			"{data} LONGBLOB NOT NULL, {expires} DATETIME NOT NULL, `ip` VARCHAR(25)"
	}
	d.Schema = []string{"CREATE TABLE IF NOT EXISTS {table} (" + table + ", INDEX {index} ({expires})) ENGINE=InnoDB"}
	d.Packet = "SELECT LEAST(@@max_allowed_packet, 4 * CHARACTER_MAXIMUM_LENGTH) FROM information_schema.COLUMNS " +
		"WHERE TABLE_SCHEMA = COALESCE(NULLIF('{schema}', ''), DATABASE()) AND TABLE_NAME = '{name}' AND COLUMN_NAME = 'data'"
	return d
}

// flaskSQLite is SQLite for the tables of Flask, where time is text that sorts
// by time: 2026-12-24 09:05:12.288689. SQLAlchemy 1.4 takes the digits after
// the point for a number of microseconds, so there must be six.
func flaskSQLite(t FlaskTable) Dialect {
	d := SQLite()
	d.layout = flaskLayout()
	d.layout.end = "strftime('%Y-%m-%d %H:%M:%f', 'now', '+' || (:ttl / 1000.0) || ' seconds') || '000'"
	// Rounded up, as the CAST cuts.
	d.layout.left = "CAST((julianday({expires}) - julianday('now')) * 86400000 + 1 AS INTEGER)"
	d.Now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
	table := `"id" INTEGER NOT NULL, {id} VARCHAR(255), {data} BLOB, {expires} DATETIME, PRIMARY KEY ("id"), UNIQUE ({id})`
	if t == Peewee {
		table = `{id} VARCHAR(256) NOT NULL PRIMARY KEY, {data} BLOB NOT NULL, {expires} DATETIME NOT NULL, "ip" VARCHAR(25)`
	}
	d.Schema = []string{
		"CREATE TABLE IF NOT EXISTS {table} (" + table + ")",
		"CREATE INDEX IF NOT EXISTS {index} ON {table} ({expires})",
	}
	return d
}
