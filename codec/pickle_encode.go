package codec

import (
	"math/big"
	"reflect"
	"time"
)

var clockType = reflect.TypeFor[Clock]()

// A pickleEncoder appends one value.
type pickleEncoder struct {
	pickleWriter
	meter
}

// room checks that n bytes are not what makes the value too large.
func (e *pickleEncoder) room(n int) error { return e.meter.room(len(e.buf), n) }

func (e *pickleEncoder) any(v any, depth int) error {
	switch v := v.(type) {
	case nil:
		e.op(pkNone)
	case bool:
		e.bool(v)
	case int:
		e.int(int64(v))
	case int64:
		e.int(v)
	case uint64:
		return e.big(new(big.Int).SetUint64(v))
	case *big.Int:
		if v == nil {
			e.op(pkNone)
			return nil
		}
		if err := e.room(v.BitLen() / 8); err != nil {
			return err
		}
		return e.big(v)
	case float64:
		e.float(v)
	case complex128:
		e.call(classComplex, func() { e.float(real(v)) }, func() { e.float(imag(v)) })
	case string:
		return e.string(v)
	case time.Time:
		return e.time(v)
	case time.Duration:
		d, err := deltaOf(v)
		if err == nil {
			e.delta(d)
		}
		return err
	case []byte, ByteArray:
		return e.octets(v)
	case []any, Tuple, Set, FrozenSet:
		return e.list(v, depth)
	case map[string]any:
		if v == nil {
			e.op(pkNone)
			return nil
		}
		return e.record(lowerAnyMap(v), depth)
	case record:
		return e.record(v, depth)
	case Dict:
		if v == nil {
			e.op(pkNone)
			return nil
		}
		return e.items(v, e.dict, e.dictEnd, depth)
	case OrderedDict:
		if v == nil {
			e.op(pkNone)
			return nil
		}
		return e.items(v, e.orderedDict, e.itemsEnd, depth)
	case Date, Clock, TimeDelta, Decimal, UUID, Markup:
		return e.object(v)
	default:
		lowered, deep, err := lower(v)
		if err != nil {
			return err
		}
		if deep {
			if err := e.enter(0, depth); err != nil {
				return err
			}
			depth++
		}
		return e.any(lowered, depth)
	}
	return nil
}

func (e *pickleEncoder) string(s string) error {
	if err := e.room(len(s)); err != nil {
		return err
	}
	if !isText([]byte(s)) {
		return errUTF8
	}
	e.text([]byte(s))
	return nil
}

func (e *pickleEncoder) octets(v any) error {
	b, plain := v.([]byte)
	if !plain {
		b = v.(ByteArray)
	}
	if err := e.room(len(b)); err != nil {
		return err
	}
	switch {
	case b == nil:
		e.op(pkNone)
	case plain:
		e.bytes(b)
	default:
		e.byteArray(b)
	}
	return nil
}

func (e *pickleEncoder) list(v any, depth int) error {
	list, _ := listOf(v)
	if list == nil {
		e.op(pkNone)
		return nil
	}
	if err := e.enter(len(list), depth); err != nil {
		return err
	}
	n := len(list)
	begin, end := e.pickleWriter.list, e.listEnd
	var keys keyring
	switch v.(type) {
	case Tuple:
		begin, end = e.tuple, e.tupleEnd
	case Set, FrozenSet:
		_, frozen := v.(FrozenSet)
		begin = func(n int) { e.set(n, frozen) }
		end = func(n int) { e.setEnd(n, frozen) }
		keys = keyring{}
	}
	begin(n)
	for _, x := range list {
		if keys != nil {
			if err := keys.add(x); err != nil {
				return err
			}
		}
		if err := e.any(x, depth+1); err != nil {
			return err
		}
	}
	end(n)
	return nil
}

func (e *pickleEncoder) record(r record, depth int) error {
	if err := e.enter(len(r), depth); err != nil {
		return err
	}
	e.dict(len(r))
	for _, x := range r {
		if err := e.string(x.key); err != nil {
			return err
		}
		if err := e.any(x.value, depth+1); err != nil {
			return err
		}
	}
	e.dictEnd(len(r))
	return nil
}

func (e *pickleEncoder) items(items []Item, begin, end func(int), depth int) error {
	if err := e.enter(len(items), depth); err != nil {
		return err
	}
	begin(len(items))
	keys := keyring{}
	for _, x := range items {
		if err := keys.add(x.Key); err != nil {
			return err
		}
		if err := e.any(x.Key, depth+1); err != nil {
			return err
		}
		if err := e.any(x.Value, depth+1); err != nil {
			return err
		}
	}
	end(len(items))
	return nil
}

func (e *pickleEncoder) object(v any) error {
	switch v := v.(type) {
	case Date:
		if !v.valid() {
			return errType(reflect.TypeFor[Date](), "there is no such date")
		}
		e.moment(classDate, appendDate(nil, v), nil)
	case Clock:
		return e.clock(v)
	case TimeDelta:
		if !v.valid() {
			return errType(reflect.TypeFor[TimeDelta](), "out of range")
		}
		e.delta(v)
	case Decimal:
		if !validDecimal([]byte(v)) {
			return errType(reflect.TypeFor[Decimal](), "the text is no decimal number")
		}
		e.call(classDecimal, func() { e.text([]byte(v)) })
	case Markup:
		if err := e.room(len(v)); err != nil {
			return err
		}
		if !isText([]byte(v)) {
			return errUTF8
		}
		e.call(classMarkup, func() { e.text([]byte(v)) })
	case UUID:
		e.uuid(func() { _ = e.big(new(big.Int).SetBytes(v[:])) }, nil)
	}
	return nil
}
