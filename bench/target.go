package main

import (
	"fmt"
	"strings"
)

// A target is what the library is to reach, and what it has reached.
type target struct {
	text     string
	goal     string
	measured string // "" when the part was not run
	met      bool

	// contender and scenario are of which a profile tells why it is missed;
	// scenario is -1 when there is none.
	contender string
	scenario  int
}

// The targets against the handler written by hand: requests per second, at
// least, and CPU time of the server, at most.
var httpTargets = []struct {
	scenario   int
	ratio, cpu float64 // 0: none
}{
	{untouched, 0.95, 0},
	{untouchedCookie, 0.95, 0},
	{readOne, 1.3, 0.75},
	{increment, 1.5, 0.65},
	{create, 1.3, 0.75},
	{readBig, 1.15, 0.8},
}

func (r results) httpTargets() (list []target) {
	cells := r["http"].Cells
	add := func(row string, scenario int, figure string, goal float64, least bool) {
		name, beside, direct := strings.Cut(row, " / ")
		if !direct {
			c, _ := contenderNamed(name)
			beside = c.reference
		}
		t := target{contender: name, scenario: scenario, goal: fmt.Sprintf("≥ %.2f", goal)}
		t.text = fmt.Sprintf("%s beside %s, %s: requests per second", name, beside, scenarios[scenario].name)
		if !least {
			t.goal = fmt.Sprintf("≤ %.2f", goal)
			t.text = fmt.Sprintf("%s beside %s, %s: CPU time per request", name, beside, scenarios[scenario].name)
		}
		if s, ok := cells[row][scenarios[scenario].name].spread(figure); ok {
			t.measured = strings.ReplaceAll(ranged(figure, "%.2f")(cells[row][scenarios[scenario].name]), "**", "")
			t.met = s.median >= goal == least || s.median == goal
		}
		list = append(list, t)
	}
	for _, name := range []string{oursGin, oursEcho} {
		for _, t := range httpTargets {
			add(name, t.scenario, "ratio", t.ratio, true)
			if t.cpu > 0 {
				add(name, t.scenario, "cpu ratio", t.cpu, false)
			}
		}
	}
	for _, row := range []string{oursGin + " / " + ginContrib, oursGin + " / " + scsGin, oursEcho + " / " + echoContrib, oursEcho + " / " + scsEcho} {
		add(row, readOne, "ratio", 2, true)
		add(row, increment, "ratio", 2.5, true)
	}
	return list
}

// limit is a target that is one number.
func limit(text, unit string, goal, measured float64, known bool) target {
	t := target{text: text, goal: fmt.Sprintf("≤ %g%s", goal, unit), scenario: -1}
	if known {
		verb := "%.3g%s"
		if measured >= 1000 {
			verb = "%.0f%s"
		}
		t.measured = fmt.Sprintf(verb, measured, unit)
		t.met = measured <= goal
	}
	return t
}

func (r results) inProcessTargets() []target {
	ours, floor := r["in process"].Cells[oursGin], r["in process"].Cells[floorGin]
	known := ours != nil && floor != nil
	at := func(i int) cell { return ours[scenarios[i].name] }
	name := scenarios[untouched].name
	bare := floor[name].median("ns") / 1000
	return []target{
		limit("in process, Gin, memory: allocations of an untouched request more than the framework's", "", 3,
			at(untouched).median("allocs")-floor[name].median("allocs"), known),
		limit("the same with a cookie", "", 3,
			at(untouchedCookie).median("allocs")-floor[scenarios[untouchedCookie].name].median("allocs"), known),
		limit(fmt.Sprintf("in process: read, where the bare framework takes %.2f µs", bare), " µs", 1.5, at(readOne).median("ns")/1000, known),
		limit("in process: allocations of a read", "", 10, at(readOne).median("allocs"), known),
		limit("in process: write", " µs", 4, at(increment).median("ns")/1000, known),
		limit("in process: reading a key of a session of 64 KiB, against one of 500 bytes", " times", 2,
			at(readBig).median("ns")/at(readOne).median("ns"), known),
	}
}

// What "flat" and "does not stall" are taken to mean.
const (
	flat  = 2      // the median at most sessions over that at 1,000
	stall = 10_000 // microseconds
)

func (r results) storedTargets() (list []target) {
	cells := r["stored"].Cells
	files, most := cells["filesystem"], lastColumn(cells["filesystem"])
	known := files != nil
	for _, op := range []string{"create", "read"} {
		list = append(list, limit(fmt.Sprintf("files: median of a %s with %s sessions over that with 1,000", op, thousands(most)), " times", flat,
			files[most].median(op+" p50")/files["1000"].median(op+" p50"), known))
	}
	for _, op := range []string{"read", "create"} {
		list = append(list, limit(fmt.Sprintf("files: 99th percentile of a %s with %s sessions, while the expired ones are swept", op, thousands(most)), " µs", stall,
			files[most].median(op+" beside sweep p99"), known))
	}
	most = lastColumn(cells["memory"])
	known = cells["memory"] != nil
	list = append(list,
		limit(fmt.Sprintf("memory: bytes of heap for each of %s idle sessions of %d bytes", thousands(most), payload), "", 2*payload,
			cells["memory"][most].median("bytes"), known),
		limit(fmt.Sprintf("memory: longest read with %s sessions, while the expired ones are swept", thousands(most)), " µs", stall,
			cells["memory"][most].median("read beside sweep max"), known && len(cells["memory"][most]["read beside sweep max"]) > 0))
	soak := r["soak"].Cells["soak"]["figures"]
	heap, goroutines := soak["heap"], soak["goroutines"]
	if len(heap) == 0 {
		return append(list, target{text: "soak: nothing grows", scenario: -1})
	}
	list = append(list, limit(fmt.Sprintf("soak: heap after %s requests over that after the first fifth", thousands(fmt.Sprintf("%.0f", soak.median("requests")))), " times", soakGrowth,
		heap[len(heap)-1]/heap[0], true))
	return append(list, limit("soak: goroutines more than after the first fifth", "", 0, goroutines[len(goroutines)-1]-goroutines[0], true))
}

func (r results) targets() []target {
	return append(append(r.httpTargets(), r.inProcessTargets()...), r.storedTargets()...)
}
