package memorybackend

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-session2/sessions/backend"
)

var _ backend.Indexer = (*Backend)(nil)

// Indexed implements [backend.Indexer]. It returns no error.
func (b *Backend) Indexed(owner string) (backend.Index, error) {
	return view{Backend: b, owner: strings.Clone(owner)}, nil
}

// A view writes records for an owner. No other process could see a record
// that is not in the index yet, and a Create has not returned then.
type view struct {
	*Backend
	owner string
}

func (v view) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	rev, err := v.Backend.Create(ctx, key, data, ttl)
	if err == nil {
		v.own(key)
	}
	return rev, err
}

func (v view) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	rev, err := v.Backend.Update(ctx, key, data, ttl, base)
	if err == nil {
		v.own(key)
	}
	return rev, err
}

func (v view) Touch(ctx context.Context, key string, ttl time.Duration) error {
	err := v.Backend.Touch(ctx, key, ttl)
	if err == nil {
		v.own(key)
	}
	return err
}

// own enters a record into the index unless it is gone again. What removes a
// record holds the same lock, so none stays in the index that is not there.
func (v view) own(key string) {
	s := v.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.live(key, v.nano()); err == nil {
		v.index.add(v.owner, key)
	}
}

// Owned implements [backend.Index]. Errors: [backend.ErrClosed], those of the
// context.
func (v view) Owned(ctx context.Context) (keys []string, err error) {
	if err := v.ready(ctx, "list by owner"); err != nil {
		return nil, err
	}
	for ctx.Err() == nil {
		now, moved := v.nano(), false
		for _, key := range v.index.of(v.owner) {
			s := v.shard(key)
			s.mu.RLock()
			_, err := s.live(key, now)
			s.mu.RUnlock()
			if err == nil {
				keys = append(keys, key)
			} else if !v.index.has(key) { // it has not expired, but was deleted
				moved = true
			}
		}
		if !moved {
			return keys, nil
		}
		keys = nil // one that has come in its place may be missing
	}
	return nil, failed("list by owner", ctx.Err())
}

// An index knows the owners of records. The zero value is empty. Whoever adds
// or removes a key holds the lock of its shard.
type index struct {
	used   atomic.Bool // so that who has no owners needs no lock
	mu     sync.Mutex
	owners map[string]string              // by key
	keys   map[string]map[string]struct{} // by owner
}

func (x *index) add(owner, key string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.owners == nil {
		x.owners, x.keys = make(map[string]string), make(map[string]map[string]struct{})
		x.used.Store(true)
	}
	if x.owners[key] == owner {
		return
	}
	key = strings.Clone(key)
	x.removeLocked(key)
	x.owners[key] = owner
	if x.keys[owner] == nil {
		x.keys[owner] = make(map[string]struct{})
	}
	x.keys[owner][key] = struct{}{}
}

// remove forgets a record that is gone.
func (x *index) remove(key string) {
	if !x.used.Load() {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.removeLocked(key)
}

func (x *index) removeLocked(key string) {
	owner, ok := x.owners[key]
	if !ok {
		return
	}
	delete(x.owners, key)
	delete(x.keys[owner], key)
	if len(x.keys[owner]) == 0 {
		delete(x.keys, owner)
	}
}

func (x *index) has(key string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, ok := x.owners[key]
	return ok
}

func (x *index) of(owner string) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	keys := make([]string, 0, len(x.keys[owner]))
	for key := range x.keys[owner] {
		keys = append(keys, key)
	}
	return keys
}

func (x *index) clear() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.owners, x.keys = nil, nil
}
