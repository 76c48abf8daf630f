package sqlbackend

import (
	"errors"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/sqlstore"
)

var errNoFlask = errors.New("sql: Flask is no layout: it is NoFlask, FlaskSession2 or FlaskSession")

var _ backend.FlaskStore = (*Backend)(nil)

// FlaskLayout implements [backend.FlaskStore].
func (b *Backend) FlaskLayout() (backend.FlaskLayout, backend.FlaskFormat) {
	switch b.flask {
	case backend.FlaskSession2:
		return b.flask, backend.FlaskPickle
	case backend.FlaskSession:
		return b.flask, backend.FlaskMsgpack
	}
	return backend.NoFlask, ""
}

// flaskTable returns the table that is asked for.
func (c Config) flaskTable() sqlstore.FlaskTable {
	switch {
	case c.Flask == backend.NoFlask:
		return sqlstore.NoFlask
	case c.Flask == backend.FlaskSession2 && !c.SQLAlchemy:
		return sqlstore.Peewee
	}
	return sqlstore.SQLAlchemy
}
