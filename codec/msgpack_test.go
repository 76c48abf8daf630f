package codec

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// The bytes in stores stay readable: these never change.
func TestMessagePackBytes(t *testing.T) {
	at := time.Date(2024, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, tt := range []struct {
		v    any
		want string
	}{
		{nil, "c0"}, {true, "c3"}, {5, "05"}, {-1, "ff"}, {300, "d1012c"}, {"a", "a161"}, {[]byte{1}, "c40101"},
		{1.5, "cb3ff8000000000000"}, {float32(1.5), "ca3fc00000"},
		{[]any{1, "a"}, "9201a161"}, {map[string]any{"b": 1, "a": 2}, "82a16102a16201"},
		{at, "d7ff" + "0000001865937d25"},
		{time.Unix(1, 0).UTC(), "d6ff00000001"},
		{time.Unix(-1, 0).UTC(), "c70cff00000000ffffffffffffffff"},
		{time.Unix(1, 2).In(time.FixedZone("", 3600)), "d854" + "0000000000000001" + "00000002" + "00000e10"},
		{complex64(1), "d7433f80000000000000"}, {complex128(1), "d8433ff00000000000000000000000000000"},
		{int8(5), "d5530405"}, {uint8(200), "c703530" + "9ccc8"}, {int64(1 << 40), "c70a5307d30000010000000000"},
		{time.Duration(5), "d5531505"},
		{[]string{"a"}, "c70553201291a161"}, {[]string(nil), "c703532012c0"}, {[]byte(nil), "d55313c0"},
		{map[string]map[string]int{"a": {"b": 1}}, "c70a5321210381a16181a16201"},
	} {
		raw, err := MessagePack{}.Append(nil, tt.v)
		if got := hex.EncodeToString(raw); err != nil || got != tt.want {
			t.Errorf("%T: %s, want %s, %v", tt.v, got, tt.want, err)
		}
	}
}

// What other programs write, Python's msgpack and msgspec among them.
func TestMessagePackForeign(t *testing.T) {
	for _, tt := range []struct {
		hex  string
		want any
	}{
		{"cc05", 5}, {"cd0005", 5}, {"ce00000005", 5}, {"cf0000000000000005", 5}, {"d0fb", -5}, {"d1fffb", -5}, {"d2fffffffb", -5},
		{"d3fffffffffffffffb", -5}, {"cf7fffffffffffffff", math.MaxInt64}, {"cfffffffffffffffff", uint64(math.MaxUint64)},
		{"d90161", "a"}, {"da000161", "a"}, {"db0000000161", "a"}, {"c5000101", []byte{1}}, {"c60000000101", []byte{1}},
		{"dc000101", []any{1}}, {"dd0000000101", []any{1}}, {"de0001a16101", map[string]any{"a": 1}}, {"df00000001a16101", map[string]any{"a": 1}},
		{"c704ff00000001", time.Unix(1, 0).UTC()},
		{"82a7757365725f6964cd3039a5726f6c657391a561646d696e", map[string]any{"user_id": 12345, "roles": []any{"admin"}}},
	} {
		raw, err := hex.DecodeString(tt.hex)
		if err != nil {
			t.Fatal(err)
		}
		got, err := MessagePack{}.Decode(raw)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %#v, %v", tt.hex, got, err)
		}
	}
}

