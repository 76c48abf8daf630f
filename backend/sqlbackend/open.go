package sqlbackend

import (
	"database/sql"
	"errors"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/sqlstore"
)

func init() {
	backend.Register("sql", fromSettings)
	backend.Register("peewee", fromSettings)
}

// fromSettings opens the backend of type "sql", or "peewee" as Flask calls
// it. SESSION_DB is a live *sql.DB, which Close leaves open, or a URL:
//
//	postgres://user:password@host:5432/database?sslmode=verify-full
//	mysql://user:password@host:3306/database?tls=true
//	sqlite:///path/in/the/working/directory.db
//	sqlite:////absolute/path.db
//
// with the options of the driver that the program has imported.
// SESSION_PEEWEE_TABLE is the table. SESSION_DB_DIALECT is "postgres", "mysql"
// or "sqlite", for a live database with a driver that is not known.
// SESSION_FLASK_COMPATIBLE makes it the table of Flask-Session2's peewee.
func fromSettings(s *backend.Settings) (backend.Backend, error) {
	cfg := Config{
		Table:   s.String("SESSION_PEEWEE_TABLE", ""),
		Dialect: Dialect(s.String("SESSION_DB_DIALECT", "")),
		Flask:   s.FlaskLayout(),
	}
	if cfg.Flask == backend.FlaskSession {
		s.Reject("SESSION_SERIALIZATION_FORMAT", "pickle for this type, as Flask-Session has no peewee: use SESSION_TYPE sqlalchemy")
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	const setting = "SESSION_DB"
	v, _ := s.Lookup(setting)
	switch v := v.(type) {
	case *sql.DB:
		return NewWithConfig(v, cfg)
	case string:
		db, dialect, err := sqlstore.OpenURL(setting, v)
		if err == nil {
			cfg.Dialect = Dialect(dialect)
			var b *Backend
			if b, err = open(db, cfg, db.Close); err == nil {
				return b, nil
			}
			_ = db.Close()
		}
		if !errors.Is(err, sqlstore.ErrURL) {
			return nil, err
		}
	}
	// What was wrong is not told, as the texts of the parsers quote parts of
	// the URL, and those may be parts of a password.
	s.Reject(setting, "a *sql.DB or "+sqlstore.URLs)
	return nil, s.Err()
}
