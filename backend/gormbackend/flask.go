package gormbackend

import (
	"errors"

	"gorm.io/gorm"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/sqlstore"
)

var errNoFlask = errors.New("gorm: Flask is no layout: it is NoFlask, FlaskSession2 or FlaskSession")

var _ backend.FlaskStore = (*Backend)(nil)

// FlaskLayout implements [backend.FlaskStore]. The table is the same for both
// extensions; they differ in the format.
func (b *Backend) FlaskLayout() (backend.FlaskLayout, backend.FlaskFormat) {
	switch b.flask {
	case backend.FlaskSession2:
		return b.flask, backend.FlaskPickle
	case backend.FlaskSession:
		return b.flask, backend.FlaskMsgpack
	}
	return backend.NoFlask, ""
}

func flaskTable(l backend.FlaskLayout) sqlstore.FlaskTable {
	if l == backend.NoFlask {
		return sqlstore.NoFlask
	}
	return sqlstore.SQLAlchemy
}

// pool returns the connections of db. On a table of Flask they are those below
// gorm's prepared statements, which database/sql may run again.
func pool(db *gorm.DB, l backend.FlaskLayout) sqlstore.Pool {
	if p, ok := db.Config.ConnPool.(gorm.GetDBConnector); ok && l != backend.NoFlask {
		if below, err := p.GetDBConn(); err == nil {
			return below
		}
	}
	return db.Config.ConnPool
}
