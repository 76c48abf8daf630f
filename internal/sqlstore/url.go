package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ErrURL is the error for a URL of no database that is known.
var ErrURL = errors.New("not a URL of a database")

// URLs says what OpenURL takes, for errors.
const URLs = "a URL: postgres://user:password@host/database, mysql://user:password@host/database or sqlite:///file.db"

// The pool of a database that OpenURL opens. A session costs a few
// short statements, and PostgreSQL admits 100 connections by default.
const (
	maxConns    = 25
	maxIdleTime = 5 * time.Minute
)

// OpenURL opens a database by a URL and a driver that the program has
// registered, and returns the name of its dialect. It does no I/O. The error
// for a missing driver names the setting that the URL is from; any other is
// ErrURL, as the texts of the parsers quote parts of the URL, and those may be
// parts of a password.
func OpenURL(setting, rawURL string) (db *sql.DB, dialect string, err error) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return nil, "", ErrURL
	}
	switch scheme {
	case "postgres", "postgresql":
		db, err := openAny(setting, rawURL, "github.com/jackc/pgx/v5/stdlib", "pgx", "pgx/v5", "postgres")
		return db, "postgres", err
	case "mysql":
		dsn, err := mysqlDSN(rawURL)
		if err != nil {
			return nil, "", err
		}
		db, err := openAny(setting, dsn, "github.com/go-sql-driver/mysql", "mysql")
		return db, "mysql", err
	case "sqlite":
		dsn, memory, err := sqliteDSN(rest)
		if err != nil {
			return nil, "", err
		}
		db, err := openAny(setting, dsn, "modernc.org/sqlite", "sqlite", "sqlite3")
		if err == nil && memory {
			db.SetMaxOpenConns(1) // each connection would have its own
			db.SetConnMaxIdleTime(0)
		}
		return db, "sqlite", err
	}
	return nil, "", ErrURL
}

// openAny opens a database with the first of the drivers that is registered.
func openAny(setting, dsn, recommended string, drivers ...string) (*sql.DB, error) {
	for _, driver := range drivers {
		if !slices.Contains(sql.Drivers(), driver) {
			continue
		}
		db, err := sql.Open(driver, dsn)
		if err != nil {
			return nil, ErrURL
		}
		db.SetMaxOpenConns(maxConns)
		db.SetMaxIdleConns(maxConns)
		db.SetConnMaxIdleTime(maxIdleTime)
		return db, nil
	}
	return nil, fmt.Errorf("%s needs a driver for database/sql that is registered as %s: add import _ %q to the program",
		setting, strings.Join(drivers, " or "), recommended)
}

// mysqlDSN turns a URL into the form that go-sql-driver/mysql has.
func mysqlDSN(rawURL string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return "", ErrURL
	}
	dsn := "tcp(" + u.Host + ")/" + url.PathEscape(strings.TrimPrefix(u.Path, "/"))
	if u.User != nil {
		user := u.User.Username()
		if password, ok := u.User.Password(); ok {
			user += ":" + password
		}
		dsn = user + "@" + dsn
	}
	if u.RawQuery != "" {
		dsn += "?" + u.RawQuery
	}
	return dsn, nil
}

// sqliteDSN turns what follows sqlite:// into a URI of SQLite with a
// busy_timeout and the WAL mode, unless it has options already. All drivers
// ignore what they do not know: the first two are for modernc.org/sqlite and
// its kin, the others for mattn/go-sqlite3.
func sqliteDSN(rest string) (dsn string, memory bool, err error) {
	path, query, _ := strings.Cut(rest, "?")
	path, ok := strings.CutPrefix(path, "/")
	if !ok || path == "" {
		return "", false, ErrURL
	}
	if query == "" {
		query = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_busy_timeout=5000&_journal_mode=WAL"
	}
	return "file:" + path + "?" + query, path == ":memory:", nil
}
