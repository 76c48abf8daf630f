package codec

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"runtime"
	"testing"
)

func TestMessagePackTruncated(t *testing.T) {
	var c MessagePack
	for _, v := range append(typed(), sampleUser()) {
		raw, err := c.Append(nil, v)
		if err != nil || len(raw) > 1000 {
			continue
		}
		doc, err := c.Join(nil, []Entry{{Key: []byte("key"), Raw: raw}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(doc) {
			if _, err := split(c, doc[:i]); err == nil {
				t.Errorf("%T: split at %d of %d bytes", v, i, len(doc))
			}
		}
		for i := range len(raw) {
			if _, err := c.Decode(raw[:i]); err == nil {
				t.Errorf("%T: decoded at %d of %d bytes", v, i, len(raw))
			}
			if v == nil {
				continue
			}
			if err := c.DecodeInto(raw[:i], reflect.New(reflect.TypeOf(v)).Interface()); err == nil {
				t.Errorf("%T: decoded into it at %d of %d bytes", v, i, len(raw))
			}
		}
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Headers that promise much more than there is cost memory in proportion to
// the data only.
func TestMessagePackMemory(t *testing.T) {
	header := func(lead byte, n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{lead}, n) }
	chain := func(lead byte, step uint32, size int) (b []byte) {
		for len(b) < size {
			if lead == 0xdf {
				b = append(b, 0xdf)
				b = append(binary.BigEndian.AppendUint32(b, step), 0xa0)
			} else {
				b = append(b, header(lead, step)...)
			}
		}
		return b
	}
	typedList := func(n uint32, body []byte) []byte {
		start := beginExt(nil, extTyped)
		return endExt(append(append(append(start, byte(descSlice), byte(descSlice), byte(descString)), header(0xdd, n)...), body...), 0)
	}
	zeros := make([]byte, 1<<16)
	for name, data := range map[string][]byte{
		"list":               header(0xdd, math.MaxUint32),
		"map":                header(0xdf, math.MaxUint32),
		"string":             header(0xdb, math.MaxUint32),
		"bytes":              header(0xc6, math.MaxUint32),
		"extension":          append(header(0xc9, math.MaxUint32), byte(extTyped)),
		"list of bytes":      append(header(0xdd, 1<<16), zeros...),
		"lists in lists":     chain(0xdd, 60000, 1<<16),
		"maps in maps":       chain(0xdf, 30000, 1<<16),
		"typed list":         typedList(math.MaxUint32, nil),
		"typed list of nils": typedList(1<<16, bytes.Repeat([]byte{0xc0}, 1<<16)),
	} {
		for _, p := range []any{new(any), new([]any), new(map[string]any), new([]string), new([][]string), new(user), new(string)} {
			got := allocated(func() { _ = MessagePack{}.DecodeInto(data, p) })
			if limit := uint64(16<<10 + 64*len(data)); got > limit {
				t.Errorf("%s into %T: %d bytes allocated for %d", name, p, got, len(data))
			}
		}
		doc := append([]byte{0x81, 0xa1, 'a'}, data...)
		if got := allocated(func() { _, _ = split(MessagePack{}, doc) }); got > 4<<10 {
			t.Errorf("%s: %d bytes allocated to split %d", name, got, len(doc))
		}
	}
}
