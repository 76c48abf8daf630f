package codec

import (
	"fmt"
	"strings"
	"testing"
)

type benchUser struct {
	ID    int
	Name  string
	Admin bool
	Tags  []string
}

var benchValues = []struct {
	name string
	v    any
}{
	{"int", 123456},
	{"string", "hello world, hello"},
	{"strings", []string{"a", "bb", "ccc", "dddd"}},
	{"struct", benchUser{42, "alice", true, []string{"a", "b"}}},
}

func BenchmarkMessagePackAppend(b *testing.B) {
	var c MessagePack
	for _, bb := range benchValues {
		b.Run(bb.name, func(b *testing.B) {
			buf := make([]byte, 0, 1<<10)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Append(buf, bb.v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMessagePackDecode(b *testing.B) {
	var c MessagePack
	for _, bb := range benchValues {
		raw, err := c.Append(nil, bb.v)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Decode(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMessagePackDecodeInto(b *testing.B) {
	var c MessagePack
	b.Run("int", func(b *testing.B) { benchDecodeInto[int](b, c, benchValues[0].v) })
	b.Run("string", func(b *testing.B) { benchDecodeInto[string](b, c, benchValues[1].v) })
	b.Run("strings", func(b *testing.B) { benchDecodeInto[[]string](b, c, benchValues[2].v) })
	b.Run("struct", func(b *testing.B) { benchDecodeInto[benchUser](b, c, benchValues[3].v) })
}

func benchDecodeInto[T any](b *testing.B, c Codec, v any) {
	raw, err := c.Append(nil, v)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var got T
		if err := c.DecodeInto(raw, &got); err != nil {
			b.Fatal(err)
		}
	}
}

func benchSplit(b *testing.B, c Codec) {
	for _, bb := range []struct {
		name       string
		keys, size int
	}{{"10keys", 10, 20}, {"64KiB", 1000, 60}, {"64KiB_in_one_key", 1, 64 << 10}, {"10000keys", 10000, 5}} {
		raw, err := c.Append(nil, strings.Repeat("x", bb.size))
		if err != nil {
			b.Fatal(err)
		}
		var entries []Entry
		for i := range bb.keys {
			entries = append(entries, Entry{Key: fmt.Appendf(nil, "key%d", i), Raw: raw})
		}
		doc, err := c.Join(nil, entries)
		if err != nil {
			b.Fatal(err)
		}
		last := string(entries[bb.keys-1].Key)
		b.Run("Split/"+bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				var found []byte
				err := c.Split(doc, func(e Entry) error {
					if string(e.Key) == last {
						found = e.Raw
					}
					return nil
				})
				if err != nil || found == nil {
					b.Fatal(err)
				}
			}
		})
		buf := make([]byte, 0, 2*len(doc))
		b.Run("Join/"+bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if _, err := c.Join(buf, entries); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMessagePack(b *testing.B) { benchSplit(b, MessagePack{}) }

func BenchmarkJSON(b *testing.B) { benchSplit(b, JSON{}) }

func BenchmarkPickle(b *testing.B) { benchSplit(b, Pickle{}) }

func BenchmarkFlaskMessagePack(b *testing.B) { benchSplit(b, FlaskMessagePack{}) }

func BenchmarkFlaskJSON(b *testing.B) { benchSplit(b, FlaskJSON{}) }

// BenchmarkReads is to be compared with BenchmarkMessagePack.
func BenchmarkReads(b *testing.B) { benchSplit(b, Reads(MessagePack{}, Pickle{})) }

// BenchmarkFlaskValues writes and reads single values.
func BenchmarkFlaskValues(b *testing.B) {
	for _, c := range flaskCodecs() {
		name := strings.TrimPrefix(fmt.Sprintf("%T", c), "codec.")
		for _, bb := range benchValues {
			raw, err := c.Append(nil, bb.v)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(name+"/Append/"+bb.name, func(b *testing.B) {
				buf := make([]byte, 0, 1<<10)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Append(buf, bb.v); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(name+"/Decode/"+bb.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Decode(raw); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(name+"/DecodeInto/int", func(b *testing.B) { benchDecodeInto[int](b, c, benchValues[0].v) })
		b.Run(name+"/DecodeInto/struct", func(b *testing.B) { benchDecodeInto[benchUser](b, c, benchValues[3].v) })
	}
}
