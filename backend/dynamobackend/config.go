package dynamobackend

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/guregu/dynamo/v2"

	"github.com/go-session2/sessions/backend"
)

// DefaultTable is the name of the table where none is given, as in
// Flask-Session2.
const DefaultTable = "sessions"

// MaxDataSize is how many bytes of data a record can hold: the 400 KB of an
// item, less the longest key (2,048 bytes), the names of the three attributes
// (13 bytes) and a number, for which 19 bytes are enough.
//
// Source: "Quotas in Amazon DynamoDB" and "DynamoDB item sizes and formats"
// in the Amazon DynamoDB Developer Guide.
const MaxDataSize = 400<<10 - 2048 - 32

// tableName is what DynamoDB allows.
var tableName = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)

// A Config holds what can be set about a Backend. The zero value is useful.
type Config struct {
	// Table is the name of the table: 3 to 255 letters, digits, and the
	// characters _ . and -. Default: DefaultTable, or
	// DefaultFlaskSessionTable in the layout of Flask-Session.
	Table string

	// MaxSize is the size of the data of a record, in bytes, above which
	// Create and Update return ErrTooLarge without asking DynamoDB. Writes
	// are charged by the kilobyte, strongly consistent reads by 4.
	// Default, and most: MaxDataSize.
	MaxSize int

	// SkipSchema leaves it to the operator to create the table and to
	// switch its time to live on, as [Schema] describes. Default: the first
	// operation does so, with the permissions CreateTable, DescribeTable,
	// DescribeTimeToLive and UpdateTimeToLive, and fails if it cannot.
	SkipSchema bool

	// Flask is the Flask extension that shares the table. Default: none.
	Flask backend.FlaskLayout
}

// NewWithConfig is [New] with options. It returns an error for a nil client,
// for a Table that is no name of a table, for a MaxSize out of range and for an
// unknown Flask. It does no I/O.
func NewWithConfig(db *dynamo.DB, cfg Config) (*Backend, error) {
	if cfg.Table != "" && !tableName.MatchString(cfg.Table) {
		return nil, errors.New("dynamodb: Table must be " + tableNameRule)
	}
	if cfg.MaxSize < 0 || cfg.MaxSize > MaxDataSize {
		return nil, fmt.Errorf("dynamodb: MaxSize is %d, not from 0 to %d", cfg.MaxSize, MaxDataSize)
	}
	if cfg.Flask < backend.NoFlask || cfg.Flask > backend.FlaskSession {
		return nil, errors.New("dynamodb: Flask is no layout: it is NoFlask, FlaskSession2 or FlaskSession")
	}
	b := newBackend(db, cfg)
	if b.invalid != nil {
		return nil, fmt.Errorf("dynamodb: %w", b.invalid)
	}
	return b, nil
}

const tableNameRule = "3 to 255 letters, digits, and the characters _ . and -"

func newBackend(db *dynamo.DB, cfg Config) *Backend {
	b := &Backend{flask: cfg.Flask, maxSize: MaxDataSize, now: time.Now}
	b.layout, b.table = layoutOf(cfg.Flask)
	b.schema.turn = make(chan struct{}, 1)
	b.schema.ready.Store(cfg.SkipSchema)
	if cfg.Table != "" {
		b.table = cfg.Table
	}
	if cfg.MaxSize > 0 {
		b.maxSize = cfg.MaxSize
	}
	if db == nil || db.Client() == nil {
		b.invalid = errors.New("the client is nil")
		return b
	}
	b.client = db.Client()
	return b
}
