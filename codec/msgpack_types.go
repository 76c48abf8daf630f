package codec

import (
	"reflect"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// A descriptorByte is a part of a descriptor, which describes a Go type in
// stored data: a descSlice or descMap for each slice and string-keyed map,
// from the outside in, then the byte of the innermost element. The numbers
// never change.
type descriptorByte byte

const (
	descAny descriptorByte = iota + 1
	descBool
	descInt
	descInt8
	descInt16
	descInt32
	descInt64
	descUint
	descUint8
	descUint16
	descUint32
	descUint64
	descUintptr
	descFloat32
	descFloat64
	descComplex64
	descComplex128
	descString
	descBytes
	descTime
	descDuration
	descEnd // one more than the last

	descSlice descriptorByte = 0x20
	descMap   descriptorByte = 0x21
)

// stringsDescriptor is the descriptor of []string.
const stringsDescriptor = string(rune(descSlice)) + string(rune(descString))

// maxDescriptor is how many slices and maps a descriptor may have. The
// runtime never frees a type that reflection has made: this bounds the number of types that data can
// ask for, by about ten thousand.
const maxDescriptor = 8

// elementTypes are the types of the innermost elements.
var elementTypes = [descEnd]reflect.Type{
	descAny:        reflect.TypeFor[any](),
	descBool:       reflect.TypeFor[bool](),
	descInt:        reflect.TypeFor[int](),
	descInt8:       reflect.TypeFor[int8](),
	descInt16:      reflect.TypeFor[int16](),
	descInt32:      reflect.TypeFor[int32](),
	descInt64:      reflect.TypeFor[int64](),
	descUint:       reflect.TypeFor[uint](),
	descUint8:      reflect.TypeFor[uint8](),
	descUint16:     reflect.TypeFor[uint16](),
	descUint32:     reflect.TypeFor[uint32](),
	descUint64:     reflect.TypeFor[uint64](),
	descUintptr:    reflect.TypeFor[uintptr](),
	descFloat32:    reflect.TypeFor[float32](),
	descFloat64:    reflect.TypeFor[float64](),
	descComplex64:  reflect.TypeFor[complex64](),
	descComplex128: reflect.TypeFor[complex128](),
	descString:     reflect.TypeFor[string](),
	descBytes:      reflect.TypeFor[[]byte](),
	descTime:       reflect.TypeFor[time.Time](),
	descDuration:   reflect.TypeFor[time.Duration](),
}

// cutDescriptor takes a valid descriptor off the front of b.
func cutDescriptor(b []byte) (desc, rest []byte, err error) {
	for i, c := range b {
		switch c := descriptorByte(c); {
		case c == descSlice || c == descMap:
			if i == maxDescriptor {
				return nil, nil, errDamaged
			}
		case c == 0 || c >= descEnd || c == descAny && i == 0:
			return nil, nil, errDamaged
		case c == descUint8 && i > 0 && descriptorByte(b[i-1]) == descSlice: // is descBytes
			return nil, nil, errDamaged
		default:
			return b[:i+1], b[i+1:], nil
		}
	}
	return nil, nil, errTruncated
}

// descriptorType returns the Go type of a valid descriptor.
func descriptorType(desc []byte) reflect.Type {
	last := len(desc) - 1
	t := elementTypes[desc[last]]
	for i := last - 1; i >= 0; i-- {
		if descriptorByte(desc[i]) == descSlice {
			t = reflect.SliceOf(t)
		} else {
			t = reflect.MapOf(elementTypes[descString], t)
		}
	}
	return t
}

// describe returns the descriptor of the type that a value of a plan's type
// is decoded as. It fails for one that is too deep. The types it is in the
// middle of are in seen: a type that contains itself has a name, so
// what is below is decoded by its plain form.
func describe(p *plan, seen []*plan) ([]byte, error) {
	if len(seen) > maxDescriptor {
		return nil, errType(seen[0].typ, "has more than eight slices and maps in one another; use a struct or any in between")
	}
	for _, s := range seen {
		if s == p {
			return []byte{byte(descAny)}, nil
		}
	}
	switch p.op {
	case opSlice, opArray, opMap:
		elem, err := describe(p.elem, append(seen, p))
		if err != nil {
			return nil, err
		}
		container := descSlice
		if p.op == opMap {
			container = descMap
		}
		return append([]byte{byte(container)}, elem...), nil
	default:
		return []byte{byte(p.element)}, nil
	}
}

// typeName names the type of the value at the front of b, as errors say it.
func typeName(b []byte) string {
	d := decoder{b: b}
	_, kind, err := d.kind()
	if err != nil {
		return "damaged data"
	}
	switch kind {
	case msgp.NilType:
		return "nil"
	case msgp.BoolType:
		return "bool"
	case msgp.IntType, msgp.UintType:
		if n, err := d.integer(); err == nil {
			return reflect.TypeOf(n.natural()).String()
		}
	case msgp.Float32Type:
		return "float32"
	case msgp.Float64Type:
		return "float64"
	case msgp.StrType:
		return "string"
	case msgp.BinType:
		return "[]byte"
	case msgp.ArrayType:
		return "a list"
	case msgp.MapType:
		return "a map"
	case msgp.ExtensionType:
		typ, payload, _, err := cutExt(b)
		switch {
		case err != nil:
		case typ == extTimestamp || typ == extZoned:
			return "time.Time"
		case typ == extComplex:
			return "a complex number"
		case typ == extTyped:
			if desc, _, err := cutTyped(payload); err == nil {
				return descriptorType(desc).String()
			}
		default:
			return "an unknown extension"
		}
	}
	return "damaged data"
}
