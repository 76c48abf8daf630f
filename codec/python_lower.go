package codec

import (
	"cmp"
	"encoding"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

var bigType = reflect.TypeFor[big.Int]()

// A record is what a struct or a map of other than any becomes.
type record []recordItem

type recordItem struct {
	key   string
	value any
}

// lower returns a value whose Go type none of the encoders for Python knows as
// one of a type that they know, or closer to one: it goes in by one container
// or pointer. deep says that it must be counted as a container, as there may
// be no end.
func lower(v any) (_ any, deep bool, err error) {
	rv := reflect.ValueOf(v)
	p := planOf(rv.Type())
	switch p.op {
	case opBool:
		return rv.Bool(), false, nil
	case opInt:
		return rv.Int(), false, nil
	case opUint:
		return rv.Uint(), false, nil
	case opFloat32, opFloat64:
		return rv.Float(), false, nil
	case opComplex64, opComplex128:
		return rv.Complex(), false, nil
	case opString:
		return rv.String(), false, nil
	case opBytes, opByteArray:
		return lowerBytes(p, rv), false, nil
	case opText, opBinary:
		v, err := lowerMarshaler(p, rv)
		return v, false, err
	case opSlice, opArray:
		v, err := lowerList(p, rv)
		return v, false, err
	case opMap:
		v, err := lowerMap(p, rv)
		return v, false, err
	case opStruct:
		return lowerStruct(p, rv), false, nil
	case opPointer:
		if rv.IsNil() {
			return nil, false, p.elem.usable()
		}
		return rv.Elem().Interface(), p.deep, nil
	case opBad:
		if keys := p.otherKeys(); keys != nil {
			v, err := lowerOtherMap(p, rv)
			return v, false, err
		}
	}
	return nil, false, p.err
}

// usable returns why no value of the plan's type can be written, also in an
// empty container.
func (p *plan) usable() error {
	if p.op == opBad && p.otherKeys() == nil {
		return p.err
	}
	return nil
}

// otherKeys returns the key type of a map that the formats of Python can hold
// and those for Go cannot, or nil.
func (p *plan) otherKeys() reflect.Type {
	if p.op != opBad || p.typ.Kind() != reflect.Map || p.elem.usable() != nil {
		return nil
	}
	switch planOf(p.typ.Key()).op {
	case opInt, opUint, opFloat32, opFloat64, opBool:
		return p.typ.Key()
	}
	return nil
}

func lowerBytes(p *plan, v reflect.Value) any {
	if p.op == opBytes {
		if v.IsNil() {
			return nil
		}
		return v.Bytes()
	}
	b := make([]byte, v.Len())
	reflect.Copy(reflect.ValueOf(b), v)
	return b
}

// lowerMarshaler returns what a value's own method says.
func lowerMarshaler(p *plan, v reflect.Value) (any, error) {
	addressable := reflect.New(p.typ) // for methods of the pointer
	addressable.Elem().Set(v)
	self := addressable.Interface()
	if i, ok := self.(*big.Int); ok {
		return i, nil
	}
	if p.op == opText {
		text, err := self.(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return nil, &methodError{p.typ, "MarshalText", err}
		}
		return string(text), nil
	}
	data, err := self.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, &methodError{p.typ, "MarshalBinary", err}
	}
	return append([]byte{}, data...), nil
}

func lowerList(p *plan, v reflect.Value) (any, error) {
	if p.op == opSlice && v.IsNil() || p.elem.usable() != nil {
		return nil, p.elem.usable()
	}
	list := make([]any, v.Len())
	for i := range list {
		list[i] = v.Index(i).Interface()
	}
	return list, nil
}

func lowerMap(p *plan, v reflect.Value) (any, error) {
	if v.IsNil() || p.elem.usable() != nil {
		return nil, p.elem.usable()
	}
	r := make(record, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		r = append(r, recordItem{it.Key().String(), it.Value().Interface()})
	}
	slices.SortFunc(r, func(a, b recordItem) int { return strings.Compare(a.key, b.key) })
	return r, nil
}

func lowerAnyMap(m map[string]any) record {
	r := make(record, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		r = append(r, recordItem{k, m[k]})
	}
	return r
}

func lowerOtherMap(p *plan, v reflect.Value) (any, error) {
	if v.IsNil() {
		return nil, nil
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		switch {
		case a.CanInt():
			return cmp.Compare(a.Int(), b.Int())
		case a.CanUint():
			return cmp.Compare(a.Uint(), b.Uint())
		case a.CanFloat():
			return cmp.Compare(a.Float(), b.Float())
		case a.Bool() == b.Bool():
			return 0
		case a.Bool():
			return 1
		default:
			return -1
		}
	})
	d := make(Dict, len(keys))
	for i, k := range keys {
		d[i] = Item{k.Interface(), v.MapIndex(k).Interface()}
	}
	return d, nil
}

func lowerStruct(p *plan, v reflect.Value) record {
	r := make(record, 0, len(p.fields))
	for i := range p.fields {
		if f := &p.fields[i]; f.present(v) {
			if fv, ok := f.of(v); ok {
				r = append(r, recordItem{f.name, fv.Interface()})
			}
		}
	}
	return r
}

// isText tells whether b is what UTF-8 is for Python: it may hold surrogates,
// half a pair each, as three bytes.
func isText(b []byte) bool {
	for {
		if utf8.Valid(b) {
			return true
		}
		for len(b) > 0 {
			r, n := utf8.DecodeRune(b)
			if r == utf8.RuneError && n <= 1 {
				break
			}
			b = b[n:]
		}
		if surrogate(b) < 0 {
			return false
		}
		for surrogate(b) >= 0 {
			b = b[3:]
		}
	}
}

// surrogate returns the half of a surrogate pair that b begins with, or -1.
func surrogate(b []byte) rune {
	if len(b) < 3 || b[0] != 0xed || b[1] < 0xa0 || b[1] > 0xbf || b[2]&0xc0 != 0x80 {
		return -1
	}
	return 0xd000 | rune(b[1]&0x3f)<<6 | rune(b[2]&0x3f)
}
