package codec

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// An encoder appends one value to buf[start:].
type encoder struct {
	buf    []byte
	start  int
	left   int // elements
	limits limits
}

// enter counts a container of n elements at a depth.
func (e *encoder) enter(n, depth int) error {
	if depth >= e.limits.depth {
		return errDepth(e.limits.depth)
	}
	if n > e.left {
		return errElements(e.limits.elements)
	}
	e.left -= n
	return nil
}

// any appends a value so that its type is known again. The types of the
// switch are those worth being fast.
func (e *encoder) any(v any, depth int) error {
	switch v := v.(type) {
	case nil:
		e.buf = msgp.AppendNil(e.buf)
	case bool:
		e.buf = msgp.AppendBool(e.buf, v)
	case int:
		e.buf = msgp.AppendInt64(e.buf, int64(v))
	case int8:
		e.buf = appendTypedInt(e.buf, descInt8, int64(v))
	case int16:
		e.buf = appendTypedInt(e.buf, descInt16, int64(v))
	case int32:
		e.buf = appendTypedInt(e.buf, descInt32, int64(v))
	case int64:
		e.buf = appendTypedInt(e.buf, descInt64, v)
	case uint:
		e.buf = appendTypedUint(e.buf, descUint, uint64(v))
	case uint8:
		e.buf = appendTypedUint(e.buf, descUint8, uint64(v))
	case uint16:
		e.buf = appendTypedUint(e.buf, descUint16, uint64(v))
	case uint32:
		e.buf = appendTypedUint(e.buf, descUint32, uint64(v))
	case uint64:
		e.buf = appendTypedUint(e.buf, descUint64, v)
	case uintptr:
		e.buf = appendTypedUint(e.buf, descUintptr, uint64(v))
	case float32:
		e.buf = msgp.AppendFloat32(e.buf, v)
	case float64:
		e.buf = msgp.AppendFloat64(e.buf, v)
	case complex64:
		e.buf = appendComplex64(e.buf, v)
	case complex128:
		e.buf = appendComplex128(e.buf, v)
	case string:
		return e.string(v)
	case time.Duration:
		e.buf = appendTypedInt(e.buf, descDuration, int64(v))
	case time.Time:
		return e.time(v)
	case []byte:
		if v == nil {
			e.nilOf(byte(descBytes))
			return nil
		}
		return e.bytes(v)
	case []string:
		if v == nil {
			e.nilOf(byte(descSlice), byte(descString))
			return nil
		}
		start := len(e.buf)
		e.buf = append(beginExt(e.buf, extTyped), byte(descSlice), byte(descString))
		if err := e.strings(v, depth); err != nil {
			return err
		}
		e.buf = endExt(e.buf, start)
	case []any:
		if v == nil {
			e.nilOf(byte(descSlice), byte(descAny))
			return nil
		}
		return e.anys(v, depth)
	case map[string]any:
		if v == nil {
			e.nilOf(byte(descMap), byte(descAny))
			return nil
		}
		return e.anyMap(v, depth)
	default:
		rv := reflect.ValueOf(v)
		return e.dynamic(planOf(rv.Type()), rv, depth)
	}
	return nil
}

// nilOf appends the nil value of a type that is not an interface.
func (e *encoder) nilOf(desc ...byte) {
	start := len(e.buf)
	e.buf = append(beginExt(e.buf, extTyped), desc...)
	e.buf = endExt(msgp.AppendNil(e.buf), start)
}

// room checks that a string of n bytes is not what makes the value too
// large, before it is copied.
func (e *encoder) room(n int) error {
	if n > e.limits.size-(len(e.buf)-e.start) {
		return errSize(e.limits.size)
	}
	return nil
}

func (e *encoder) string(s string) error {
	if err := e.room(len(s)); err != nil {
		return err
	}
	e.buf = msgp.AppendString(e.buf, s)
	return nil
}

func (e *encoder) bytes(b []byte) error {
	if err := e.room(len(b)); err != nil {
		return err
	}
	e.buf = msgp.AppendBytes(e.buf, b)
	return nil
}

func (e *encoder) time(t time.Time) error {
	if t.Location() != time.UTC {
		if _, offset := t.Zone(); offset != int(int32(offset)) {
			return errType(timeType, "the zone's offset is out of range; use UTC")
		}
	}
	e.buf = appendTime(e.buf, t)
	return nil
}

func (e *encoder) strings(v []string, depth int) error {
	if err := e.enter(len(v), depth); err != nil {
		return err
	}
	e.buf = msgp.AppendArrayHeader(e.buf, uint32(len(v)))
	for _, s := range v {
		if err := e.string(s); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) anys(v []any, depth int) error {
	if err := e.enter(len(v), depth); err != nil {
		return err
	}
	e.buf = msgp.AppendArrayHeader(e.buf, uint32(len(v)))
	for _, x := range v {
		if err := e.any(x, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) anyMap(v map[string]any, depth int) error {
	if err := e.enter(len(v), depth); err != nil {
		return err
	}
	e.buf = msgp.AppendMapHeader(e.buf, uint32(len(v)))
	for _, k := range slices.Sorted(maps.Keys(v)) {
		if err := e.string(k); err != nil {
			return err
		}
		if err := e.any(v[k], depth+1); err != nil {
			return err
		}
	}
	return nil
}
