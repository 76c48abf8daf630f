package mongobackend

import (
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/go-session2/sessions/backend"
)

// MaxDataSize is how many bytes of data a record can hold: half of the 16 MiB
// of a document, as an Update sends the old data along with the new, less 8
// KiB for the rest.
const MaxDataSize = 8<<20 - 8<<10

// closeTimeout is how long Close waits for commands that still run.
const closeTimeout = 5 * time.Second

var primary = readpref.Primary()

// A Config holds what can be set about a Backend. The zero value is useful.
type Config struct {
	// MaxSize is the size of the data of a record, in bytes, above which
	// Create and Update return ErrTooLarge without asking the server.
	// Default, and most: MaxDataSize.
	MaxSize int

	// WriteConcern is how many servers of a replica set a write waits for.
	// One that waits for none is refused. Default: the majority.
	WriteConcern *writeconcern.WriteConcern

	// SkipSchema leaves it to the operator to create the index that
	// [Schema] describes. Default: the backend creates it, in the
	// background, after its first successful Create.
	SkipSchema bool

	// Flask is the extension of Flask whose documents are used; see
	// [FlaskSchema]. Default: those of this library. The setting is
	// SESSION_FLASK_COMPATIBLE; see [backend.Settings.FlaskLayout].
	Flask backend.FlaskLayout
}

// NewWithConfig is [New] with options. It returns an error for a nil
// collection, for a MaxSize out of range, for a WriteConcern that waits for no
// server, and for an unknown Flask. It does no I/O.
func NewWithConfig(coll *mongo.Collection, cfg Config) (*Backend, error) {
	if cfg.MaxSize < 0 || cfg.MaxSize > MaxDataSize {
		return nil, fmt.Errorf("mongodb: MaxSize is %d, not from 0 to %d", cfg.MaxSize, MaxDataSize)
	}
	if w := cfg.WriteConcern; w != nil && (!w.Acknowledged() || !w.IsValid()) {
		return nil, errors.New("mongodb: the WriteConcern waits for no server")
	}
	if cfg.Flask < backend.NoFlask || cfg.Flask > backend.FlaskSession {
		return nil, errors.New("mongodb: Flask is no layout: it is NoFlask, FlaskSession2 or FlaskSession")
	}
	b := newBackend(coll, cfg)
	if b.invalid != nil {
		return nil, fmt.Errorf("mongodb: %w", b.invalid)
	}
	return b, nil
}

func newBackend(coll *mongo.Collection, cfg Config) *Backend {
	b := &Backend{layout: native, flask: cfg.Flask, maxSize: MaxDataSize, now: time.Now}
	if cfg.Flask != backend.NoFlask {
		b.layout = flask
	}
	if coll == nil {
		b.invalid = errors.New("the collection is nil")
		return b
	}
	if cfg.MaxSize > 0 {
		b.maxSize = cfg.MaxSize
	}
	concern := cfg.WriteConcern
	if concern == nil {
		concern = writeconcern.Majority()
	}
	b.coll = coll.Clone(options.Collection().SetWriteConcern(concern).SetReadPreference(primary))
	b.schema.skip = cfg.SkipSchema
	return b
}
