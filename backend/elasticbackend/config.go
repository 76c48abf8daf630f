package elasticbackend

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"github.com/go-session2/sessions/backend"
)

const (
	// DefaultMaxSize is how many bytes of data a record can hold, unless
	// Config says otherwise. In base64 it is what a small node, with a heap
	// of 256 MiB, takes: Elasticsearch refuses a request over a tenth of its
	// heap (indexing_pressure.memory.limit).
	DefaultMaxSize = 16 << 20

	// MaxDataSize is what a record can hold at most: the 100 MiB of
	// http.max_content_length of a server with its default, in base64,
	// less 8 KiB for the rest of the document.
	MaxDataSize = 75<<20 - 8<<10

	// maxKeySize is the limit of Elasticsearch for an _id, in bytes.
	maxKeySize = 512

	defaultIndex = "sessions"
)

// indexName is what an index may be called; Elasticsearch allows a little
// more.
var indexName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,254}$`)

// A Config holds what can be set about a Backend. The zero value is useful.
type Config struct {
	// Index is the name of the index, or of an alias of one index: at most
	// 255 lower-case letters, digits, '.', '_' and '-', the first of them a
	// letter or a digit. Default: sessions.
	Index string

	// MaxSize is the size of the data of a record, in bytes, above which
	// Create and Update return ErrTooLarge without asking the server.
	// Default: DefaultMaxSize. At most MaxDataSize.
	MaxSize int

	// SkipSchema leaves it to the operator to create the index with what
	// [Schema] returns, or a template for it: without either, Elasticsearch
	// by default guesses a mapping at the first write, and would analyse
	// the data as text. Default: the backend creates the index before its
	// first write.
	SkipSchema bool

	// Flask is FlaskSession2 for an index that Flask-Session2 shares.
	// Default: none does.
	Flask backend.FlaskLayout
}

// NewWithConfig is [New] with options. It returns an error for a nil client,
// for an Index that is no name, for a MaxSize out of range, and for a Flask
// extension that does not use Elasticsearch. It does no I/O.
func NewWithConfig(client elastictransport.Interface, cfg Config) (*Backend, error) {
	if cfg.Index != "" && !indexName.MatchString(cfg.Index) {
		return nil, errors.New("elasticsearch: Index is not a name of lower-case letters, digits, '.', '_' and '-'")
	}
	if cfg.MaxSize < 0 || cfg.MaxSize > MaxDataSize {
		return nil, fmt.Errorf("elasticsearch: MaxSize is %d, not from 0 to %d", cfg.MaxSize, MaxDataSize)
	}
	if cfg.Flask != backend.NoFlask && cfg.Flask != backend.FlaskSession2 {
		return nil, fmt.Errorf("elasticsearch: %w", errNoFlask)
	}
	b := newBackend(client, cfg)
	if b.invalid != nil {
		return nil, fmt.Errorf("elasticsearch: %w", b.invalid)
	}
	return b, nil
}

func newBackend(client elastictransport.Interface, cfg Config) *Backend {
	b := &Backend{client: client, index: defaultIndex, maxSize: DefaultMaxSize, now: time.Now}
	b.flask, b.layout = cfg.Flask, layoutOf(cfg.Flask)
	if cfg.Index != "" {
		b.index = cfg.Index
	}
	if cfg.MaxSize > 0 {
		b.maxSize = cfg.MaxSize
	}
	b.schema = schema{skip: cfg.SkipSchema, turn: make(chan struct{}, 1)}
	if v := reflect.ValueOf(client); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		b.invalid = errors.New("the client is nil")
	}
	return b
}
