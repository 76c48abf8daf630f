package firestorebackend

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"time"

	"cloud.google.com/go/firestore"

	"github.com/go-session2/sessions/backend"
)

// DefaultCollection is the collection of a Backend that is not told another.
// (The type "firestore" of the settings has Flask's default, flask_session.)
const DefaultCollection = "sessions"

// MaxDataSize is how many bytes of data a record can hold: the 1 MiB of a
// document, less 8 KiB for its name, which may have 6 KiB, and for the rest.
const MaxDataSize = 1<<20 - 8<<10

// maxAttempts is how often a write is tried that fails because of others.
const maxAttempts = 10

// A Config holds what can be set about a Backend. The zero value is useful.
type Config struct {
	// Collection is the ID of the collection at the top of the database:
	// 1 to 128 letters, digits, '_', '.' and '-', beginning with a letter
	// or '_', and not of the form __x__. It should hold nothing but
	// sessions. Default: DefaultCollection; with Flask, flask_session.
	Collection string

	// MaxSize is the size of the data of a record, in bytes, above which
	// Create and Update return ErrTooLarge without asking the server.
	// Default, and most: MaxDataSize.
	MaxSize int

	// Flask is FlaskSession2 for a collection that Flask-Session2 shares.
	// Default: none does.
	Flask backend.FlaskLayout
}

// collectionName is what a collection may be called; Firestore allows more.
var collectionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)

// NewWithConfig is [New] with options. It returns an error for a nil client,
// for a Collection that is no such name, for a MaxSize out of range, and for a
// Flask extension that does not use Firestore. It does no I/O.
func NewWithConfig(client *firestore.Client, cfg Config) (*Backend, error) {
	if cfg.Collection != "" && !validCollection(cfg.Collection) {
		return nil, errors.New("firestore: Collection is not a name of letters, digits, '_', '.' and '-'")
	}
	if cfg.MaxSize < 0 || cfg.MaxSize > MaxDataSize {
		return nil, fmt.Errorf("firestore: MaxSize is %d, not from 0 to %d", cfg.MaxSize, MaxDataSize)
	}
	if cfg.Flask != backend.NoFlask && cfg.Flask != backend.FlaskSession2 {
		return nil, fmt.Errorf("firestore: %w", errNoFlask)
	}
	b := newBackend(client, cfg)
	if b.invalid != nil {
		return nil, fmt.Errorf("firestore: %w", b.invalid)
	}
	return b, nil
}

func newBackend(client *firestore.Client, cfg Config) *Backend {
	l, collection := layoutOf(cfg.Flask)
	b := &Backend{client: client, flask: cfg.Flask, layout: l, maxSize: MaxDataSize, now: time.Now}
	if client == nil {
		b.invalid = errors.New("the client is nil")
		return b
	}
	b.coll = client.Collection(cmp.Or(cfg.Collection, collection))
	if cfg.MaxSize > 0 {
		b.maxSize = cfg.MaxSize
	}
	return b
}

func validCollection(name string) bool { return collectionName.MatchString(name) && !reserved(name) }
