package gatetest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// The environment variables that say how much to do.
const (
	// seedVar is the seed of the first schedule. The default is the time.
	seedVar = "SESSIONS_GATE_SEED"
	// schedulesVar is the number of schedules of each gate on each store.
	schedulesVar = "SESSIONS_GATE_SCHEDULES"
	// longVar multiplies that number by 50.
	longVar = "SESSIONS_LONG"
)

// Options say how fast a store is.
type Options struct {
	// Schedules is how many random schedules G1 runs, unless the environment
	// says it; the other gates derive their numbers from it. The default is
	// 2000.
	Schedules int

	// Workers is how many schedules run at a time. The default is 8.
	Workers int

	// Patience is how long the scheduler waits for a request that it has let
	// go on, and which may be waiting for another one. The default is 50 ms.
	Patience time.Duration

	// Writers is how many requests of one session run at once in G2 and G3.
	// The default is 200.
	Writers int
}

func (o Options) complete() Options {
	if o.Schedules == 0 {
		o.Schedules = 2000
	}
	if os.Getenv(longVar) == "1" {
		o.Schedules *= 50
	}
	if n, err := strconv.Atoi(os.Getenv(schedulesVar)); err == nil && n > 0 {
		o.Schedules = n
	}
	if o.Workers == 0 {
		o.Workers = 8
	}
	if o.Patience == 0 {
		o.Patience = 50 * time.Millisecond
	}
	if o.Writers == 0 {
		o.Writers = 200
	}
	return o
}

// A Gate is one promise and its test.
type Gate struct {
	ID, Title string
	Check     func(t *testing.T, b backend.Backend, o Options)
}

// Gates returns all gates.
func Gates() []Gate {
	return []Gate{
		{"G1", "no resurrection", noResurrection},
		{"G2", "no lost updates", noLostUpdates},
		{"G3", "atomic update", atomicUpdate},
		{"G4", "strict IDs", strictIDs},
		{"G11", "no escape", noEscape},
		{"C10", "gone is final", races(enders, writers)},
		{"C11", "regenerate fences", races(regenerators, writers)},
		{"C12", "one winner", races(enders, enders)},
	}
}

// Run runs a gate on a store.
func (g Gate) Run(t *testing.T, b backend.Backend, o Options) { g.Check(t, b, o.complete()) }

// seed returns the seed of the first schedule.
func seed(t testing.TB) uint64 {
	if v := os.Getenv(seedVar); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", seedVar, err)
		}
		return n
	}
	return uint64(time.Now().UnixNano())
}

// noResurrection runs random schedules.
func noResurrection(t *testing.T, b backend.Backend, o Options) { many(t, o, 0, random, b) }

// many runs o.Schedules plans until one fails.
func many(t *testing.T, o Options, stream uint64, draw func(*rand.Rand) plan, b backend.Backend) {
	first := seed(t)
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range o.Workers {
		wg.Go(func() {
			for !t.Failed() {
				i := next.Add(1) - 1
				if i >= uint64(o.Schedules) {
					return
				}
				rng := rand.New(rand.NewPCG(first+i, stream))
				if err := run(b, draw(rng), rng.IntN, o.Patience); err != nil {
					t.Errorf("schedule %d fails; run it alone with %s=%d %s=1\n%v", i, seedVar, first+i, schedulesVar, err)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d schedules from seed %d", o.Schedules, first)
}
