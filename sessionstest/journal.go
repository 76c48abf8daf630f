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
		j.created(key)
	}
	return rev, err
}

// Delete is how a session is destroyed, and how the old record goes when it
// is regenerated.
func (j *journal) Delete(ctx context.Context, key string, base backend.Revision) error {
	err := j.Backend.Delete(ctx, key, base)
	if err == nil {
		j.deleted(key)
	}
	return err
}

func (j *journal) created(key string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.live[key], j.newest = true, key
}

// deleted notes the end of a record: of a regeneration if a newer one was
// created just before.
func (j *journal) deleted(key string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.live[key] {
		delete(j.live, key)
		if j.newest != "" && j.newest != key {
			j.regenerated = true
		} else {
			j.destroyed = true
		}
	}
}

// Indexed returns a view whose records the journal remembers as well.
func (j *journal) Indexed(owner string) (backend.Index, error) {
	ix, err := j.Backend.Indexed(owner)
	return journalIndex{ix, j}, err
}

// A journalIndex is the view of a journal for an owner.
type journalIndex struct {
	backend.Index
	j *journal
}

func (v journalIndex) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	rev, err := v.Index.Create(ctx, key, data, ttl)
	if err == nil {
		v.j.created(key)
	}
	return rev, err
}

func (v journalIndex) Delete(ctx context.Context, key string, base backend.Revision) error {
	err := v.Index.Delete(ctx, key, base)
	if err == nil {
		v.j.deleted(key)
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
