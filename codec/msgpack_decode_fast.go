package codec

import (
	"errors"
	"github.com/tinylib/msgp/msgp"
	"reflect"
	"time"
)

// pointer reads a value into what p points to. The types of the switch are
// those worth being fast.
func (d *decoder) pointer(p any) error {
	_, kind, err := d.kind()
	if err != nil {
		return err
	}
	switch p := p.(type) {
	case *any:
		if p != nil {
			*p, err = d.value(0)
			return err
		}
	case *string:
		if p != nil && kind == msgp.StrType {
			*p, err = d.string()
			return err
		}
	case *bool:
		if p != nil && kind == msgp.BoolType {
			*p, err = d.bool()
			return err
		}
	case *int:
		if p != nil {
			return fastInteger(d, p, kind)
		}
	case *int64:
		if p != nil {
			return fastInteger(d, p, kind)
		}
	case *int32:
		if p != nil {
			return fastInteger(d, p, kind)
		}
	case *uint64:
		if p != nil {
			return fastInteger(d, p, kind)
		}
	case *time.Duration:
		if p != nil {
			return fastInteger(d, p, kind)
		}
	case *float64:
		if p != nil && kind == msgp.Float64Type {
			*p, err = d.float64()
			return err
		}
	case *[]byte:
		if p != nil && kind == msgp.BinType {
			*p, err = d.bytes()
			return err
		}
	case *time.Time:
		if p != nil && kind == msgp.ExtensionType {
			return d.time(p)
		}
	case *[]string:
		if p != nil && kind == msgp.ExtensionType {
			if typ, payload, rest, err := cutExt(d.b); err == nil && typ == extTyped && string(payload[:min(2, len(payload))]) == stringsDescriptor {
				d.b = payload[len(stringsDescriptor):]
				if *p, err = d.strings(0); err == nil {
					err = d.close()
				}
				d.b = rest
				return err
			}
		}
	case *[]any:
		if p != nil && kind == msgp.ArrayType {
			*p, err = d.anys(0)
			return err
		}
	case *map[string]any:
		if p != nil && kind == msgp.MapType {
			*p, err = d.anyMap(0)
			return err
		}
	}
	v := reflect.ValueOf(p)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return errors.New("the destination is not a non-nil pointer")
	}
	v = v.Elem()
	return d.into(planOf(v.Type()), v, 0)
}

// fastInteger reads a plain integer, or one with its type.
func fastInteger[T int | int32 | int64 | uint64 | time.Duration](d *decoder, p *T, kind msgp.Type) error {
	if kind == msgp.ExtensionType {
		typ, payload, rest, err := cutExt(d.b)
		if err != nil {
			return err
		}
		if typ == extTyped {
			_, body, err := cutTyped(payload)
			if err != nil {
				return err
			}
			inner := decoder{b: body, limits: d.limits}
			if _, kind, err = inner.kind(); err != nil {
				return err
			}
			if kind == msgp.IntType || kind == msgp.UintType {
				if err := fastInteger(&inner, p, kind); err != nil {
					return err
				}
				d.b = rest
				return inner.close()
			}
		}
	}
	if kind != msgp.IntType && kind != msgp.UintType {
		return errMismatch(typeName(d.b), reflect.TypeFor[T]())
	}
	start := d.b
	n, err := d.integer()
	if err != nil {
		return err
	}
	v := T(n.u)
	if (v < 0) != n.negative || uint64(v) != n.u {
		return errMismatch(typeName(start), reflect.TypeFor[T]())
	}
	*p = v
	return nil
}

// time reads a time.
func (d *decoder) time(p *time.Time) error {
	typ, payload, rest, err := cutExt(d.b)
	if err != nil {
		return err
	}
	if typ != extTimestamp && typ != extZoned {
		return errMismatch(typeName(d.b), timeType)
	}
	d.b = rest
	*p, err = parseTime(typ, payload)
	return err
}
