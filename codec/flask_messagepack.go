package codec

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// FlaskMessagePack is the format in which Flask-Session 0.6 and later keep a
// session by default: one map, in plain MessagePack, as Python's package
// msgspec writes it. It is for programs that share sessions with Python. The
// zero value is ready to use. Its methods may be called by any number of
// goroutines at once.
//
// Decode gives nil, bool, int (int64 or uint64 when only these can hold it),
// float64, string, []byte, []any, [time.Time] in UTC and map[string]any, or
// [Dict] for a map with other keys. Python gives the like: MessagePack has no
// form for other types, and msgspec writes tuples and sets as lists, and
// datetimes without a time zone, dates, times, timedeltas, Decimals and UUIDs as
// texts. Append writes the Go types for these, [Tuple] to [UUID],
// [time.Duration] and times in [Naive], in the same way.
//
//   - A time becomes one in UTC and loses what is below a microsecond, as
//     Python's clocks have no nanoseconds. A Duration with nanoseconds is an
//     error; round it.
//   - Integers of more than 64 bits, complex numbers, strings that are not
//     UTF-8, and what only Go has, as functions and channels, are an error.
//     All other types are written as [Pickle] writes them.
//
// DecodeInto converts as that of Pickle does, and the texts to what they were:
// time.Time, time.Duration, Date, Clock, Decimal and UUID.
//
// Append sorts the keys of maps: equal values have equal encodings. For what
// only Go reads there is [MessagePack], whose extensions keep Go types.
type FlaskMessagePack struct {
	// MaxDepth is how many containers a value may have inside one
	// another. Zero or less means 64.
	MaxDepth int

	// MaxElements is how many elements and entries the containers of one
	// value may have together, and how many keys a document may have. Zero
	// or less means 1<<20.
	MaxElements int

	// MaxSize is the largest size of a document, in bytes, and so of a
	// value. Zero or less means 64 MiB; the most is 2 GiB - 1.
	MaxSize int
}

var _ Codec = FlaskMessagePack{}

func (c FlaskMessagePack) limits() limits { return newLimits(c.MaxDepth, c.MaxElements, c.MaxSize) }

// Append implements [Codec]. When it fails it returns dst unchanged in
// length, with an error that names the Go type that is to blame.
func (c FlaskMessagePack) Append(dst []byte, v any) ([]byte, error) {
	e := flaskEncoder{meter: newMeter(len(dst), c.limits()), format: &packWriter{dst}}
	out, err := e.encode(v)
	if err != nil {
		return dst, fmt.Errorf("codec: flask messagepack: encode: %w", err)
	}
	return out, nil
}

// Decode implements [Codec].
func (c FlaskMessagePack) Decode(raw []byte) (any, error) {
	v, err := c.decode(raw)
	if err != nil {
		return nil, fmt.Errorf("codec: flask messagepack: decode: %w", err)
	}
	return v, nil
}

func (c FlaskMessagePack) decode(raw []byte) (any, error) {
	d := decoder{limits: c.limits(), flask: true}
	if err := d.open(raw); err != nil {
		return nil, err
	}
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	return v, d.close()
}

// DecodeInto implements [Codec]. An error names the two types that do not
// fit, never a value.
func (c FlaskMessagePack) DecodeInto(raw []byte, p any) error {
	v, err := c.decode(raw)
	if err == nil {
		err = assigner{texts: true}.pointer(p, v)
	}
	if err != nil {
		return fmt.Errorf("codec: flask messagepack: decode: %w", err)
	}
	return nil
}

// Split implements [Codec]. It is that of [MessagePack], but an extension
// other than the timestamp, which Python would not read, is an error.
func (c FlaskMessagePack) Split(doc []byte, yield func(Entry) error) error {
	w := walker{b: doc, limits: c.limits(), flask: true}
	return w.split("codec: flask messagepack: split: %w", yield)
}

// Join implements [Codec]. It checks the keys, their number and the size of
// the document, and trusts each Raw to be from Append. When it fails it
// returns dst unchanged in length.
func (c FlaskMessagePack) Join(dst []byte, entries []Entry) ([]byte, error) {
	l := c.limits()
	doc, err := joinMessagePack(dst, entries, l)
	if err == nil && len(doc)-len(dst) > l.size {
		err = errSize(l.size)
	}
	if slices.ContainsFunc(entries, func(e Entry) bool { return !utf8.Valid(e.Key) }) {
		err = errUTF8
	}
	if err != nil {
		return dst, fmt.Errorf("codec: flask messagepack: join: %w", err)
	}
	return doc, nil
}

// checkTimestamp returns an error for an extension that is no timestamp which
// Python can read.
func checkTimestamp(typ int8, payload []byte) error {
	if typ != extTimestamp {
		return errExtension
	}
	t, err := parseTime(typ, payload)
	if err == nil && (t.Year() < 1 || t.Year() > 9999) {
		err = errYear
	}
	return err
}

// utf8 reads a string that must be UTF-8.
func (d *decoder) utf8() (string, error) {
	s, err := d.text()
	if err == nil && !utf8.Valid(s) {
		err = errUTF8
	}
	return string(s), err
}

// flaskMap reads a map with any keys that Python can hash.
func (d *decoder) flaskMap(depth int) (any, error) {
	n, err := d.mapHeader(depth)
	if err != nil {
		return nil, err
	}
	items := make([]Item, 0, min(n, mapHint))
	texts := true
	for range n {
		key, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		value, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		_, text := key.(string)
		texts = texts && text
		items = append(items, Item{hashable(key), value})
	}
	if texts {
		m := make(map[string]any, len(items))
		for _, item := range items {
			m[item.Key.(string)] = item.Value
		}
		if len(m) != len(items) {
			return nil, errDuplicate
		}
		return m, nil
	}
	keys := keyring{}
	for _, item := range items {
		if err := keys.add(item.Key); err != nil {
			return nil, err
		}
	}
	return Dict(items), nil
}

// hashable returns a key with tuples for lists, as Python reads it.
func hashable(key any) any {
	list, ok := key.([]any)
	if !ok {
		return key
	}
	for i := range list {
		list[i] = hashable(list[i])
	}
	return Tuple(list)
}
