package datastorebackend

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"cloud.google.com/go/datastore"

	"github.com/go-session2/sessions/backend"
)

// DefaultKind is the kind of the entities of a Backend that is not told
// another. Flask has the same.
const DefaultKind = "session"

// MaxDataSize is how many bytes of data a record can hold: the 1 MiB of an
// entity, less 8 KiB for its key, which may have 6 KiB, and for the rest.
const MaxDataSize = 1<<20 - 8<<10

// maxAttempts is how often a write or a transaction is tried that fails because
// of others.
const maxAttempts = 10

// A Config holds what can be set about a Backend. The zero value is useful.
type Config struct {
	// Kind is the kind of the entities: 1 to 128 letters, digits, '_', '.'
	// and '-', beginning with a letter or '_', and not of the form __x__.
	// It should hold nothing but sessions. Default: DefaultKind.
	Kind string

	// MaxSize is the size of the data of a record, in bytes, above which
	// Create and Update return ErrTooLarge without asking the server.
	// Default, and most: MaxDataSize.
	MaxSize int

	// BeginFirst begins each transaction by a call of its own, a third
	// round trip. Google's Firestore emulator in Datastore mode needs it:
	// it locks forever what a transaction reads that begins with its first
	// lookup (https://github.com/firebase/firebase-tools/issues/8105). A
	// backend opened by settings sets it where DATASTORE_EMULATOR_HOST is
	// set. Default: the first lookup begins the transaction.
	BeginFirst bool

	// Flask is FlaskSession2 for a kind that Flask-Session2 shares.
	// Default: none does.
	Flask backend.FlaskLayout
}

// kindName is what a kind may be called; Datastore allows more.
var kindName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)

// NewWithConfig is [New] with options. It returns an error for a nil client,
// for a Kind that is no such name, for a MaxSize out of range, and for a Flask
// extension that does not use Datastore. It does no I/O.
func NewWithConfig(client *datastore.Client, cfg Config) (*Backend, error) {
	if cfg.Kind != "" && (!kindName.MatchString(cfg.Kind) || reserved(cfg.Kind)) {
		return nil, errors.New("datastore: Kind is not a name of letters, digits, '_', '.' and '-'")
	}
	if cfg.MaxSize < 0 || cfg.MaxSize > MaxDataSize {
		return nil, fmt.Errorf("datastore: MaxSize is %d, not from 0 to %d", cfg.MaxSize, MaxDataSize)
	}
	if cfg.Flask != backend.NoFlask && cfg.Flask != backend.FlaskSession2 {
		return nil, fmt.Errorf("datastore: %w", errNoFlask)
	}
	b := newBackend(client, cfg)
	if b.invalid != nil {
		return nil, fmt.Errorf("datastore: %w", b.invalid)
	}
	return b, nil
}

func newBackend(client *datastore.Client, cfg Config) *Backend {
	b := &Backend{client: client, kind: DefaultKind, maxSize: MaxDataSize, now: time.Now}
	b.flask, b.layout = cfg.Flask, layoutOf(cfg.Flask)
	if client == nil {
		b.invalid = errors.New("the client is nil")
	}
	if cfg.Kind != "" {
		b.kind = cfg.Kind
	}
	if cfg.MaxSize > 0 {
		b.maxSize = cfg.MaxSize
	}
	b.options = []datastore.TransactionOption{datastore.MaxAttempts(1)}
	if !cfg.BeginFirst {
		b.options = append(b.options, datastore.BeginLater)
	}
	return b
}
