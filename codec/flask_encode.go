package codec

import (
	"math/big"
	"reflect"
	"time"
	"unicode/utf8"
)

// A flaskWriter writes the values of one of the formats of msgspec.
type flaskWriter interface {
	null()
	bool(b bool)
	int(i int64)
	big(n *big.Int) error
	float(f float64) error
	text(s string)
	bytes(b []byte)
	time(t time.Time) error

	// key returns what stands for the key of a dict, which the encoder is
	// to write.
	key(k any) (any, error)

	list(n int)
	dict(n int)
	next(i int) // before element, or key, i
	value()     // between a key and its value
	listEnd()
	dictEnd()

	done() []byte // what was written
	size() int
}

// A flaskEncoder writes one value in one of the formats of msgspec.
type flaskEncoder struct {
	meter
	format flaskWriter
}

func (e *flaskEncoder) encode(v any) ([]byte, error) {
	if err := e.any(v, 0); err != nil {
		return nil, err
	}
	return e.format.done(), e.room(e.format.size(), 0)
}

func (e *flaskEncoder) any(v any, depth int) error {
	w := e.format
	switch v := v.(type) {
	case nil:
		w.null()
	case bool:
		w.bool(v)
	case int:
		w.int(int64(v))
	case int64:
		w.int(v)
	case uint64:
		return w.big(new(big.Int).SetUint64(v))
	case *big.Int:
		if v == nil {
			w.null()
			return nil
		}
		return w.big(v)
	case float64:
		return w.float(v)
	case complex128:
		return errType(reflect.TypeOf(v), "complex numbers have no form in this format")
	case string:
		return e.text(v)
	case Markup:
		return e.text(string(v))
	case Decimal:
		if !validDecimal([]byte(v)) {
			return errType(reflect.TypeOf(v), "the text is no decimal number")
		}
		return e.text(string(v))
	case time.Time:
		if isNaive(v) {
			text, err := timeText(v)
			if err != nil {
				return err
			}
			return e.text(text)
		}
		return w.time(v)
	case time.Duration:
		d, err := deltaOf(v)
		if err != nil {
			return err
		}
		return e.text(d.String())
	case []byte:
		return e.bytes(v)
	case ByteArray:
		return e.bytes(v)
	case []any:
		return e.list(v, depth)
	case Tuple:
		return e.list(v, depth)
	case Set:
		return e.list(v, depth)
	case FrozenSet:
		return e.list(v, depth)
	case map[string]any:
		if v == nil {
			w.null()
			return nil
		}
		return e.record(lowerAnyMap(v), depth)
	case record:
		return e.record(v, depth)
	case Dict:
		return e.items(v, depth)
	case OrderedDict:
		return e.items(v, depth)
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

func (e *flaskEncoder) text(s string) error {
	if err := e.room(e.format.size(), len(s)); err != nil {
		return err
	}
	if !utf8.ValidString(s) {
		return errUTF8
	}
	e.format.text(s)
	return nil
}

func (e *flaskEncoder) bytes(b []byte) error {
	if err := e.room(e.format.size(), len(b)); err != nil {
		return err
	}
	if b == nil {
		e.format.null()
	} else {
		e.format.bytes(b)
	}
	return nil
}

func (e *flaskEncoder) list(list []any, depth int) error {
	if list == nil {
		e.format.null()
		return nil
	}
	if err := e.enter(len(list), depth); err != nil {
		return err
	}
	e.format.list(len(list))
	for i, x := range list {
		e.format.next(i)
		if err := e.any(x, depth+1); err != nil {
			return err
		}
	}
	e.format.listEnd()
	return nil
}

func (e *flaskEncoder) record(r record, depth int) error {
	if err := e.enter(len(r), depth); err != nil {
		return err
	}
	e.format.dict(len(r))
	for i, x := range r {
		e.format.next(i)
		if err := e.text(x.key); err != nil {
			return err
		}
		e.format.value()
		if err := e.any(x.value, depth+1); err != nil {
			return err
		}
	}
	e.format.dictEnd()
	return nil
}

func (e *flaskEncoder) items(items []Item, depth int) error {
	if items == nil {
		e.format.null()
		return nil
	}
	if err := e.enter(len(items), depth); err != nil {
		return err
	}
	e.format.dict(len(items))
	keys := keyring{}
	for i, x := range items {
		key, err := e.format.key(x.Key)
		if err != nil {
			return err
		}
		if err := keys.add(key); err != nil {
			return err
		}
		e.format.next(i)
		if err := e.any(key, depth+1); err != nil {
			return err
		}
		e.format.value()
		if err := e.any(x.Value, depth+1); err != nil {
			return err
		}
	}
	e.format.dictEnd()
	return nil
}
