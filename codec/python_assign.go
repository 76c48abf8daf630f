package codec

import (
	"encoding"
	"encoding/base64"
	"errors"
	"math/big"
	"reflect"
	"time"
)

// An assigner puts a value, as Decode of a codec that Python programs share
// gives it, into a variable of any type, when nothing is lost by that.
type assigner struct {
	texts  bool // times and durations may be texts
	base64 bool // bytes may be texts
}

var errPointer = errors.New("the destination is not a non-nil pointer")

// pointer assigns to what p points to. x is nobody else's.
func (a assigner) pointer(p, x any) error {
	switch p := p.(type) {
	case *any:
		if p != nil {
			*p = x
			return nil
		}
	case *string:
		if s, ok := x.(string); ok && p != nil {
			*p = s
			return nil
		}
	case *int:
		if i, ok := x.(int); ok && p != nil {
			*p = i
			return nil
		}
	case *bool:
		if b, ok := x.(bool); ok && p != nil {
			*p = b
			return nil
		}
	}
	v := reflect.ValueOf(p)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return errPointer
	}
	return a.into(planOf(v.Type().Elem()), v.Elem(), x)
}

func (a assigner) into(p *plan, v reflect.Value, x any) error {
	if x != nil && reflect.TypeOf(x) == p.typ && p.op != opStruct || p.op == opAny {
		if x == nil {
			v.SetZero()
		} else {
			v.Set(reflect.ValueOf(x))
		}
		return nil
	}
	if x == nil {
		switch p.typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			if err := p.usable(); err != nil {
				return err
			}
			v.SetZero()
			return nil
		}
		return errMismatch("None", p.typ)
	}
	ok, err := a.known(p, v, x)
	if err != nil || ok {
		return err
	}
	switch p.op {
	case opBool:
		var b bool
		if b, ok = x.(bool); ok {
			v.SetBool(b)
		}
	case opInt, opUint:
		ok = assignInteger(v, x)
	case opFloat32, opFloat64:
		ok = assignFloat(v, x, p.op == opFloat32)
	case opComplex64, opComplex128:
		ok = assignComplex(v, x, p.op == opComplex64)
	case opString:
		var s string
		if s, ok = textOf(x); ok {
			v.SetString(s)
		}
	case opBytes, opByteArray:
		ok, err = a.bytes(v, x)
	case opText:
		if s, is := textOf(x); is {
			ok, v = true, v.Addr()
			v.Elem().SetZero()
			if cause := v.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); cause != nil {
				err = &methodError{p.typ, "UnmarshalText", cause}
			}
		}
	case opBinary:
		b, is := x.([]byte)
		if s, text := x.(string); text && a.base64 {
			b, err = base64.StdEncoding.DecodeString(s)
			is = err == nil
			err = nil
		}
		if is {
			ok, v = true, v.Addr()
			v.Elem().SetZero()
			if cause := v.Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(b); cause != nil {
				err = &methodError{p.typ, "UnmarshalBinary", cause}
			}
		}
	case opSlice, opArray:
		ok, err = a.list(p, v, x)
	case opMap:
		ok, err = a.stringMap(p, v, x)
	case opStruct:
		ok, err = a.structure(p, v, x)
	case opPointer:
		target := reflect.New(p.typ.Elem())
		if err := a.into(p.elem, target.Elem(), x); err != nil {
			return err
		}
		v.Set(target.Convert(p.typ))
		return nil
	case opBad:
		if p.otherKeys() == nil {
			return p.err
		}
		ok, err = a.otherMap(p, v, x)
	}
	if err == nil && !ok {
		err = errMismatch(pythonName(x), p.typ)
	}
	return err
}

// known assigns to the types that stand for a type of Python and to times.
func (a assigner) known(p *plan, v reflect.Value, x any) (ok bool, err error) {
	switch p.typ {
	case timeType:
		var t time.Time
		switch x := x.(type) {
		case time.Time:
			t, ok = x, true
		case Date:
			t, ok = x.Time(), true
		case string:
			if a.texts {
				t, ok = parseTimeText(x)
			}
		}
		if ok {
			v.Set(reflect.ValueOf(t))
		}
		return ok, mismatch(ok, x, p.typ)
	case durationType:
		delta, ok := x.(TimeDelta)
		d, is := x.(time.Duration)
		if s, text := x.(string); text && a.texts {
			ok = delta.UnmarshalText([]byte(s)) == nil
		}
		if ok {
			d, is = delta.Duration()
		}
		if is {
			v.SetInt(int64(d))
		}
		return is, mismatch(is, x, p.typ)
	case bigType:
		n, ok := asInteger(x)
		if _, isBool := x.(bool); ok && !isBool {
			v.Addr().Interface().(*big.Int).Set(n)
			return true, nil
		}
	}
	switch target := v.Addr().Interface().(type) {
	case *Dict:
		var items []Item
		if items, ok = itemsOf(x); ok {
			*target = items
		}
	case *OrderedDict:
		var items []Item
		if items, ok = itemsOf(x); ok {
			*target = items
		}
	case *TimeDelta:
		if d, is := x.(time.Duration); is {
			*target, err = deltaOf(d)
			return true, err
		}
	}
	return ok, nil
}

func mismatch(ok bool, x any, want reflect.Type) error {
	if ok {
		return nil
	}
	return errMismatch(pythonName(x), want)
}
