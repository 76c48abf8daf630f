package filebackend

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/go-session2/sessions/backend"
)

// The layout of a session file; the package comment describes it.
const (
	magic       = "gosess\x00\x01"
	sumAt       = len(magic)
	expiryAt    = sumAt + 4
	keyLengthAt = expiryAt + 8
	keyAt       = keyLengthAt + 4
	lengthSize  = 4
	overhead    = keyAt + lengthSize

	// maxKey is how long a key may be, in bytes.
	maxKey = 64 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A record is the content of a session file.
type record struct {
	key     string
	data    []byte
	expires int64 // milliseconds since 1970

	// revision is the data with its length before it, as the file has them:
	// so it is never empty, which would be the zero revision.
	revision backend.Revision
}

// encode returns the file of a record.
func encode(key string, data []byte, expires int64) []byte {
	buf := make([]byte, keyAt, overhead+len(key)+len(data))
	copy(buf, magic)
	binary.BigEndian.PutUint64(buf[expiryAt:], uint64(expires))
	binary.BigEndian.PutUint32(buf[keyLengthAt:], uint32(len(key)))
	buf = append(buf, key...)
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(data)))
	buf = append(buf, data...)
	binary.BigEndian.PutUint32(buf[sumAt:], checksum(buf))
	return buf
}

// decode returns the record in a file, which keeps parts of buf, or
// ErrCorrupt.
func decode(buf []byte) (*record, error) {
	h, err := decodeHead(buf)
	if err != nil {
		return nil, err
	}
	rest := buf[keyAt:]
	if uint64(len(rest)) < uint64(h.keyLength)+lengthSize {
		return nil, corrupt("it is too short")
	}
	key, rest := rest[:h.keyLength], rest[h.keyLength:]
	data := rest[lengthSize:]
	if uint64(binary.BigEndian.Uint32(rest)) != uint64(len(data)) {
		return nil, corrupt("its length is wrong")
	}
	if binary.BigEndian.Uint32(buf[sumAt:]) != checksum(buf) {
		return nil, corrupt("its checksum is wrong")
	}
	return &record{key: string(key), data: data, expires: h.expires, revision: backend.Revision(rest)}, nil
}

// revisionOf returns the revision of the record in a file that encode made.
func revisionOf(file []byte, key string) backend.Revision {
	return backend.Revision(file[keyAt+len(key):])
}

// A head is the fields before the key.
type head struct {
	expires   int64
	keyLength uint32
}

// decodeHead returns the first fields of a file, unchecked but for the magic
// bytes.
func decodeHead(buf []byte) (head, error) {
	if len(buf) < keyAt {
		return head{}, corrupt("it is too short")
	}
	if string(buf[:len(magic)]) != magic {
		return head{}, corrupt("it is no session file, or of another version")
	}
	return head{
		expires:   int64(binary.BigEndian.Uint64(buf[expiryAt:])),
		keyLength: binary.BigEndian.Uint32(buf[keyLengthAt:]),
	}, nil
}

// checksum returns the CRC-32C of all bytes but the field for it.
func checksum(buf []byte) uint32 {
	return crc32.Update(crc32.Checksum(buf[:sumAt], castagnoli), castagnoli, buf[expiryAt:])
}

func corrupt(why string) error { return fmt.Errorf("%w: %s", backend.ErrCorrupt, why) }

// deadline returns the end of a time to live in milliseconds, rounded up.
func deadline(now time.Time, ttl time.Duration) int64 {
	return now.Add(ttl + time.Millisecond - time.Nanosecond).UnixMilli()
}

// nameLength is the length of the name of a session file.
const nameLength = 2 * sha256.Size

// fileName returns the name of the file for a key.
func fileName(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// isFileName reports whether a session file can have the name.
func isFileName(name string) bool {
	if len(name) != nameLength {
		return false
	}
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
