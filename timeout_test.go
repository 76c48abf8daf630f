package sessions

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"
)

func TestTimeout(t *testing.T) {
	type ctxKey struct{}
	background := context.WithValue(t.Context(), ctxKey{}, "value")
	hour := time.Now().Add(time.Hour)

	// What package context makes of it, for every way to end.
	for name, test := range map[string]struct {
		parent func() (context.Context, context.CancelFunc)
		after  time.Duration
		end    bool
		want   error
	}{
		"it has not":     {nil, time.Hour, false, nil},
		"end":            {nil, time.Hour, true, context.Canceled},
		"time":           {nil, -1, false, context.DeadlineExceeded},
		"time, then end": {nil, -1, true, context.DeadlineExceeded},
		"parent": {func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(background)
			cancel()
			return ctx, cancel
		}, time.Hour, false, context.Canceled},
		"parent's time": {func() (context.Context, context.CancelFunc) {
			return context.WithDeadline(background, hour.Add(-2*time.Hour))
		}, time.Hour, false, context.DeadlineExceeded},
	} {
		for _, waits := range []bool{false, true} { // before it ends
			parent := background
			if test.parent != nil {
				var cancel context.CancelFunc
				parent, cancel = test.parent()
				defer cancel()
			}
			ctx := newTimeout(parent, test.after)
			child, stop := context.Context(ctx), context.CancelFunc(func() {})
			if waits {
				child, stop = context.WithCancel(ctx)
			}
			_ = ctx.Err() // what it says first, it says for ever
			if test.end {
				ctx.end()
			}
			if err := ctx.Err(); !errors.Is(err, test.want) || test.want == nil && err != nil {
				t.Errorf("%s: Err is %v, want %v", name, err, test.want)
			}
			if ctx.Value(ctxKey{}) != "value" || child.Value(ctxKey{}) != "value" {
				t.Errorf("%s: no value", name)
			}
			if test.want != nil {
				<-child.Done()
				<-ctx.Done()
				if err := child.Err(); err == nil {
					t.Errorf("%s: the child has no error", name)
				}
			}
			stop()
			ctx.end()
			<-ctx.Done()
			if ctx.Err() == nil {
				t.Errorf("%s: no error at the end", name)
			}
		}
	}
}

// TestTimeoutDeadline has a parent that ends later, and one that ends earlier.
func TestTimeoutDeadline(t *testing.T) {
	start := time.Now()
	later, cancel := context.WithDeadline(t.Context(), start.Add(2*time.Hour))
	defer cancel()
	if at, ok := newTimeout(later, time.Hour).Deadline(); !ok || at.Before(start.Add(time.Hour)) || !at.Before(start.Add(2*time.Hour)) {
		t.Errorf("the deadline is in %v", at.Sub(start))
	}
	if at, ok := newTimeout(later, 3*time.Hour).Deadline(); !ok || !at.Equal(start.Add(2*time.Hour)) {
		t.Errorf("the deadline is in %v", at.Sub(start))
	}
}

// TestTimeoutCosts says that a context nobody waits for has no timer, and that
// package context takes it for one of its own, which needs no goroutine.
func TestTimeoutCosts(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		ctx := newTimeout(context.Background(), time.Hour)
		if ctx.Err() != nil {
			t.Error(ctx.Err())
		}
		ctx.end()
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
	parent, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := runtime.NumGoroutine()
	for range 100 {
		ctx := newTimeout(parent, time.Hour)
		defer ctx.end()
		child, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(child, func() {})()
	}
	if n := runtime.NumGoroutine(); n > before+50 { // other tests run as well
		t.Errorf("%d goroutines more", n-before)
	}
}
