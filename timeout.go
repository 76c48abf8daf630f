package sessions

import (
	"context"
	"sync"
	"time"
)

// A timeout is a context that ends after a while, as that of
// context.WithTimeout does. But it makes its timer only when somebody waits
// for its end: a store that answers at once never does.
type timeout struct {
	parent context.Context
	until  time.Time

	mu     sync.Mutex
	real   context.Context // once Done was called
	cancel context.CancelFunc
	err    error // until then
}

// newTimeout returns a context that ends with its parent or after d. The
// caller must call end.
func newTimeout(parent context.Context, d time.Duration) *timeout {
	t := &timeout{parent: parent, until: time.Now().Add(d)}
	if earlier, ok := parent.Deadline(); ok && earlier.Before(t.until) {
		t.until = earlier
	}
	return t
}

// Deadline implements [context.Context].
func (t *timeout) Deadline() (time.Time, bool) { return t.until, true }

// Done implements [context.Context].
func (t *timeout) Done() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.real == nil {
		t.real, t.cancel = context.WithDeadline(t.parent, t.until)
		if t.err != nil {
			t.cancel()
		}
	}
	return t.real.Done()
}

// Err implements [context.Context].
func (t *timeout) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.err != nil:
	case t.real != nil:
		return t.real.Err()
	case t.parent.Err() != nil:
		t.err = t.parent.Err()
	case !time.Now().Before(t.until):
		t.err = context.DeadlineExceeded
	}
	return t.err
}

// Value implements [context.Context].
func (t *timeout) Value(key any) any {
	t.mu.Lock()
	from := t.parent
	if t.real != nil {
		from = t.real // by which package context knows it as one of its own
	}
	t.mu.Unlock()
	return from.Value(key)
}

// end ends the context, if it has not ended yet.
func (t *timeout) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancel != nil {
		t.cancel()
	} else if t.err == nil {
		t.err = context.Canceled
	}
}
