package redisbackend

import (
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/go-session2/sessions/backend"
)

// headerSize is the length of what comes before the data in a value: the time
// when the record will be gone.
const headerSize = 8

// header returns the first bytes of a value.
func header(expires time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(expires.UnixMilli()))
}

// encode returns the value that is stored for data.
func encode(data []byte, expires time.Time) []byte {
	value := make([]byte, 0, headerSize+len(data))
	value = binary.BigEndian.AppendUint64(value, uint64(expires.UnixMilli()))
	return append(value, data...)
}

// decode takes a stored value apart. The data is a part of it.
func decode(value []byte) (data []byte, expires time.Time, err error) {
	if len(value) < headerSize {
		return nil, time.Time{}, fmt.Errorf("%w: %d bytes are no record", backend.ErrCorrupt, len(value))
	}
	return value[headerSize:], time.UnixMilli(int64(binary.BigEndian.Uint64(value))), nil
}

// revision returns the revision of a record with this data: the data itself,
// which costs nothing, unless it is so short that it could be taken for a
// digest; then its digest.
//
// The digest is SHA-1 because that is what a Redis script can compute. It
// tells apart the states that honest programs have written; nothing is kept
// secret or authentic by it.
func revision(data []byte) backend.Revision {
	if len(data) > sha1.Size {
		return backend.Revision(data)
	}
	sum := sha1.Sum(data)
	return sum[:]
}

// digest returns a revision's digest as scripts compute it. For what is no
// revision of this package it returns "", which no data has.
func digest(base backend.Revision) string {
	switch {
	case len(base) > sha1.Size:
		sum := sha1.Sum(base)
		return hex.EncodeToString(sum[:])
	case len(base) == sha1.Size:
		return hex.EncodeToString(base)
	}
	return ""
}
