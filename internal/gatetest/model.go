package gatetest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// A values is the content of a session; nil is no session.
type values map[string]int

// A change is what a script does to a key.
type change struct {
	verb  verb
	key   string
	value int
}

// apply makes changes on a copy.
func apply(v values, changes []change) values {
	out := values{}
	maps.Copy(out, v)
	for _, c := range changes {
		switch c.verb {
		case set:
			out[c.key] = c.value
		case update:
			out[c.key]++
		case remove:
			delete(out, c.key)
		case empty:
			clear(out)
		}
	}
	return out
}

// An event is an operation of the history.
type event struct {
	verb    verb // load, save, regenerate, destroy
	request int
	process int // whose Manager it was
	id      string
	base    values // what the request had loaded
	changes []change
	began   int64 // when the request had begun
	called  int64

	gone   bool   // the outcome
	next   string // the new ID
	result values // what is there afterwards; nil: nothing
}

// A world is the state of the model. It is never changed.
type world struct {
	live  map[string]values
	moved map[string]move
	ended map[string][2]bool // destroyed by a process, alive or not
}

type move struct {
	to      string
	process int
	acked   int64
}

func (w world) clone() world {
	return world{maps.Clone(w.live), maps.Clone(w.moved), maps.Clone(w.ended)}
}

// model is the specification. acked tells when a regeneration returned.
func model(acked map[string]int64) porcupine.Model {
	return porcupine.Model{
		Init:  func() any { return world{map[string]values{}, map[string]move{}, map[string][2]bool{}} },
		Equal: func(a, b any) bool { return reflect.DeepEqual(a, b) },
		Step: func(state, input, _ any) (bool, any) {
			w, e := state.(world), input.(event)
			switch e.verb {
			case load:
				return same(w.live[e.id], e.result), w
			case save:
				return w.save(e)
			case regenerate:
				return w.regenerate(e, acked[e.next])
			case destroy:
				return w.destroy(e)
			}
			return false, w
		},
	}
}

func same(a, b values) bool { return (a == nil) == (b == nil) && maps.Equal(a, b) }

func (w world) save(e event) (bool, world) {
	if e.base == nil && !e.gone { // a new session, or none
		if _, used := w.live[e.next]; used {
			return false, w
		}
		w = w.clone()
		w.live[e.next] = apply(nil, e.changes)
		return same(e.result, w.live[e.next]), w
	}
	v, alive := w.live[e.id]
	if e.gone {
		return !alive, w
	}
	if maps.Equal(apply(e.base, e.changes), e.base) {
		return same(e.result, e.base), w
	}
	if !alive {
		return false, w
	}
	after := apply(v, e.changes)
	if !maps.Equal(after, e.result) {
		return false, w
	}
	w = w.clone()
	if w.live[e.id] = after; len(after) == 0 {
		delete(w.live, e.id)
	}
	return true, w
}

func (w world) regenerate(e event, acked int64) (bool, world) {
	v, alive := w.live[e.id]
	if e.gone || !alive {
		return e.gone && !alive, w
	}
	w = w.clone()
	delete(w.live, e.id)
	w.live[e.next] = apply(v, e.changes)
	w.moved[e.id] = move{e.next, e.process, acked}
	return same(e.result, w.live[e.next]), w
}

func (w world) destroy(e event) (bool, world) {
	w = w.clone()
	seen, racing := e.base != nil, false
	for id := e.id; ; {
		_, alive := w.live[id]
		m, moved := w.moved[id]
		here := w.ended[id][e.process]
		by := w.ended[id]
		by[e.process] = true
		w.ended[id] = by
		switch {
		case alive:
			delete(w.live, id)
			return !e.gone, w
		case moved && m.process == e.process && m.acked > e.began:
			// Told that it is gone only if the regeneration was not
			// over, or the session has gone on elsewhere.
			if _, alive := w.live[m.to]; alive && e.gone && m.acked < e.called {
				return false, w
			}
			if _, alive := w.live[m.to]; alive {
				delete(w.live, m.to)
				by := w.ended[m.to]
				by[e.process] = true
				w.ended[m.to] = by
				return true, w
			}
			id, seen, racing = m.to, true, racing || m.acked > e.called
		case !seen:
			return !e.gone, w
		case here:
			return true, w
		default:
			return e.gone || racing, w
		}
	}
}

// String is for the report of a failure; ids are shortened by the caller.
func (e event) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "request %d, process %d: %v %s", e.request, e.process, e.verb, e.id)
	if e.base != nil {
		fmt.Fprintf(&b, ", had %v", show(e.base))
	}
	for _, c := range e.changes {
		fmt.Fprintf(&b, ", %v %s", c.verb, c.key)
		if c.verb == set {
			fmt.Fprintf(&b, "=%d", c.value)
		}
	}
	if e.gone {
		b.WriteString(": gone")
	} else {
		fmt.Fprintf(&b, ": %s %v", e.next, show(e.result))
	}
	return b.String()
}

func show(v values) string {
	if v == nil {
		return "nothing"
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(v)) {
		parts = append(parts, fmt.Sprintf("%s=%d", k, v[k]))
	}
	return "{" + strings.Join(parts, " ") + "}"
}
