package redisbackend

import (
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
)

// MaxDataSize is how many bytes of data a Redis value can hold: the 512 MiB
// of a Redis string, less the 16 bytes that come before the data. A server whose
// proto-max-bulk-len is lower takes less; see [Config].
const MaxDataSize = 512<<20 - headerSize

// A Config holds what can be set about a Backend. The zero value is useful.
type Config struct {
	// Flask is the extension of Flask in whose layout the records are, for
	// sessions.FlaskCompatible. Default: none, the layout of this package.
	Flask backend.FlaskLayout

	// MaxSize is the size of the data of a record, in bytes, above which
	// Create and Update return ErrTooLarge without asking the server.
	// Default, and most: MaxDataSize.
	MaxSize int

	// NoPipelining sends every command by itself. By default, on a plain or
	// a Sentinel client without a Limiter, commands that come while a round
	// trip is under way wait for it, a millisecond at most, and go together
	// in one pipeline, unless the record is larger than 16 KiB. A command that comes alone is sent at once either
	// way. Set it when hooks of the client must see each command with the
	// context of its request: for a pipeline, go-redis calls their
	// ProcessPipelineHook, with another context.
	NoPipelining bool
}

// NewWithConfig is [New] with options. It returns an error for a client that
// cannot be used and for a value out of range. It does no I/O.
func NewWithConfig(client redis.UniversalClient, cfg Config) (*Backend, error) {
	b := New(client)
	if b.invalid != nil {
		return nil, b.invalid
	}
	if cfg.MaxSize < 0 || cfg.MaxSize > MaxDataSize {
		return nil, fmt.Errorf("redis: MaxSize is %d, not from 0 to %d", cfg.MaxSize, MaxDataSize)
	}
	if cfg.Flask < backend.NoFlask || cfg.Flask > backend.FlaskSession {
		return nil, errors.New("redis: Flask is not NoFlask, FlaskSession2 or FlaskSession of package backend")
	}
	b.layout = cfg.Flask
	if cfg.MaxSize > 0 {
		b.maxSize = cfg.MaxSize
	}
	if cfg.NoPipelining {
		b.batches = nil
	}
	return b, nil
}
