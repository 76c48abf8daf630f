package firestorebackend

import (
	"bytes"
	"errors"

	"github.com/go-session2/sessions/backend"
)

// flaskSession2 is the layout of Flask-Session2.
var flaskSession2 = layout{id: "id", data: "val", expires: "expiration", forever: true}

var (
	_ backend.FlaskStore = (*Backend)(nil)

	errNoFlask = errors.New("only Flask-Session2 stores sessions in Firestore, Flask-Session does not: Flask must be FlaskSession2, and SESSION_SERIALIZATION_FORMAT pickle or absent")
	errLost    = errors.New("the reply to a write was lost")
)

// FlaskLayout implements [backend.FlaskStore]. The format is that of pickle.
func (b *Backend) FlaskLayout() (backend.FlaskLayout, backend.FlaskFormat) {
	if b.flask == backend.NoFlask {
		return backend.NoFlask, ""
	}
	return b.flask, backend.FlaskPickle
}

// FlaskSchema is [Schema] for a collection that Flask-Session2 shares.
func FlaskSchema(collection string) []string { return flaskSession2.schema(collection) }

// layoutOf returns a layout and the collection that it has by default.
func layoutOf(flask backend.FlaskLayout) (l layout, collection string) {
	if flask == backend.NoFlask {
		return native, DefaultCollection
	}
	return flaskSession2, defaultCollection
}

// ours returns how a write ends that was refused because there is what it was
// to store: neither a revision nor an error when that says nothing. The data tells that this
// write has stored it and its reply was lost. In a layout of Flask it does not;
// but with the same expiry, to the microsecond, it is likely, so that it must
// not be called a conflict.
func (b *Backend) ours(there *record, rec record) (backend.Revision, error) {
	switch {
	case !bytes.Equal(there.data, rec.data):
		return nil, nil
	case b.flask == backend.NoFlask:
		return there.revision(), nil
	case there.expires.Equal(rec.expires):
		return nil, errLost
	}
	return nil, nil
}
