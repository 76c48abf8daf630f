package sessions

import (
	"errors"
	"fmt"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/codec"
)

// FlaskCompatible returns cfg set up for sharing its sessions with a Flask
// application that uses Flask-Session2 or Flask-Session: both serve the same
// browsers from the same records. docs/flask.md is the guide.
//
// cfg.Backend must use the layout of that extension, which is said where it
// is made: for instance redisbackend.NewWithConfig(client,
// redisbackend.Config{Flask: backend.FlaskSession2}). What the two
// applications have in common must be configured alike: Name, Prefix,
// Lifetime, and the attributes of the cookie. In detail,
//
//   - the store key is Prefix + ID: PlainIDs is implied. IDs that Flask has
//     made, and those of every length that Flask-Session's SESSION_ID_LENGTH
//     should have, 16 to 64 bytes, are looked up as well.
//   - the records have no header. So AbsoluteLifetime is an error; and a write
//     whose reply was lost is reported and not tried again, as nothing tells
//     whether it has happened.
//   - the default Codec is that of the layout. Another one must write what
//     Flask reads; one that encrypts is an error.
//   - the Signer, if any, is the one that [NewFlaskSigner] makes.
//
// cfg itself is checked by [NewManager]. The other defaults stay, also that
// of RefreshInterval, where Flask does what RefreshAlways does.
func FlaskCompatible(cfg Config) Config {
	cfg.PlainIDs, cfg.flask = true, true
	return cfg
}

// completeFlask fills in what FlaskCompatible promises, once the backend is
// known, or returns an error that says what to change.
func (c *Config) completeFlask() error {
	layout, format := backend.NoFlask, backend.FlaskFormat("")
	store, ok := c.Backend.(backend.FlaskStore)
	if ok {
		layout, format = store.FlaskLayout()
	}
	if !c.flask {
		if layout != backend.NoFlask {
			return errors.New("the Backend uses the layout of a Flask extension: pass the Config through FlaskCompatible, or make the Backend without a Flask layout")
		}
		return nil
	}
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch {
	case !ok:
		fail("FlaskCompatible needs a Backend that Flask's extensions know as well: redis, memcached, filesystem, mongodb, sqlalchemy (gorm), peewee (sql), elasticsearch, datastore, firestore or dynamodb")
	case layout == backend.NoFlask:
		fail("FlaskCompatible needs a Backend in the layout of a Flask extension: make it by NewWithConfig with Flask: backend.FlaskSession2 or backend.FlaskSession, or set SESSION_FLASK_COMPATIBLE")
	}
	c.PlainIDs = true
	if c.AbsoluteLifetime != 0 {
		fail("Flask's records do not say when a session was created: AbsoluteLifetime must be 0 with FlaskCompatible")
	}
	if c.Codec == nil && layout != backend.NoFlask {
		if c.Codec = flaskCodec(format); c.Codec == nil {
			fail("the Backend's Flask format %q is unknown; set Codec", format)
		}
	}
	switch c.Codec.(type) {
	case codec.Sealer:
		fail("Flask cannot read what the Codec encrypts: leave Codec to FlaskCompatible")
	case codec.MessagePack, codec.JSON:
		fail("Flask cannot read all that %T writes: leave Codec to FlaskCompatible, or use a Flask codec of package codec", c.Codec)
	}
	if _, ok := c.Signer.(*hmacSigner); ok {
		fail("Flask cannot verify what the Signer signs: make it by NewFlaskSigner")
	}
	return errors.Join(errs...)
}
