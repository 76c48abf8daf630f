package gatetest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/go-session2/sessions/backend"
)

// The scripts that races are made of.
var (
	regenerators = [][]step{
		{{verb: regenerate}},
		{{verb: read}, {set, "c"}, {verb: regenerate}, {update, "c"}},
	}
	enders = append(slices.Clone(regenerators),
		[]step{{verb: destroy}},
		[]step{{verb: read}, {verb: destroy}},
		[]step{{verb: regenerate}, {verb: destroy}},
	)
	writers = [][]step{
		{{verb: read}},
		{{set, "a"}},
		{{verb: read}, {update, "b"}, {verb: save}, {update, "b"}},
		{{remove, "a"}, {remove, "b"}},
		{{verb: empty}, {set, "c"}},
	}
)

// races returns a check that lets a request of the first kind race with one of
// the second, in one process and in two, and in half of the schedules with a
// third one that ends the session or writes to it as well.
func races(first, second [][]step) func(*testing.T, backend.Backend, Options) {
	var plans []plan
	for _, x := range first {
		for _, y := range second {
			for process := range processes {
				for _, refresh := range []bool{false, true} {
					plans = append(plans, plan{browsers: 1, refresh: refresh, visits: []visit{
						{script: x}, {script: y, process: process},
					}})
				}
			}
		}
	}
	third := slices.Concat(enders, writers)
	return func(t *testing.T, b backend.Backend, o Options) {
		o.Schedules = max(1, o.Schedules/2)
		many(t, o, 1, func(rng *rand.Rand) plan {
			p := plans[rng.IntN(len(plans))]
			if rng.IntN(2) == 0 {
				p.visits = append(slices.Clone(p.visits), visit{script: third[rng.IntN(len(third))]})
			}
			return p
		}, b)
	}
}
