package gormbackend

import (
	"cmp"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/sqlstore"
)

func init() {
	backend.Register("gorm", open)
	backend.Register("sqlalchemy", open)
}

// open opens the backend of type "gorm", or "sqlalchemy" as Flask calls it.
// SESSION_SQLALCHEMY is a live *gorm.DB, which Close leaves open, or a URL:
//
//	postgres://user:password@host:5432/database?sslmode=verify-full
//	mysql://user:password@host:3306/database?tls=true
//	sqlite:///path/in/the/working/directory.db
//	sqlite:////absolute/path.db
//
// with the options of the driver for database/sql that the program has
// imported. With a URL gorm has no part in it: the table and the statements
// are the same. SESSION_SQLALCHEMY_TABLE is the table and
// SESSION_SQLALCHEMY_SCHEMA its schema, if it is in another one than usual.
// SESSION_FLASK_COMPATIBLE makes it the table of the Flask extension.
func open(s *backend.Settings) (backend.Backend, error) {
	const setting = "SESSION_SQLALCHEMY"
	cfg := Config{Table: s.String("SESSION_SQLALCHEMY_TABLE", ""), Flask: s.FlaskLayout()}
	if schema := s.String("SESSION_SQLALCHEMY_SCHEMA", ""); schema != "" {
		cfg.Table = schema + "." + cmp.Or(cfg.Table, defaultTable)
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	v, _ := s.Lookup(setting)
	switch v := v.(type) {
	case *gorm.DB:
		b, err := NewWithConfig(v, cfg)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", setting, err)
		}
		return b, nil
	case string:
		b, err := openURL(setting, v, cfg)
		if err == nil || !errors.Is(err, sqlstore.ErrURL) {
			return b, err
		}
	}
	s.Reject(setting, "a *gorm.DB or "+sqlstore.URLs)
	return nil, s.Err()
}

func openURL(setting, url string, cfg Config) (backend.Backend, error) {
	db, dialect, err := sqlstore.OpenURL(setting, url)
	if err != nil {
		return nil, err
	}
	o := options(cfg)
	o.Pool, o.Close = db, db.Close
	o.Dialect, _ = sqlstore.Named(dialect)
	s, err := sqlstore.New(o)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Backend{s, cfg.Flask}, nil
}
