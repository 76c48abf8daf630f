package datastorebackend

import (
	"context"
	"sync"
)

// turns makes the transactions of one process on one record take turns. A
// database needs no such help to be right, but it makes rivals pay: in an
// optimistic one the later does its work twice, and in a pessimistic one two
// that have read the record wait for each other until the database gives one
// up.
type turns struct {
	mu      sync.Mutex
	records map[string]*turn
}

type turn struct {
	taken chan struct{} // full while a transaction runs
	users int           // transactions that run or wait
}

// take waits for the turn of a transaction on the record under key. The
// function returned ends it.
func (t *turns) take(ctx context.Context, key string) (end func(), err error) {
	t.mu.Lock()
	r := t.records[key]
	if r == nil {
		if t.records == nil {
			t.records = make(map[string]*turn)
		}
		r = &turn{taken: make(chan struct{}, 1)}
		t.records[key] = r
	}
	r.users++
	t.mu.Unlock()

	select {
	case r.taken <- struct{}{}:
		return func() {
			<-r.taken
			t.leave(key, r)
		}, nil
	case <-ctx.Done():
		t.leave(key, r)
		return nil, ctx.Err()
	}
}

func (t *turns) leave(key string, r *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.users--; r.users == 0 {
		delete(t.records, key)
	}
}
