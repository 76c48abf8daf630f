package flasktest

import (
	"errors"
	"slices"
	"testing"
)

// A gap names the samples that a format or a store has no place for. What is
// not named comes back with its type, or as Flask itself reads it.
type gap struct {
	flask []string // Flask fails to store them
	ours  []string // we fail to store them
	other []string // we store them otherwise than Flask
	blind []string // we cannot read what Flask has stored
}

var (
	binary  = []string{"bytes", "bytes empty", "bytearray"}
	sets    = []string{"set", "set empty", "set 3", "set of tuples", "frozenset", "nested"}
	deltas  = []string{"timedelta", "timedelta 0", "timedelta negative", "timedelta ages"}
	clocks  = []string{"time", "time micro", "time +01:00"}
	bigInts = []string{"int 30 digits", "int -30 digits", "int 300 digits"}
	// utc are texts in JSON, of which there are two spellings.
	utc       = []string{"datetime utc", "datetime utc micro", "datetime 1960", "datetime year 9999"}
	datetimes = append([]string{"datetime", "datetime micro", "datetime fold", "datetime +05:30", "datetime -03:00", "datetime year 1"}, utc...)
	decimals  = []string{"Decimal", "Decimal large"}
	infinite  = []string{"float inf", "float nan"}
	tupleKeys = []string{"dict tuple keys"}
	markup    = []string{"Markup"}
	unordered = []string{"set 3"} // a list in any order
)

// gap returns the gap of the store.
func (s store) gap() gap {
	switch {
	case s.pickled():
		return gap{}
	case s.format == "msgpack":
		return gap{flask: slices.Concat(bigInts, markup), ours: bigInts, other: slices.Concat(markup, unordered)}
	case s.format == "json":
		return gap{flask: slices.Concat(tupleKeys, markup), ours: slices.Concat(tupleKeys, infinite), other: slices.Concat(markup, unordered)}
	case s.typ == "dynamodb": // Python's own JSON, which has words for the infinite
		return gap{
			flask: slices.Concat(binary, sets, deltas, clocks, datetimes, decimals, tupleKeys, []string{"date", "UUID"}),
			ours:  slices.Concat(infinite, tupleKeys),
			blind: infinite,
		}
	case s.typ == "elasticsearch": // JSON, and what its index takes
		return gap{
			flask: slices.Concat(binary, sets, deltas, clocks, infinite, bigInts, tupleKeys,
				[]string{"int maxu64", "float large", "list", "list of tuples", "tuple 2"}),
			ours:  slices.Concat(infinite, bigInts, tupleKeys, []string{"int maxu64", "float large", "list", "list of tuples", "tuple 2"}),
			other: slices.Concat(decimals, utc),
		}
	}
	panic("no such format")
}

// values sets values of every type on one side and reads them on the other,
// where other keys are then changed: in what nobody touched no type changes.
func values(t *testing.T, g *group) {
	gap := g.gap()
	var theirs, ours, read []any // keys with values; what Flask, and what we, store, and we read
	for _, s := range samples {
		name := s.name
		if slices.Contains(gap.flask, name) {
			newBrowser(t).fails(g.flask, "/set", dict("dict", name, s.value))
		} else {
			theirs = append(theirs, name, s.value)
			if !slices.Contains(gap.blind, name) {
				read = append(read, name, s.value)
			}
		}
		if slices.Contains(gap.ours, name) {
			newBrowser(t).fails(g.ours[0], "/set", dict("dict", name, s.value))
		} else if _, err := fromTag(normal(s.value)); !errors.Is(err, errors.ErrUnsupported) && !slices.Contains(slices.Concat(gap.flask, gap.other), name) {
			ours = append(ours, name, s.value)
		}
	}

	b := newBrowser(t)
	b.set(g.flask, theirs...)
	want := b.session(g.flask)
	if g.pickled() {
		want = normal(dict("dict", theirs...)).(tag)
		if g.typ == "memcached" { // the protocol of its pickles has no fold
			delete(want.value("datetime fold"), "fold")
		}
		same(t, g.flask, b.session(g.flask), want, theirs)
	}
	for _, a := range g.ours {
		same(t, a, b.session(a), want, read)
		b.set(a, "changed by "+a.name, str("yes"))
		same(t, g.flask, b.session(g.flask), want, theirs)
	}

	b = newBrowser(t)
	b.set(g.ours[0], ours...)
	for _, a := range g.all {
		same(t, a, b.session(a), want, ours)
	}
	b.set(g.flask, "changed by Flask", str("yes"))
	for _, a := range g.ours {
		same(t, a, b.session(a), want, ours)
	}
}

// pickled tells whether values keep their types.
func (s store) pickled() bool {
	return s.format == "" && !s.jsonOnly || s.typ == "filesystem" || s.typ == "cachelib"
}

// same checks the values of the keys that were set.
func same(t *testing.T, a *app, got, want tag, set []any) {
	t.Helper()
	for i := 0; i < len(set); i += 2 {
		key := set[i].(string)
		if got, want := got.value(key), want.value(key); got == nil || encode(got) != encode(want) {
			t.Errorf("%s sees %q as %s, want %s", a.name, key, encode(got), encode(want))
		}
	}
}
