package sessions

import (
	"slices"
	"sync"
	"time"
)

// maxEnded is how many ended sessions a Manager remembers: some 200 bytes
// each.
const maxEnded = 8192

// ended remembers which sessions were destroyed or regenerated last, by store
// key, and which are about to be. A request that was running then, and loads
// its session only now, finds nothing; it must not take that for a first visit
// and send a cookie that replaces the newer one which the browser has
// meanwhile. And a Destroy that comes just after a Regenerate finds here where
// the session has gone.
//
// Only what this process has ended is known here. The zero value is ready.
type ended struct {
	mu   sync.Mutex
	ends map[string]end
	ring []string // the keys in ends, the oldest at next once it is full
	next int

	// underway are the ends that the store is being asked for, by key: what
	// the session's next key will be, or "" when it is destroyed. They are
	// noted before the store is asked, so that whoever finds a record absent
	// because of them finds them here.
	underway map[string][]string
}

// An end is how a session has ended.
type end struct {
	at   time.Time
	kind endKind
	next string // the key under which it goes on, if it was moved
}

type endKind int

const (
	endNone      endKind = iota // it has not, as far as is known here
	endDeleted                  // removed, unless it was gone already
	endDestroyed                // it was there, and was removed
	endMoved                    // regenerated
)

// begin notes that a session is about to end. The caller must call finish.
func (e *ended) begin(key, next string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.underway == nil {
		e.underway = make(map[string][]string)
	}
	e.underway[key] = append(e.underway[key], next)
}

// finish notes what came of that.
func (e *ended) finish(key, next string, kind endKind) {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := e.underway[key]
	if i := slices.Index(list, next); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 {
		delete(e.underway, key)
	} else {
		e.underway[key] = list
	}
	old, known := e.ends[key]
	switch {
	case kind == endNone, old.kind == endMoved:
		return
	case kind < old.kind:
		kind = old.kind // which is known better
	}
	if e.ends == nil {
		e.ends = make(map[string]end)
	}
	if !known {
		if len(e.ring) < maxEnded {
			e.ring = append(e.ring, key)
		} else {
			delete(e.ends, e.ring[e.next])
			e.ring[e.next] = key
			e.next = (e.next + 1) % maxEnded
		}
	}
	e.ends[key] = end{at: time.Now(), kind: kind, next: next}
}

// since tells whether a session has ended after a time, or is about to.
func (e *ended) since(key string, t time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	x, ok := e.ends[key]
	return ok && !x.at.Before(t) || len(e.underway[key]) > 0
}

// how returns how a session has ended after a time, and the keys under which
// the regenerations that are under way will have it go on if they succeed.
func (e *ended) how(key string, t time.Time) (x end, coming []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if x = e.ends[key]; x.at.Before(t) {
		x = end{}
	}
	for _, next := range e.underway[key] {
		if next != "" {
			coming = append(coming, next)
		}
	}
	return x, coming
}
