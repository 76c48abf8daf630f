package redisbackend

import (
	"fmt"

	"github.com/redis/go-redis/v9"
)

// MaxDataSize is how many bytes of data a Redis value can hold: the 512 MiB
// of a Redis string, less the 8 bytes of the expiry. A server whose
// proto-max-bulk-len is lower takes less; see [Config].
const MaxDataSize = 512<<20 - headerSize

// A Config holds what can be set about a Backend. The zero value is useful.
type Config struct {
	// MaxSize is the size of the data of a record, in bytes, above which
	// Create and Update return ErrTooLarge without asking the server.
	// Default, and most: MaxDataSize.
	MaxSize int
}

// NewWithConfig is [New] with options. It returns an error for a client that
// cannot be used and for a MaxSize out of range. It does no I/O.
func NewWithConfig(client redis.UniversalClient, cfg Config) (*Backend, error) {
	b := New(client)
	if b.invalid != nil {
		return nil, b.invalid
	}
	if cfg.MaxSize < 0 || cfg.MaxSize > MaxDataSize {
		return nil, fmt.Errorf("redis: MaxSize is %d, not from 0 to %d", cfg.MaxSize, MaxDataSize)
	}
	if cfg.MaxSize > 0 {
		b.maxSize = cfg.MaxSize
	}
	return b, nil
}
