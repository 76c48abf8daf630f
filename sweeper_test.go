package sessions

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-session2/sessions/backend/memorybackend"
)

// A slowSweep takes a time to remove a batch.
type slowSweep struct {
	*memorybackend.Backend
	takes time.Duration
}

func (s slowSweep) Sweep(ctx context.Context, limit int) (int, error) {
	time.Sleep(s.takes)
	return s.Backend.Sweep(ctx, limit)
}

// TestSweepPauses sweeps two full batches and a part of one: requests get as
// much time of the store as the sweep takes, but it goes on after a second.
func TestSweepPauses(t *testing.T) {
	for takes, pause := range map[time.Duration]time.Duration{
		10 * time.Millisecond: 10 * time.Millisecond,
		time.Minute:           maxSweepPause,
	} {
		synctest.Test(t, func(t *testing.T) {
			mem, err := memorybackend.New(memorybackend.Config{})
			if err != nil {
				t.Fatal(err)
			}
			m, err := NewManager(Config{Backend: slowSweep{mem, takes}, SweepInterval: -1})
			if err != nil {
				t.Fatal(err)
			}
			const n = 2*sweepBatch + 1
			fill := func() {
				for i := range n {
					if _, err := mem.Create(t.Context(), fmt.Sprint(i), nil, time.Second); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Second)
			}
			fill()
			begin := time.Now()
			if removed, err := m.Sweep(t.Context()); removed != n || err != nil {
				t.Errorf("removed %d, %v", removed, err)
			}
			if took := time.Since(begin); took != 3*takes+2*pause {
				t.Errorf("three batches of %v took %v, want two pauses of %v", takes, took, pause)
			}

			fill()
			ctx, cancel := context.WithTimeout(t.Context(), takes+pause/2) // in the first pause
			defer cancel()
			if removed, err := m.Sweep(ctx); removed != sweepBatch || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("interrupted in a pause: removed %d, %v", removed, err)
			}
		})
	}
}
