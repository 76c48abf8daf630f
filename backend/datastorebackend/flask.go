package datastorebackend

import (
	"bytes"
	"errors"

	"github.com/go-session2/sessions/backend"
)

// flaskSession2 is the layout of Flask-Session2.
var flaskSession2 = layout{expires: "expiry", forever: true}

var (
	_ backend.FlaskStore = (*Backend)(nil)

	errNoFlask = errors.New("only Flask-Session2 stores sessions in Datastore, Flask-Session does not: Flask must be FlaskSession2, and SESSION_SERIALIZATION_FORMAT pickle or absent")
	errLost    = errors.New("the reply to a write was lost")
)

// FlaskLayout implements [backend.FlaskStore]. The format is that of pickle.
func (b *Backend) FlaskLayout() (backend.FlaskLayout, backend.FlaskFormat) {
	if b.flask == backend.NoFlask {
		return backend.NoFlask, ""
	}
	return b.flask, backend.FlaskPickle
}

// FlaskSchema is [Schema] for a kind that Flask-Session2 shares.
func FlaskSchema(kind string) []string { return flaskSession2.schema(kind) }

func layoutOf(flask backend.FlaskLayout) layout {
	if flask == backend.NoFlask {
		return native
	}
	return flaskSession2
}

// ours returns how a write ends that finds there what it was to store: nil
// when that says nothing. The data tells that this write has stored it and its
// reply was lost. In a layout of Flask it does not; but with the same expiry,
// to the microsecond, it is likely, so that it must not be called a conflict.
func (b *Backend) ours(there, rec *record) error {
	switch {
	case !bytes.Equal(there.data, rec.data):
		return nil
	case b.flask == backend.NoFlask:
		return errDone
	case there.expires.Equal(rec.expires):
		return errLost
	}
	return nil
}
