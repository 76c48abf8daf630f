package memorybackend

import (
	"bytes"
	"math"
	"sync"

	"github.com/go-session2/sessions/backend"
)

// A record is what is stored under a key. Its data never changes, so that it
// is its own revision.
type record struct {
	data    []byte
	expires int64 // in nanoseconds since 1970
}

// at reports whether the record is at a revision. When nothing was changed
// both are the same slice, which bytes.Equal sees without comparing.
func (r record) at(rev backend.Revision) bool { return rev != nil && bytes.Equal(r.data, rev) }

// A shard is a part of the records. Its methods other than open and close
// need its lock.
type shard struct {
	mu      sync.RWMutex
	records map[string]record // nil when closed

	// earliest is not after the expiry of any record, so that a shard in
	// which nothing can have expired need not be searched.
	earliest int64
}

func (s *shard) open() {
	s.records = make(map[string]record)
	s.earliest = math.MaxInt64
}

func (s *shard) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = nil
}

// live returns the record under key unless it has expired.
func (s *shard) live(key string, now int64) (record, error) {
	if s.records == nil {
		return record{}, backend.ErrClosed
	}
	r, ok := s.records[key]
	if !ok || r.expires <= now {
		return record{}, backend.ErrNotFound
	}
	return r, nil
}

// put stores a record.
func (s *shard) put(key string, r record) {
	s.records[key] = r
	s.earliest = min(s.earliest, r.expires)
}

// sweep removes at most limit expired records and returns how many.
func (s *shard) sweep(now int64, limit int, x *index) (removed int) {
	if s.earliest > now {
		return 0
	}
	earliest := int64(math.MaxInt64)
	for key, r := range s.records {
		if r.expires > now {
			earliest = min(earliest, r.expires)
			continue
		}
		if removed == limit {
			return removed // and earliest stays, as there is more to remove
		}
		delete(s.records, key)
		x.remove(key)
		removed++
	}
	s.earliest = earliest
	return removed
}
