package memcachedbackend

import (
	"errors"
	"fmt"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/go-session2/sessions/backend"
)

const (
	// overhead is more than what an item needs beside its data: the key of at
	// most 250 bytes, the header of memcached, and the expiry.
	overhead = 512

	// DefaultMaxSize is how many bytes of data an item of a server with the
	// default limit of 1 MiB can hold.
	DefaultMaxSize = 1<<20 - overhead

	// maxMaxSize is the same for the highest limit that memcached accepts.
	maxMaxSize = 1<<30 - overhead
)

var errNoClient = errors.New("the client is nil")

// A Config holds what can be set about a Backend. The zero value is useful.
type Config struct {
	// Flask is the extension of Flask in whose layout the records are, for
	// sessions.FlaskCompatible. Default: none, the layout of this package.
	Flask backend.FlaskLayout

	// MaxSize is the size of the data of a record, in bytes, above which
	// Create and Update return ErrTooLarge without asking the server. It
	// should be at least 512 less than the server's item size limit, its
	// option -I. Default: DefaultMaxSize. At most 1 GiB less 512 bytes.
	MaxSize int
}

// NewWithConfig is [New] with options. It returns an error for a nil client
// and for a value out of range. It does no I/O.
func NewWithConfig(client *memcache.Client, cfg Config) (*Backend, error) {
	if client == nil {
		return nil, fmt.Errorf("memcached: %w", errNoClient)
	}
	if cfg.MaxSize < 0 || cfg.MaxSize > maxMaxSize {
		return nil, fmt.Errorf("memcached: MaxSize is %d, not from 0 to %d", cfg.MaxSize, maxMaxSize)
	}
	if cfg.Flask < backend.NoFlask || cfg.Flask > backend.FlaskSession {
		return nil, errors.New("memcached: Flask is not NoFlask, FlaskSession2 or FlaskSession of package backend")
	}
	b := New(client)
	b.layout = cfg.Flask
	if cfg.MaxSize > 0 {
		b.maxSize = cfg.MaxSize
	}
	return b, nil
}
