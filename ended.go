package sessions

import (
	"sync"
	"time"
)

// maxEnded is how many ended sessions a Manager remembers: some 100 bytes
// each.
const maxEnded = 8192

// ended remembers which sessions were destroyed or regenerated last, by store
// key. A request that was running then, and loads its session only now, finds
// nothing; it must not take that for a first visit and send a cookie that
// replaces the newer one which the browser has meanwhile.
//
// Only what this process has ended is known here. The zero value is ready.
type ended struct {
	mu   sync.Mutex
	at   map[string]time.Time
	ring []string // the keys in at, the oldest at next once it is full
	next int
}

func (e *ended) add(key string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.at == nil {
		e.at = make(map[string]time.Time)
	}
	if _, ok := e.at[key]; !ok {
		if len(e.ring) < maxEnded {
			e.ring = append(e.ring, key)
		} else {
			delete(e.at, e.ring[e.next])
			e.ring[e.next] = key
			e.next = (e.next + 1) % maxEnded
		}
	}
	e.at[key] = time.Now()
}

// since tells whether a session has ended after a time.
func (e *ended) since(key string, t time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, ok := e.at[key]
	return ok && !at.Before(t)
}
