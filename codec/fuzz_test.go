package codec

import (
	"bytes"
	"reflect"
	"testing"
)

// FuzzMessagePackDecode: whatever decodes, encodes and decodes to the same
// bytes again, also through variables of several types.
func FuzzMessagePackDecode(f *testing.F) {
	var c MessagePack
	for _, v := range append(typed(), sampleUser()) {
		if raw, err := c.Append(nil, v); err == nil && len(raw) < 1000 {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := c.Decode(raw)
		if err == nil {
			first, err := c.Append(nil, v)
			if err != nil {
				t.Fatalf("decoded %T, which does not encode: %v", v, err)
			}
			again, err := c.Decode(first)
			if err != nil {
				t.Fatalf("%T was encoded and does not decode: %v", v, err)
			}
			if reflect.TypeOf(v) != reflect.TypeOf(again) {
				t.Fatalf("%T became %T", v, again)
			}
			// Compare bytes, as a NaN differs from itself.
			if second, err := c.Append(nil, again); err != nil || !bytes.Equal(first, second) {
				t.Fatalf("%T: % x became % x, %v", v, first, second, err)
			}
			doc := append([]byte{0x81, 0xa1, 'k'}, raw...)
			if entries, err := split(c, doc); err != nil || len(entries) != 1 {
				t.Fatalf("%T decodes, but its document does not split: %v", v, err)
			}
		}
		for _, p := range []any{new(user), new(string), new(int), new(float32), new([]string), new(map[string]int), new([]user), new(list), new(map[string]any), new([2][]byte)} {
			if c.DecodeInto(raw, p) != nil {
				continue
			}
			if _, err := c.Append(nil, p); err != nil {
				t.Fatalf("decoded into %T, which does not encode: %v", p, err)
			}
		}
	})
}

// fuzzSplit: whatever splits, joins to a document that splits to the same
// entries.
func fuzzSplit(f *testing.F, c Codec) {
	f.Fuzz(func(t *testing.T, doc []byte) {
		if m, ok := c.(MessagePack); ok {
			indexed(t, m, doc)
		}
		entries, err := split(c, doc)
		if err != nil {
			return
		}
		for _, e := range entries {
			_, _ = c.Decode(e.Raw)
		}
		joined, err := c.Join(nil, entries)
		if err != nil {
			t.Fatalf("splits, but does not join: %v", err)
		}
		again, err := split(c, joined)
		if err != nil || len(again) != len(entries) {
			t.Fatalf("%d entries became %d, %v", len(entries), len(again), err)
		}
		for i := range again {
			if !bytes.Equal(again[i].Key, entries[i].Key) || !bytes.Equal(again[i].Raw, entries[i].Raw) {
				t.Fatalf("entry %d differs", i)
			}
		}
	})
}

func FuzzMessagePackSplit(f *testing.F) {
	var c MessagePack
	for _, v := range typed() {
		if raw, err := c.Append(nil, v); err == nil && len(raw) < 1000 {
			if doc, err := c.Join(nil, []Entry{{Key: []byte("a"), Raw: raw}, {Key: []byte("b"), Raw: []byte{0xc0}}}); err == nil {
				f.Add(doc)
			}
		}
	}
	fuzzSplit(f, c)
}

func FuzzJSONSplit(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1}`, ` {"a" : [1, {"b":"}]"}] ,"\u0062\"":"x\\", "c":-1.5e3} `, `{"":null,"\ud800":1e999,"é":"\ufffd"}`, `{"a":18446744073709551615,"b":-0}`} {
		f.Add([]byte(s))
	}
	fuzzSplit(f, JSON{})
}

func FuzzJSONDecode(f *testing.F) {
	var c JSON
	for _, s := range []string{`null`, `[1,2.5,"a",{"b":-0}]`, `"\u0061\ud83d\ude00"`, `18446744073709551616`, `{"id":1,"Any":[1e3],"Next":{"Home":{}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := c.Decode(raw)
		if err != nil {
			return
		}
		first, err := c.Append(nil, v)
		if err != nil {
			t.Fatalf("decoded %T, which does not encode: %v", v, err)
		}
		again, err := c.Decode(first)
		if err != nil {
			t.Fatalf("%s: does not decode: %v", first, err)
		}
		if second, err := c.Append(nil, again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s became %s, %v", first, second, err)
		}
		_ = c.DecodeInto(raw, new(user))
	})
}