func document(t testing.TB, c Codec, values map[string]any, order ...string) []byte {
	t.Helper()
	var entries []Entry
	for _, k := range order {
		raw, err := c.Append(nil, values[k])
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, Entry{Key: []byte(k), Raw: raw})
	}
	doc, err := c.Join(nil, entries)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func split(c Codec, doc []byte) (entries []Entry, err error) {
	err = c.Split(doc, func(e Entry) error {
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

func TestDocuments(t *testing.T) {
	for _, c := range []Codec{MessagePack{}, JSON{}} {
		for _, n := range []int{0, 1, 15, 16, 17, 18, 40, 70000} {
			var entries []Entry
			for i := range n {
				raw, err := c.Append(nil, i)
				if err != nil {
					t.Fatal(err)
				}
				entries = append(entries, Entry{Key: fmt.Appendf(nil, "k\"\\\n<é%d", n-i), Raw: raw})
			}
			doc, err := c.Join([]byte("before"), entries)
			if err != nil {
				t.Fatal(err)
			}
			got, err := split(c, doc[len("before"):])
			if err != nil || len(got) != n {
				t.Fatalf("%T: %d entries of %d, %v", c, len(got), n, err)
			}
			for i := range got {
				if !bytes.Equal(got[i].Key, entries[i].Key) || !bytes.Equal(got[i].Raw, entries[i].Raw) {
					t.Fatalf("%T: entry %d of %d differs", c, i, n)
				}
			}
			if n == 0 {
				continue
			}
			// The last key once more, at every size of the key set.
			if _, err := c.Join(nil, append(entries, entries[n-1])); err == nil {
				t.Errorf("%T: joined a duplicate of %d keys", c, n)
			}
			stop := errors.New("stop")
			if err := c.Split(doc[len("before"):], func(Entry) error { return stop }); err != stop {
				t.Errorf("%T: the error of yield became %v", c, err)
			}
		}
		if _, err := c.Join(nil, []Entry{{Key: []byte("a")}}); err == nil {
			t.Errorf("%T: joined an entry without a value", c)
		}
	}
}

func TestMessagePackSplitRefuses(t *testing.T) {
	many := msgp.AppendMapHeader(nil, 40)
	for i := range 40 {
		many = append(msgp.AppendString(many, fmt.Sprint("key", i%39)), 0xc0)
	}
	nested := func(n int) []byte {
		return append(append([]byte{0x81, 0xa1, 'a'}, bytes.Repeat([]byte{0x91}, n)...), 0xc0)
	}
	if _, err := split(MessagePack{}, nested(64)); err != nil {
		t.Errorf("a depth of 64: %v", err)
	}
	for _, tt := range []struct {
		name string
		doc  []byte
		want error
	}{
		{"empty", nil, errTruncated},
		{"not a map", []byte{0x91, 0x01}, errDamaged},
		{"nil", []byte{0xc0}, errDamaged},
		{"trailing", []byte{0x80, 0x00}, errTrailing},
		{"duplicate", []byte{0x82, 0xa1, 'a', 1, 0xa1, 'a', 2}, errDuplicate},
		{"duplicate of another length form", []byte{0x82, 0xa1, 'a', 1, 0xd9, 1, 'a', 2}, errDuplicate},
		{"duplicate among 40", many, errDuplicate},
		{"integer key", []byte{0x81, 1, 1}, errKey},
		{"binary key", []byte{0x81, 0xc4, 1, 'a', 1}, errKey},
		{"c1", []byte{0x81, 0xa1, 'a', 0xc1}, errDamaged},
		{"huge map", []byte{0xdf, 0xff, 0xff, 0xff, 0xff, 0xa1, 'a', 1}, errTruncated},
		{"huge list", []byte{0x81, 0xa1, 'a', 0xdd, 0xff, 0xff, 0xff, 0xff}, errTruncated},
		{"huge map in it", []byte{0x81, 0xa1, 'a', 0xdf, 0xff, 0xff, 0xff, 0xff}, errTruncated},
		{"huge string", []byte{0x81, 0xa1, 'a', 0xdb, 0xff, 0xff, 0xff, 0xff}, errTruncated},
		{"huge bytes", []byte{0x81, 0xa1, 'a', 0xc6, 0xff, 0xff, 0xff, 0xff}, errTruncated},
		{"huge extension", []byte{0x81, 0xa1, 'a', 0xc9, 0xff, 0xff, 0xff, 0xff, 1}, errTruncated},
		{"typed without descriptor", []byte{0x81, 0xa1, 'a', 0xd4, byte(extTyped), 0x20}, errTruncated},
		{"typed without value", []byte{0x81, 0xa1, 'a', 0xd5, byte(extTyped), 0x20, 0x12}, errTruncated},
		{"typed any", []byte{0x81, 0xa1, 'a', 0xd5, byte(extTyped), 0x01, 0x01}, errDamaged},
		{"typed in typed", []byte{0x81, 0xa1, 'a', 0xd6, byte(extTyped), 0x04, 0xd4, byte(extTyped), 0x04}, errDamaged},
		{"typed with two values", []byte{0x81, 0xa1, 'a', 0xc7, 3, byte(extTyped), 0x04, 1, 1}, errTrailing},
	} {
		if _, err := split(MessagePack{}, tt.doc); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	for n := 65; n < 1<<20; n *= 2 {
		if _, err := split(MessagePack{}, nested(n)); err == nil {
			t.Errorf("a depth of %d was accepted", n)
		}
	}
	if _, err := split(MessagePack{MaxSize: 10}, nested(64)); err == nil {
		t.Error("a document over MaxSize was accepted")
	}
	if _, err := split(MessagePack{MaxElements: 2}, []byte{0x81, 0xa1, 'a', 0x93, 1, 1, 1}); err == nil {
		t.Error("a value over MaxElements was accepted")
	}
	if _, err := split(MessagePack{MaxElements: 1}, []byte{0x82, 0xa1, 'a', 1, 0xa1, 'b', 1}); err == nil {
		t.Error("a document over MaxElements was accepted")
	}
}

// What Append and Join accept, Split and Decode with the same limits accept.
func TestMessagePackLimitsAgree(t *testing.T) {
	c := MessagePack{MaxDepth: 3, MaxElements: 4, MaxSize: 40}
	accepted := 0
	for _, v := range []any{
		deepList(1), deepList(2), deepList(3), deepList(4), [][]int{{1}, {2}}, [][]int{{1, 2}, {3, 4}}, make([]bool, 4), make([]bool, 5),
		map[string]any{"a": map[string]any{"b": map[string]any{"c": 1}}}, address{Lines: []string{"a", "b"}}, address{Lines: []string{"a", "b", "c"}},
		strings.Repeat("x", 38), strings.Repeat("x", 39), &cyclic{&cyclic{&cyclic{}}}, &cyclic{&cyclic{&cyclic{&cyclic{}}}},
	} {
		raw, err := c.Append(nil, v)
		if err != nil {
			continue
		}
		accepted++
		if _, err := c.Decode(raw); err != nil {
			t.Errorf("%T: %v", v, err)
		}
		if doc, err := c.Join(nil, []Entry{{Key: []byte("k"), Raw: raw}}); err == nil {
			if _, err := split(c, doc); err != nil {
				t.Errorf("%T: %v", v, err)
			}
		}
	}
	if accepted != 9 {
		t.Errorf("%d values were accepted", accepted)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
	}{
		{"empty", ""}, {"c1", "c1"}, {"trailing", "0101"}, {"integer key", "810101"}, {"nil key", "81c001"},
		{"duplicate key", "82a16101a16102"}, {"duplicate key in a typed map", "c7095321" + "03" + "82a16101a16102"},
		{"unknown extension", "d40101"}, {"timestamp of 3 bytes", "c703ff000000"}, {"nanoseconds", "d7ffffffffff00000000"},
		{"zone of 8 bytes", "d7540000000000000000"}, {"complex of 4 bytes", "d64300000000"},
		{"int8 of 200", "c7035304ccc8"}, {"int8 string", "c7035304a161"}, {"[]int of strings", "c705532003" + "91a161"},
		{"[]uint8 as a list", "c704532009" + "9101"}, {"nine deep", "c70c53" + strings.Repeat("20", 9) + "03" + "c0"},
		{"descriptor 0", "d5530001"}, {"descriptor unknown", "d5531601"},
	} {
		raw, err := hex.DecodeString(tt.hex)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := (MessagePack{}).Decode(raw); err == nil {
			t.Errorf("%s: decoded as %#v", tt.name, v)
		}
	}
	// A struct finds duplicates of keys it does not have, too.
	for _, h := range []string{"82a16101a16102", "82a65374726565" + "74a0a6537472656574a0"} {
		raw, _ := hex.DecodeString(h)
		if err := (MessagePack{}).DecodeInto(raw, new(address)); !errors.Is(err, errDuplicate) {
			t.Errorf("%s: %v", h, err)
		}
	}
}

func TestMessagePackAllocations(t *testing.T) {
	var c MessagePack
	keys := make([]string, 10)
	values := map[string]any{}
	for i := range keys {
		keys[i] = fmt.Sprint("key", i)
		values[keys[i]] = []any{i, "text", 1.5}
	}
	doc := document(t, c, values, keys...)
	buf := make([]byte, 0, 1<<10)
	number, _ := c.Append(nil, int64(1<<40))
	text, _ := c.Append(nil, "some text of a session")
	boxed, boxedText := any(int64(1<<40)), any("some text of a session")
	var i int64
	var s string
	none := func(Entry) error { return nil }
	for _, tt := range []struct {
		name string
		most float64
		f    func()
	}{
		{"split 10 keys", 0, func() { _ = c.Split(doc, none) }},
		{"append an int64", 0, func() { _, _ = c.Append(buf, boxed) }},
		{"append a string", 0, func() { _, _ = c.Append(buf, boxedText) }},
		{"decode an int64", 1, func() { _, _ = c.Decode(number) }},
		{"decode into an int64", 0, func() { _ = c.DecodeInto(number, &i) }},
		{"decode a string", 2, func() { _, _ = c.Decode(text) }},
		{"decode into a string", 1, func() { _ = c.DecodeInto(text, &s) }},
	} {
		if got := testing.AllocsPerRun(100, tt.f); got > tt.most {
			t.Errorf("%s: %v allocations", tt.name, got)
		}
	}
}

type left struct {
	Name  string
	Right []right
}

type right struct {
	Left *left
	More map[string]left
}

// Types that contain one another are first seen by many goroutines at once.
func TestMessagePackConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			l := left{Name: "l", Right: []right{{Left: &left{Name: "inner"}}, {More: map[string]left{"k": {}}}}}
			v, got := any(l), any(new(left))
			if i%2 == 0 {
				v, got = right{Left: &l}, new(right)
			}
			raw, err := MessagePack{}.Append(nil, v)
			if err == nil {
				err = MessagePack{}.DecodeInto(raw, got)
			}
			if err != nil || !reflect.DeepEqual(reflect.ValueOf(got).Elem().Interface(), v) {
				t.Errorf("%T: %v", v, err)
			}
		})
	}
	wg.Wait()
}
