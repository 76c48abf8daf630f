package codec

import (
	"bytes"
	"reflect"
	"testing"
)

// fuzzFlaskDecode: whatever decodes, encodes and decodes to the same bytes
// again, also through variables of several types.
func fuzzFlaskDecode(f *testing.F, c Codec) {
	for _, v := range append(pythonValues(), sampleUser()) {
		if raw, err := c.Append(nil, v); err == nil && len(raw) < 1000 {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := c.Decode(raw)
		if err == nil {
			first, err := c.Append(nil, v)
			if err != nil {
				t.Fatalf("decoded %#v, which does not encode: %v", v, err)
			}
			again, err := c.Decode(first)
			if err != nil {
				t.Fatalf("%T was encoded and does not decode: %v", v, err)
			}
			if reflect.TypeOf(v) != reflect.TypeOf(again) {
				t.Fatalf("%T became %T", v, again)
			}
			if second, err := c.Append(nil, again); err != nil || !bytes.Equal(first, second) {
				t.Fatalf("%T: %q became %q, %v", v, first, second, err)
			}
		}
		for _, p := range []any{new(user), new(string), new(int), new(float32), new([]string), new(map[string]int), new(map[int]any), new(list), new([2][]byte), new(Clock), new(Dict)} {
			if c.DecodeInto(raw, p) == nil && err != nil {
				t.Fatalf("decoded into %T, but not: %v", p, err)
			}
		}
	})
}

func FuzzPickleDecode(f *testing.F)           { fuzzFlaskDecode(f, Pickle{}) }
func FuzzFlaskMessagePackDecode(f *testing.F) { fuzzFlaskDecode(f, FlaskMessagePack{}) }
func FuzzFlaskJSONDecode(f *testing.F)        { fuzzFlaskDecode(f, FlaskJSON{}) }

// addFixtures adds sessions that Flask has stored, by stack.
func addFixtures(f *testing.F, stacks ...string) {
	all := fixtures(f)
	for _, stack := range stacks {
		for _, x := range all[stack] {
			if len(x.doc) < 1000 {
				f.Add(x.doc)
			}
		}
	}
}

func FuzzFlaskMessagePackSplit(f *testing.F) {
	addFixtures(f, "fs08-msgpack")
	fuzzSplit(f, FlaskMessagePack{})
}

func FuzzFlaskJSONSplit(f *testing.F) {
	addFixtures(f, "fs08-json")
	f.Add([]byte(`{"a": [NaN, -Infinity, "\ud83d\ude00"], "b\u0000": 1e5}`))
	fuzzSplit(f, FlaskJSON{})
}

// FuzzPickleSplit: whatever splits is written, in all protocols, as what splits
// again, to the same bytes in the same protocol, and means the same.
func FuzzPickleSplit(f *testing.F) {
	addFixtures(f, "fs2-pickle")
	f.Fuzz(func(t *testing.T, doc []byte) {
		entries, err := split(Pickle{}, doc)
		if err != nil {
			return
		}
		for _, c := range allPickles() {
			own, err := split(c, doc)
			if err != nil {
				if c.Protocol == PickleProtocol0 || c.Protocol == 1 {
					continue // an integer may have too many digits
				}
				t.Fatalf("protocol %d: does not split: %v", c.Protocol, err)
			}
			joined, err := c.Join(nil, own)
			if err != nil {
				t.Fatalf("protocol %d: splits, but does not join: %v", c.Protocol, err)
			}
			again, err := split(c, joined)
			if err != nil || len(again) != len(entries) {
				t.Fatalf("protocol %d: %d entries became %d, %v: %q", c.Protocol, len(entries), len(again), err, joined)
			}
			for i := range again {
				if !bytes.Equal(again[i].Key, entries[i].Key) || !bytes.Equal(again[i].Raw, own[i].Raw) {
					t.Fatalf("protocol %d: entry %q differs: %q became %q", c.Protocol, entries[i].Key, own[i].Raw, again[i].Raw)
				}
				want, err := c.Decode(entries[i].Raw)
				got, other := c.Decode(again[i].Raw)
				if (err == nil) != (other == nil) || err == nil && !sameValue(want, got) {
					t.Fatalf("protocol %d: %#v became %#v; %v, %v", c.Protocol, want, got, err, other)
				}
			}
		}
	})
}

// FuzzReads: what a chain reads, it writes so that the first format reads it.
func FuzzReads(f *testing.F) {
	addFixtures(f, "fs2-pickle", "fs08-msgpack", "fs08-json")
	first := FlaskMessagePack{}
	c := Reads(first, FlaskJSON{}, Pickle{}, MessagePack{})
	f.Fuzz(func(t *testing.T, doc []byte) {
		entries, err := split(c, doc)
		if err != nil {
			return
		}
		joined, err := c.Join(nil, entries)
		if err != nil {
			return // a value that first cannot hold
		}
		again, err := split(first, joined)
		if err != nil || len(again) != len(entries) {
			t.Fatalf("%d entries became %d, %v", len(entries), len(again), err)
		}
		for i := range again {
			if !bytes.Equal(again[i].Key, entries[i].Key) {
				t.Fatalf("key %q became %q", entries[i].Key, again[i].Key)
			}
			if _, err := c.Decode(entries[i].Raw); err != nil && !bytes.Equal(entries[i].Raw, again[i].Raw) {
				t.Fatalf("an entry that does not decode was converted: %v", err)
			}
		}
	})
}
