package memcachedbackend

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/go-session2/sessions/backend"
)

const (
	// headerSize is the length of what comes before the data in a value: the
	// time when the record will be gone.
	headerSize = 8

	// maxRelative is the longest expiry, in seconds, that memcached does not
	// take for a time (protocol.txt, "Expiration times").
	maxRelative = 30 * 24 * 60 * 60

	// expired is an expiry that makes an item vanish at once.
	expired = -1
)

var errNoCAS = errors.New("the server has no CAS numbers: start it without -C")

// value returns the value that is stored for data.
func (b *Backend) value(data []byte, expires time.Time) []byte {
	if b.flask() {
		return data
	}
	return encode(data, expires)
}

// encode returns the value that is stored for data in the layout of this
// package.
func encode(data []byte, expires time.Time) []byte {
	value := make([]byte, 0, headerSize+len(data))
	value = binary.BigEndian.AppendUint64(value, uint64(expires.UnixMilli()))
	return append(value, data...)
}

// expiration returns what memcached is told about when an item ends. It is at
// least one second more than asked for: the clock of memcached, which ticks
// once a second, may be that much behind when a number of seconds is added to
// it, and ahead of the time when it is compared with one.
func expiration(expires, now time.Time) int32 {
	if ttl := ceilSeconds(expires.Sub(now)) + 1; ttl <= maxRelative {
		return int32(ttl)
	}
	if at := expires.Unix() + 2; at <= math.MaxInt32 {
		return int32(at)
	}
	return 0
}

func ceilSeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// An entry is a stored item.
type entry struct {
	item    *memcache.Item
	header  int       // the length of what comes before the data
	expires time.Time // zero in the layouts of Flask
}

func (b *Backend) decode(item *memcache.Item) (*entry, error) {
	if item.CasID == 0 {
		return nil, errNoCAS
	}
	if b.flask() {
		return &entry{item: item}, nil
	}
	if len(item.Value) < headerSize {
		return nil, fmt.Errorf("%w: %d bytes are no record", backend.ErrCorrupt, len(item.Value))
	}
	return &entry{item, headerSize, time.UnixMilli(int64(binary.BigEndian.Uint64(item.Value)))}, nil
}

func (e *entry) data() []byte { return e.item.Value[e.header:] }

// ended reports whether the record has expired and memcached could not be told
// when it would.
func (e *entry) ended(now time.Time) bool {
	return e.expires.Unix() > math.MaxInt32-2 && !now.Before(e.expires)
}

// until returns the item with another expiry.
func (e *entry) until(expires, now time.Time) *memcache.Item {
	binary.BigEndian.PutUint64(e.item.Value, uint64(expires.UnixMilli()))
	e.item.Expiration = expiration(expires, now)
	return e.item
}

// grave returns an item that removes this one when it takes its place.
func (e *entry) grave() *memcache.Item {
	g := grave(e.item.Key)
	g.CasID = e.item.CasID
	return g
}

func grave(key string) *memcache.Item { return &memcache.Item{Key: key, Expiration: expired} }

// A revision is the CAS number, 8 bytes big-endian, or 0 where it is not
// known, and then the data. In the layout of this package it uses the memory
// of the value in which the data came, whose expiry nobody needs any more.

func (b *Backend) revision(value []byte, number uint64) backend.Revision {
	if b.flask() {
		value = append(make([]byte, headerSize, headerSize+len(value)), value...)
	}
	return revision(value, number)
}

func (b *Backend) revisionOf(e *entry) backend.Revision {
	return b.revision(e.item.Value, e.item.CasID)
}

// revision makes a value that has a header its record's revision.
func revision(value []byte, number uint64) backend.Revision {
	binary.BigEndian.PutUint64(value, number)
	return value
}

// parse takes a revision apart. The data is nil when it is none.
func parse(base backend.Revision) (data []byte, number uint64) {
	if len(base) < headerSize {
		return nil, 0
	}
	return base[headerSize:], binary.BigEndian.Uint64(base)
}
