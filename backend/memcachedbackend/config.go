package memcachedbackend

import (
	"errors"
	"fmt"

	"github.com/bradfitz/gomemcache/memcache"
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
	// MaxSize is the size of the data of a record, in bytes, above which
	// Create and Update return ErrTooLarge without asking the server. It
	// should be at least 512 less than the server's item size limit, its
	// option -I. Default: DefaultMaxSize. At most 1 GiB less 512 bytes.
	MaxSize int
}

// NewWithConfig is [New] with options. It returns an error for a nil client
// and for a MaxSize out of range. It does no I/O.
func NewWithConfig(client *memcache.Client, cfg Config) (*Backend, error) {
	if client == nil {
		return nil, fmt.Errorf("memcached: %w", errNoClient)
	}
	if cfg.MaxSize < 0 || cfg.MaxSize > maxMaxSize {
		return nil, fmt.Errorf("memcached: MaxSize is %d, not from 0 to %d", cfg.MaxSize, maxMaxSize)
	}
	b := New(client)
	if cfg.MaxSize > 0 {
		b.maxSize = cfg.MaxSize
	}
	return b, nil
}
