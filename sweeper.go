package sessions

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"math/big"
	"sync"
	"time"

	"github.com/go-session2/sessions/backend"
)

// sweepBatch is how many expired records are removed at a time.
const sweepBatch = 1000

// maxSweepPause is the longest pause between two batches.
const maxSweepPause = time.Second

// Sweep removes the expired sessions from a store that does not do so by
// itself and returns how many it removed; for other stores it does nothing.
// It removes 1000 at a time and then pauses for as long as that took, a second
// at most, so that requests need not wait for all of it. Several processes may
// sweep one store at once.
func (m *Manager) Sweep(ctx context.Context) (removed int, err error) {
	b, ok := m.plain.(backend.Sweeper)
	if !ok {
		return 0, nil
	}
	began := time.Now()
	for {
		start := time.Now()
		n, err := b.Sweep(ctx, sweepBatch)
		m.observe(ctx, "sweep", "", start, err)
		removed += n
		if err == nil && n >= sweepBatch {
			// SQLite lets one write at a time, and those that wait ask again
			// after a while: without a pause they waited for seconds.
			select {
			case <-time.After(min(time.Since(start), maxSweepPause)):
				continue
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		err = storeError("sweep", err)
		m.swept(ctx, removed, time.Since(began), err)
		return removed, err
	}
}

// A sweeper sweeps in the background until it is stopped.
type sweeper struct {
	cancel context.CancelFunc
	done   chan struct{}
	once   sync.Once
}

func startSweeper(m *Manager) *sweeper {
	ctx, cancel := context.WithCancel(context.Background())
	s := &sweeper{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(jitter(m.cfg.SweepInterval)):
			}
			if _, err := m.Sweep(ctx); err != nil && !errors.Is(err, context.Canceled) {
				m.log(ctx, "session sweep failed", "", err)
			}
		}
	}()
	return s
}

// stop ends the sweeping and waits until it has ended.
func (s *sweeper) stop() {
	s.once.Do(s.cancel)
	<-s.done
}

// jitter returns d give or take a tenth, so that processes that were started
// together do not sweep together.
func jitter(d time.Duration) time.Duration {
	fifth := int64(d / 5)
	if fifth == 0 || d > math.MaxInt64/2 { // too short to tell, or too long to add to
		return d
	}
	n, err := rand.Int(rand.Reader, big.NewInt(fifth))
	if err != nil {
		return d
	}
	return d - d/10 + time.Duration(n.Int64())
}
