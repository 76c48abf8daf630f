package gatetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A verb is what a script does, or what an event was.
type verb int

const (
	load verb = iota
	read
	set
	update
	remove
	empty
	save
	regenerate
	destroy
)

func (v verb) String() string {
	return [...]string{"load", "read", "set", "update", "delete", "clear", "save", "regenerate", "destroy"}[v]
}

// A step is a verb with the key that it is about, if any.
type step struct {
	verb verb
	key  string
}

func (s step) String() string { return strings.TrimSpace(s.verb.String() + " " + s.key) }

// A visit is one request of a plan.
type visit struct {
	browser int
	process int
	script  []step
	late    bool // the last step comes after the response's header
}

// A plan is what happens in a schedule, without the order.
type plan struct {
	browsers int
	shared   bool // they have the same cookie
	refresh  bool // RefreshAlways
	visits   []visit
}

func (p plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d browsers, shared cookie: %v, refresh always: %v", p.browsers, p.shared, p.refresh)
	for i, v := range p.visits {
		fmt.Fprintf(&b, "\n  request %d: browser %d, process %d, late: %v, %v", i, v.browser, v.process, v.late, v.script)
	}
	return b.String()
}

var weights = []struct {
	verb   verb
	weight int
}{{read, 3}, {set, 4}, {update, 5}, {remove, 2}, {empty, 1}, {save, 3}, {regenerate, 4}, {destroy, 3}}

// random returns a plan of three to six requests.
func random(rng *rand.Rand) plan {
	total := 0
	for _, w := range weights {
		total += w.weight
	}
	p := plan{browsers: 1 + rng.IntN(2), shared: rng.IntN(2) == 0, refresh: rng.IntN(2) == 0}
	processes := 1 + rng.IntN(2)
	for range 3 + rng.IntN(4) {
		v := visit{browser: rng.IntN(p.browsers), process: rng.IntN(processes), late: rng.IntN(8) == 0}
		for range 1 + rng.IntN(4) {
			n := rng.IntN(total)
			for _, w := range weights {
				if n -= w.weight; n < 0 {
					v.script = append(v.script, step{w.verb, string("abc"[rng.IntN(3)])})
					break
				}
			}
		}
		p.visits = append(p.visits, v)
	}
	return p
}
