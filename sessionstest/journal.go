package sessionstest

import (
	"context"
	"sync"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/memorybackend"
)

// A journal is a store in memory that remembers what became of the records
// during a request.
type journal struct {
	*memorybackend.Backend

	mu          sync.Mutex
	live        map[string]bool // the keys of all records
	newest      string          // the key that this request has created last
	regenerated bool
	destroyed   bool
}

func newJournal() (*journal, error) {
	mem, err := memorybackend.New(memorybackend.Config{})
	return &journal{Backend: mem, live: make(map[string]bool)}, err
}

func (j *journal) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	rev, err := j.Backend.Create(ctx, key, data, ttl)
	if err == nil {
		j.mu.Lock()
		j.live[key], j.newest = true, key
		j.mu.Unlock()
	}
	return rev, err
}

// Delete is how a session is destroyed, and how the old record goes when it
// is regenerated: then a newer one was created just before.
func (j *journal) Delete(ctx context.Context, key string, base backend.Revision) error {
	err := j.Backend.Delete(ctx, key, base)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil && j.live[key] {
		delete(j.live, key)
		if j.newest != "" && j.newest != key {
			j.regenerated = true
		} else {
			j.destroyed = true
		}
	}
	return err
}

// restart begins another request.
func (j *journal) restart() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.newest, j.regenerated, j.destroyed = "", false, false
}

// fate tells what has happened since restart.
func (j *journal) fate() (regenerated, destroyed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.regenerated, j.destroyed
}
