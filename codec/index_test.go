package codec

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// indexed checks that Index finds what Split finds, in any document.
func indexed(t *testing.T, c MessagePack, doc []byte) {
	t.Helper()
	var entries []Entry
	wants := c.Split(doc, func(e Entry) error { entries = append(entries, e); return nil })
	before := []Span{{1, 2, 3}}
	spans, err := c.Index(doc, before)
	if (err == nil) != (wants == nil) {
		t.Fatalf("Index: %v, and Split: %v", err, wants)
	}
	if err != nil {
		if got := strings.Replace(err.Error(), "index", "split", 1); got != wants.Error() {
			t.Errorf("Index: %v, and Split: %v", err, wants)
		}
		return
	}
	if len(spans) != 1+len(entries) || spans[0] != before[0] {
		t.Fatalf("%d spans for %d entries", len(spans)-1, len(entries))
	}
	for i, e := range entries {
		got := spans[1+i].Of(doc)
		if !bytes.Equal(got.Key, e.Key) || !bytes.Equal(got.Raw, e.Raw) || cap(got.Key) != len(got.Key) || cap(got.Raw) != len(got.Raw) {
			t.Errorf("entry %d is %q: %x, want %q: %x", i, got.Key, got.Raw, e.Key, e.Raw)
		}
	}
}

func TestIndex(t *testing.T) {
	c := MessagePack{}
	for _, n := range []int{0, 1, smallKeySet, smallKeySet + 1, 1000} {
		var entries []Entry
		for i := range n {
			raw, err := c.Append(nil, []any{i, strings.Repeat("x", i)})
			if err != nil {
				t.Fatal(err)
			}
			entries = append(entries, Entry{Key: fmt.Appendf(nil, "key%d", i), Raw: raw})
		}
		doc, err := c.Join(nil, entries)
		if err != nil {
			t.Fatal(err)
		}
		indexed(t, c, doc)
		indexed(t, c, append(doc, 0))
		for _, end := range []int{0, 1, len(doc) / 2, len(doc) - 1} {
			indexed(t, c, doc[:end])
		}
	}
	// Keys that the first look takes for one another, and those that are.
	for _, doc := range []string{"\x82\xa2ba\x01\xa2ca\x02", "\x82\xa1a\x01\xa1a\x02", "\x82\xa0\x01\xa0\x02", "\x83\xa0\x01\xa1\x00\x02\xa2ab\x03"} {
		indexed(t, c, []byte(doc))
	}
	if err := c.Split([]byte("\x82\xa2ba\x01\xa2ca\x02"), func(Entry) error { return nil }); err != nil {
		t.Error(err)
	}
	if err := c.Split([]byte("\x82\xa2ba\x01\xa2ba\x02"), func(Entry) error { return nil }); err == nil {
		t.Error("a duplicate key was accepted")
	}
}
