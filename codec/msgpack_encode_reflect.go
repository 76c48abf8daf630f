package codec

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// dynamic appends a value so that its type is known again.
func (e *encoder) dynamic(p *plan, v reflect.Value, depth int) error {
	switch p.op {
	case opPointer:
		if v.IsNil() {
			e.buf = msgp.AppendNil(e.buf)
			return nil
		}
		if p.deep {
			if err := e.enter(0, depth); err != nil {
				return err
			}
			depth++
		}
		return e.dynamic(p.elem, v.Elem(), depth)
	case opSlice, opMap, opBytes:
		if v.IsNil() && p.descErr == nil {
			e.nilOf(p.desc...)
			return nil
		}
	}
	if !p.typed {
		return e.plain(p, v, depth)
	}
	if p.descErr != nil {
		return p.descErr
	}
	start := len(e.buf)
	e.buf = append(beginExt(e.buf, extTyped), p.desc...)
	if err := e.plain(p, v, depth); err != nil {
		return err
	}
	e.buf = endExt(e.buf, start)
	return nil
}

// plain appends a value whose type will be known from the context, as that of
// an element or field.
func (e *encoder) plain(p *plan, v reflect.Value, depth int) error {
	switch p.op {
	case opBool:
		e.buf = msgp.AppendBool(e.buf, v.Bool())
	case opInt:
		e.buf = msgp.AppendInt64(e.buf, v.Int())
	case opUint:
		e.buf = msgp.AppendUint64(e.buf, v.Uint())
	case opFloat32:
		e.buf = msgp.AppendFloat32(e.buf, float32(v.Float()))
	case opFloat64:
		e.buf = msgp.AppendFloat64(e.buf, v.Float())
	case opComplex64:
		e.buf = appendComplex64(e.buf, complex64(v.Complex()))
	case opComplex128:
		e.buf = appendComplex128(e.buf, v.Complex())
	case opString:
		return e.string(v.String())
	case opBytes:
		if v.IsNil() {
			e.buf = msgp.AppendNil(e.buf)
			return nil
		}
		return e.bytes(v.Bytes())
	case opByteArray:
		return e.byteArray(v)
	case opTime:
		return e.time(v.Interface().(time.Time))
	case opText, opBinary:
		return e.marshal(p, v)
	case opAny:
		if v.IsNil() {
			e.buf = msgp.AppendNil(e.buf)
			return nil
		}
		return e.any(v.Interface(), depth)
	case opSlice, opArray:
		return e.list(p, v, depth)
	case opMap:
		return e.dict(p, v, depth)
	case opStruct:
		return e.structure(p, v, depth)
	case opPointer:
		if v.IsNil() {
			e.buf = msgp.AppendNil(e.buf)
			return nil
		}
		if p.deep {
			if err := e.enter(0, depth); err != nil {
				return err
			}
			depth++
		}
		return e.plain(p.elem, v.Elem(), depth)
	default:
		return p.err
	}
	return nil
}

func (e *encoder) byteArray(v reflect.Value) error {
	n := v.Len()
	if err := e.room(n); err != nil {
		return err
	}
	e.buf = msgp.AppendBytesHeader(e.buf, uint32(n))
	e.buf = slices.Grow(e.buf, n)
	dst := e.buf[len(e.buf) : len(e.buf)+n]
	if v.CanAddr() {
		copy(dst, v.Bytes())
	} else {
		reflect.Copy(reflect.ValueOf(dst), v)
	}
	e.buf = e.buf[:len(e.buf)+n]
	return nil
}

// marshal appends what a value's own method says.
func (e *encoder) marshal(p *plan, v reflect.Value) error {
	if !v.CanAddr() { // for methods of the pointer
		addressable := reflect.New(p.typ).Elem()
		addressable.Set(v)
		v = addressable
	}
	method, self := "MarshalText", v.Addr().Interface()
	var out []byte
	var err error
	if p.op == opText {
		out, err = self.(encoding.TextMarshaler).MarshalText()
	} else {
		method = "MarshalBinary"
		out, err = self.(encoding.BinaryMarshaler).MarshalBinary()
	}
	switch {
	case err != nil:
		return &methodError{p.typ, method, err}
	case p.op == opBinary:
		return e.bytes(out)
	}
	if err := e.room(len(out)); err != nil {
		return err
	}
	e.buf = msgp.AppendStringFromBytes(e.buf, out)
	return nil
}

func (e *encoder) list(p *plan, v reflect.Value, depth int) error {
	if p.op == opSlice && v.IsNil() {
		e.buf = msgp.AppendNil(e.buf)
		return nil
	}
	if p.elem.op == opBad {
		return p.elem.err
	}
	n := v.Len()
	if err := e.enter(n, depth); err != nil {
		return err
	}
	e.buf = msgp.AppendArrayHeader(e.buf, uint32(n))
	for i := range n {
		if err := e.plain(p.elem, v.Index(i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) dict(p *plan, v reflect.Value, depth int) error {
	if v.IsNil() {
		e.buf = msgp.AppendNil(e.buf)
		return nil
	}
	if p.elem.op == opBad {
		return p.elem.err
	}
	if err := e.enter(v.Len(), depth); err != nil {
		return err
	}
	type entry struct {
		key   string
		value reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		entries = append(entries, entry{it.Key().String(), it.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	e.buf = msgp.AppendMapHeader(e.buf, uint32(len(entries)))
	for _, x := range entries {
		if err := e.string(x.key); err != nil {
			return err
		}
		if err := e.plain(p.elem, x.value, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) structure(p *plan, v reflect.Value, depth int) error {
	n := 0
	for i := range p.fields {
		if f := &p.fields[i]; f.present(v) {
			n++
		}
	}
	if err := e.enter(n, depth); err != nil {
		return err
	}
	e.buf = msgp.AppendMapHeader(e.buf, uint32(n))
	for i := range p.fields {
		f := &p.fields[i]
		if !f.present(v) {
			continue
		}
		if err := e.string(f.name); err != nil {
			return err
		}
		fv, _ := f.of(v)
		if err := e.plain(f.plan, fv, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// present reports whether a field is written.
func (f *field) present(v reflect.Value) bool {
	if !f.omitEmpty && len(f.path) == 1 {
		return true
	}
	fv, ok := f.of(v)
	return ok && !(f.omitEmpty && isEmpty(fv))
}
