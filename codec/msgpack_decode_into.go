package codec

import (
	"encoding"
	"reflect"
	"slices"

	"github.com/tinylib/msgp/msgp"
)

// into reads a value into a variable of a plan's type.
func (d *decoder) into(p *plan, v reflect.Value, depth int) error {
	if p.op == opAny {
		x, err := d.value(depth)
		if err != nil {
			return err
		}
		if x == nil {
			v.SetZero()
		} else {
			v.Set(reflect.ValueOf(x))
		}
		return nil
	}
	_, kind, err := d.kind()
	if err != nil {
		return err
	}
	if kind == msgp.ExtensionType {
		typ, payload, rest, err := cutExt(d.b)
		if err != nil {
			return err
		}
		if typ == extTyped {
			desc, body, err := cutTyped(payload)
			if err != nil {
				return err
			}
			d.b = body
			_, kind, err = d.kind()
			if err == nil {
				err = d.intoPlain(p, v, depth, kind, desc)
			}
			if err == nil {
				err = d.close()
			}
			d.b = rest
			return err
		}
	}
	return d.intoPlain(p, v, depth, kind, nil)
}

// intoPlain is into without the type that the data may say, which desc holds
// for error texts.
func (d *decoder) intoPlain(p *plan, v reflect.Value, depth int, kind msgp.Type, desc []byte) error {
	start, ok := d.b, false
	var err error
	switch p.op {
	case opBool:
		if ok = kind == msgp.BoolType; ok {
			var b bool
			b, err = d.bool()
			v.SetBool(b)
		}
	case opInt, opUint:
		if kind == msgp.IntType || kind == msgp.UintType {
			ok, err = d.intoInteger(v, p.op == opInt)
		}
	case opFloat32, opFloat64:
		ok, err = d.intoFloat(v, p.op == opFloat32, kind)
	case opComplex64, opComplex128, opTime:
		if kind == msgp.ExtensionType {
			ok, err = d.intoExtension(v, p.op)
		}
	case opString:
		if ok = kind == msgp.StrType; ok {
			var s string
			s, err = d.string()
			v.SetString(s)
		}
	case opBytes:
		if ok = kind == msgp.BinType; ok {
			var b []byte
			b, err = d.bytes()
			v.SetBytes(b)
		}
	case opByteArray:
		if ok = kind == msgp.BinType; ok {
			var b []byte
			if b, err = d.binary(); err == nil {
				if ok = len(b) == v.Len(); ok {
					reflect.Copy(v, reflect.ValueOf(b))
				}
			}
		}
	case opText:
		if ok = kind == msgp.StrType; ok {
			var s []byte
			if s, err = d.text(); err == nil {
				v.SetZero()
				if cause := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(slices.Clone(s)); cause != nil {
					err = &methodError{p.typ, "UnmarshalText", cause}
				}
			}
		}
	case opBinary:
		if ok = kind == msgp.BinType; ok {
			var s []byte
			if s, err = d.binary(); err == nil {
				v.SetZero()
				if cause := v.Addr().Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(slices.Clone(s)); cause != nil {
					err = &methodError{p.typ, "UnmarshalBinary", cause}
				}
			}
		}
	case opSlice:
		if ok = kind == msgp.ArrayType; ok {
			err = d.intoSlice(p, v, depth)
		}
	case opArray:
		if kind == msgp.ArrayType {
			ok, err = d.intoArray(p, v, depth)
		}
	case opMap:
		if ok = kind == msgp.MapType; ok {
			err = d.intoMap(p, v, depth)
		}
	case opStruct:
		if ok = kind == msgp.MapType; ok {
			err = d.intoStruct(p, v, depth)
		}
	case opPointer:
		if ok = kind != msgp.NilType; ok {
			err = d.intoPointer(p, v, depth)
		}
	default:
		return p.err
	}
	if err != nil || ok {
		return err
	}
	if kind == msgp.NilType && (p.op == opPointer || p.op == opSlice || p.op == opMap || p.op == opBytes) {
		d.b = d.b[1:]
		v.SetZero()
		return nil
	}
	have := typeName(start)
	if desc != nil {
		have = descriptorType(desc).String()
	}
	return errMismatch(have, p.typ)
}

func (d *decoder) intoInteger(v reflect.Value, signed bool) (bool, error) {
	n, err := d.integer()
	if err != nil {
		return false, err
	}
	if signed {
		i, ok := n.int64()
		if ok = ok && !v.OverflowInt(i); ok {
			v.SetInt(i)
		}
		return ok, nil
	}
	ok := !n.negative && !v.OverflowUint(n.u)
	if ok {
		v.SetUint(n.u)
	}
	return ok, nil
}

func (d *decoder) intoFloat(v reflect.Value, short bool, kind msgp.Type) (bool, error) {
	var f float64
	ok := true
	switch kind {
	case msgp.Float32Type, msgp.Float64Type:
		x, rest, err := msgp.ReadFloat64Bytes(d.b)
		if err != nil {
			return false, errTruncated
		}
		f, d.b = x, rest
	case msgp.IntType, msgp.UintType:
		n, err := d.integer()
		if err != nil {
			return false, err
		}
		f, ok = n.float64()
	default:
		return false, nil
	}
	if ok && short {
		_, ok = float32Of(f)
	}
	if ok {
		v.SetFloat(f)
	}
	return ok, nil
}

// intoExtension reads a time or a complex number.
func (d *decoder) intoExtension(v reflect.Value, op op) (bool, error) {
	typ, payload, rest, err := cutExt(d.b)
	if err != nil {
		return false, err
	}
	if op == opTime {
		if typ != extTimestamp && typ != extZoned {
			return false, nil
		}
		t, err := parseTime(typ, payload)
		if err == nil {
			d.b = rest
			v.Set(reflect.ValueOf(t))
		}
		return true, err
	}
	if typ != extComplex {
		return false, nil
	}
	x, err := parseComplex(payload)
	if err != nil {
		return false, err
	}
	c, long := x.(complex128)
	if !long {
		c = complex128(x.(complex64))
	} else if op == opComplex64 {
		_, re := float32Of(real(c))
		_, im := float32Of(imag(c))
		if !re || !im {
			return false, nil
		}
	}
	d.b = rest
	v.SetComplex(c)
	return true, nil
}
