package redisbackend

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-session2/sessions/backend"
)

// What comes before the data in a value: the time when the record will be
// gone, and its revision.
const (
	expirySize   = 8
	revisionSize = 8
	headerSize   = expirySize + revisionSize
)

// expiry returns the first bytes of a value.
func expiry(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t.UnixMilli()))
}

// encode returns the value that is stored for data, under a new revision.
func encode(data []byte, expires time.Time) []byte {
	value := make([]byte, headerSize+len(data))
	binary.BigEndian.PutUint64(value, uint64(expires.UnixMilli()))
	_, _ = rand.Read(value[expirySize:headerSize])
	copy(value[headerSize:], data)
	return value
}

// decode takes a stored value apart. The parts of the record are parts of it.
func decode(value []byte) (backend.Record, error) {
	if len(value) < headerSize {
		return backend.Record{}, fmt.Errorf("%w: %d bytes are no record", backend.ErrCorrupt, len(value))
	}
	return backend.Record{
		Data:     value[headerSize:],
		Revision: revision(value),
		Expires:  time.UnixMilli(int64(binary.BigEndian.Uint64(value))),
	}, nil
}

// revision returns the revision of a value: random bytes of the program that
// wrote it. Whoever overwrites the value, also a program that knows nothing of
// revisions, writes something else in their place.
func revision(value []byte) backend.Revision {
	return backend.Revision(value[expirySize:headerSize:headerSize])
}
