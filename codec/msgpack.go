package codec

import (
	"fmt"
	"reflect"
	"time"
)

// MessagePack is the default format: https://msgpack.org, which most
// languages read. The zero value is ready to use. Its methods may be called by
// any number of goroutines at once.
//
// Decode gives back the Go type that Append was given, for nil, every basic
// kind, []byte, [time.Time], [time.Duration], and slices and string-keyed maps
// of these, one in another up to eight static levels deep (an any inside
// starts anew). Nothing is registered. A nil slice or map comes back as nil, an
// empty one as empty. Strings are binary-safe. A decoded value shares no memory with the data.
//
//   - bool, int, float32, float64, string, []byte, []any, map[string]any and a
//     time in UTC are plain MessagePack, and plain MessagePack that another
//     program wrote is decoded to these types. An integer that an int cannot
//     hold is decoded as int64 or uint64. The other types are written as
//     extension type 83, which holds a description of the type and then the
//     plain form; complex numbers as type 67; a time in another zone as type
//     84. Other extension types are an error.
//   - A time keeps its nanoseconds and its zone's offset, not the zone's name
//     or rules, nor the monotonic clock reading.
//   - A named type is decoded as its kind, a pointer as what it points to, an
//     array as a slice or []byte. A struct is a map of its exported fields and is
//     decoded as map[string]any, whose elements are of plain types. DecodeInto
//     gives the type itself in all these cases.
//   - A struct's field goes by its name or by the tag session:"name,omitempty";
//     session:"-" leaves it out. Embedded structs without a tag are
//     flattened, as encoding/json does. DecodeInto ignores keys that
//     the struct does not have, and sets fields whose key is missing to zero.
//   - A type that has both methods of [encoding.TextMarshaler] and
//     [encoding.TextUnmarshaler], itself or by pointer, is written as that
//     text; else one with both of [encoding.BinaryMarshaler] and
//     [encoding.BinaryUnmarshaler] as those bytes. Text comes first as it reads
//     the same in the JSON codec and in other languages. Decode gives the string or []byte.
//   - Functions, channels, unsafe pointers, interfaces other than any, maps
//     whose keys are not strings and structs without exported fields are an
//     error of Append that names the type. So is a value that contains itself.
//
// DecodeInto converts between the numeric types when nothing is lost: integers
// in range, integers to floats that hold them exactly, floats to shorter ones
// that hold them exactly; never floats to integers, and never between
// numbers, strings and bytes. A nil fits pointers, slices, maps and any. What
// the variable held before is replaced, not merged.
//
// Append sorts the keys of maps: equal values have equal encodings.
//
// Limits are for the data of others and for mistakes. What Append and Join
// accept, Split, Decode and DecodeInto of a MessagePack with the same limits accept too.
type MessagePack struct {
	// MaxDepth is how many maps, slices, arrays and structs a value may
	// have inside one another. Zero or less means 64.
	MaxDepth int

	// MaxElements is how many elements and entries the slices and maps of
	// one value may have together, and how many keys a document may have.
	// Zero or less means 1<<20.
	MaxElements int

	// MaxSize is the largest size of a document, in bytes, and so of a
	// value. Zero or less means 64 MiB; the most is 2 GiB - 1.
	MaxSize int
}

var _ Codec = MessagePack{}

func (c MessagePack) limits() limits { return newLimits(c.MaxDepth, c.MaxElements, c.MaxSize) }

// Append implements [Codec]. When it fails it returns dst unchanged in
// length, with an error that names the Go type that is to blame.
func (c MessagePack) Append(dst []byte, v any) ([]byte, error) {
	e := encoder{buf: dst, start: len(dst), limits: c.limits()}
	e.left = e.limits.elements
	err := e.any(v, 0)
	if err == nil && len(e.buf)-e.start > e.limits.size {
		err = errSize(e.limits.size)
	}
	if err != nil {
		return dst, fmt.Errorf("codec: messagepack: encode: %w", err)
	}
	return e.buf, nil
}

// Decode implements [Codec].
func (c MessagePack) Decode(raw []byte) (any, error) {
	d := decoder{limits: c.limits()}
	err := d.open(raw)
	var v any
	if err == nil {
		v, err = d.value(0)
	}
	if err == nil {
		err = d.close()
	}
	if err != nil {
		return nil, fmt.Errorf("codec: messagepack: decode: %w", err)
	}
	return v, nil
}

// DecodeInto implements [Codec]. An error names the two types that do not
// fit, never a value.
func (c MessagePack) DecodeInto(raw []byte, p any) error {
	d := decoder{limits: c.limits()}
	err := d.open(raw)
	if err == nil {
		err = d.pointer(p)
	}
	if err == nil {
		err = d.close()
	}
	if err != nil {
		return fmt.Errorf("codec: messagepack: decode: %w", err)
	}
	return nil
}

// Types that are recognised as they are, before their kind is looked at.
var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
)
