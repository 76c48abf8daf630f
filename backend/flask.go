package backend

import "strings"

// A FlaskLayout says whose storage layout a backend uses: that of this
// library, or that of one of the session extensions of Flask, so that Python
// and Go processes can serve the same sessions. docs/flask.md describes them.
type FlaskLayout int

const (
	// NoFlask is the layout of this library. Nothing else reads it.
	NoFlask FlaskLayout = iota
	// FlaskSession2 is the layout of Flask-Session2 1.3.
	FlaskSession2
	// FlaskSession is the layout of Flask-Session 0.8.
	FlaskSession
)

// A FlaskFormat names how the data of a session is serialized. To a backend
// data is any bytes, but for those whose documents hold JSON.
type FlaskFormat string

// The formats that the Flask extensions write.
const (
	FlaskPickle  FlaskFormat = "pickle"  // protocol 4
	FlaskPickle0 FlaskFormat = "pickle0" // protocol 0, which is text
	FlaskMsgpack FlaskFormat = "msgpack"
	FlaskJSON    FlaskFormat = "json"
)

// A FlaskStore is a Backend that can use the layout of a Flask extension. In
// such a layout
//
//   - the data has no header of package sessions, and so no write token:
//     equal bytes do not mean the same write. Create returns ErrExists, and
//     Update ErrConflict, also when the record holds exactly the given data
//     (unless that is the state that the Update was based on).
//   - a write whose reply was lost is an error, neither guessed at nor sent
//     again, by the backend or by its client: a repeated Update would find its
//     own result and take it for somebody else's.
//   - Update and Delete at a revision notice what a Flask process has written.
//   - Touch may shorten the life of a record where the store does not tell how
//     long that is. Everywhere else it does not.
//   - a record that Flask has stored without an expiry is there, with the zero
//     Record.Expires.
type FlaskStore interface {
	Backend

	// FlaskLayout returns the layout in use, and the format that the data of
	// this store has there: what Flask writes by default, and reads. Both
	// are zero for the layout of this library.
	FlaskLayout() (FlaskLayout, FlaskFormat)
}

// FlaskLayout returns the layout that the settings ask for:
// SESSION_FLASK_COMPATIBLE is a truth value, and which of the two extensions
// is meant follows from SESSION_SERIALIZATION_FORMAT, which only Flask-Session
// knows: msgpack and json are its formats, pickle (the default) is that of
// Flask-Session2.
func (s *Settings) FlaskLayout() FlaskLayout {
	if !s.Bool("SESSION_FLASK_COMPATIBLE", false) {
		return NoFlask
	}
	if strings.EqualFold(s.String("SESSION_SERIALIZATION_FORMAT", "pickle"), "pickle") {
		return FlaskSession2
	}
	return FlaskSession
}
