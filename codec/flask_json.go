package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
)

// FlaskJSON is the format in which Flask-Session 0.6 and later keep a session
// with SESSION_SERIALIZATION_FORMAT=json: one object, as Python's package
// msgspec writes it. It reads what Python's json.dumps writes as well, as
// Flask-Session2 does for DynamoDB and Elasticsearch. It is for programs that
// share sessions with Python. The zero value is ready to use. Its methods may
// be called by any number of goroutines at once.
//
// Decode gives nil, bool, string, []any, map[string]any and numbers: one
// written without fraction and exponent is an int, or an int64, uint64 or
// *big.Int when it is too large, any other a float64, which is written with a
// fraction or exponent again: 3.0. Python gives the like: JSON has no form
// for other types, and all were written as one of these.
//
//   - Append writes []byte and [ByteArray] as base64, a time as RFC 3339 text
//     with its zone's offset, without one if it is in [Naive], a
//     [time.Duration] and [TimeDelta] as an ISO 8601 duration, a [Tuple],
//     [Set] and [FrozenSet] as a list, a [Dict] and [OrderedDict] as an
//     object, the types from [Date] to [UUID] as text.
//   - Times lose what is below a microsecond, as Python's clocks have no
//     nanoseconds. A Duration with nanoseconds is an error; round it.
//   - Keys that are numbers or have a form as text become texts.
//   - NaN and the infinities, for which Python would read null, integers of
//     more than 4300 digits, complex numbers, strings that are not UTF-8,
//     and what only Go has, as functions and channels, are an error. All
//     other types are written as [Pickle] writes them.
//   - The words NaN and Infinity, which json.dumps writes, are kept as long
//     as their key is not used; Decode returns an error for them. So it does
//     for half a surrogate pair.
//
// DecodeInto converts as that of Pickle does, and the texts to what they were:
// []byte, time.Time, time.Duration, Date, Clock, Decimal, UUID, and keys to
// numbers.
//
// Append sorts the keys of maps: equal values have equal encodings. Data with
// a key twice in one object is refused. For what only Go reads there is
// [JSON], which goes by encoding/json.
type FlaskJSON struct {
	// MaxDepth is how many arrays and objects a value may have inside one
	// another. Zero or less means 64.
	MaxDepth int

	// MaxElements is how many elements and members the arrays and objects
	// of one value may have together, and how many keys a document may
	// have. Zero or less means 1<<20.
	MaxElements int

	// MaxSize is the largest size of a document, in bytes, and so of a
	// value. Zero or less means 64 MiB; the most is 2 GiB - 1.
	MaxSize int
}

var _ Codec = FlaskJSON{}

func (c FlaskJSON) limits() limits { return newLimits(c.MaxDepth, c.MaxElements, c.MaxSize) }

// Append implements [Codec]. When it fails it returns dst unchanged in
// length, with an error that names the Go type that is to blame.
func (c FlaskJSON) Append(dst []byte, v any) ([]byte, error) {
	e := flaskEncoder{meter: newMeter(len(dst), c.limits()), format: &jsonWriter{dst}}
	out, err := e.encode(v)
	if err != nil {
		return dst, fmt.Errorf("codec: flask json: encode: %w", err)
	}
	return out, nil
}

// Decode implements [Codec].
func (c FlaskJSON) Decode(raw []byte) (any, error) {
	v, err := c.decode(raw)
	if err != nil {
		return nil, fmt.Errorf("codec: flask json: decode: %w", err)
	}
	return v, nil
}

func (c FlaskJSON) decode(raw []byte) (any, error) {
	s, err := c.open(raw)
	if err != nil {
		return nil, err
	}
	return s.value(0)
}

func (c FlaskJSON) open(raw []byte) (jsonScanner, error) {
	s := jsonScanner{b: raw, limits: c.limits(), flask: true}
	return s, s.open(validPython)
}

// DecodeInto implements [Codec]. An error names the two types that do not
// fit, never a value.
func (c FlaskJSON) DecodeInto(raw []byte, p any) error {
	v, err := c.decode(raw)
	if err == nil {
		err = assigner{texts: true, base64: true}.pointer(p, v)
	}
	if err != nil {
		return fmt.Errorf("codec: flask json: decode: %w", err)
	}
	return nil
}

// Split implements [Codec]. A document is a JSON object. A key with an escape
// sequence is yielded as a fresh slice; all other slices are parts of doc.
func (c FlaskJSON) Split(doc []byte, yield func(Entry) error) error {
	s, err := c.open(doc)
	if err != nil {
		return fmt.Errorf("codec: flask json: split: %w", err)
	}
	return s.split("codec: flask json: split: %w", yield)
}

// Join implements [Codec]. It checks the keys, their number and the size of
// the document, and trusts each Raw to be from Append. When it fails it
// returns dst unchanged in length.
func (c FlaskJSON) Join(dst []byte, entries []Entry) ([]byte, error) {
	l := c.limits()
	doc, err := joinJSON(dst, entries, l)
	if err == nil && len(doc)-len(dst) > l.size {
		err = errSize(l.size)
	}
	if err != nil {
		return dst, fmt.Errorf("codec: flask json: join: %w", err)
	}
	return doc, nil
}

// validPython is json.Valid for a text that may have the words NaN and
// Infinity as numbers.
func validPython(text []byte) bool {
	if json.Valid(text) {
		return true
	}
	var shadow []byte // with numbers of the same length
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == 'N' || c == 'I':
			word := "NaN"
			if c == 'I' {
				word = "Infinity"
			}
			if !bytes.HasPrefix(text[i:], []byte(word)) {
				return false
			}
			if shadow == nil {
				shadow = bytes.Clone(text)
			}
			copy(shadow[i:], "0e000000"[:len(word)])
			i += len(word) - 1
		}
	}
	return shadow != nil && json.Valid(shadow)
}

// replaced counts what stands for U+FFFD in the content of a string.
func replaced(content []byte) int {
	n := bytes.Count(content, []byte("\ufffd"))
	for i := 0; i+1 < len(content); i++ {
		if content[i] != '\\' {
			continue
		}
		i++
		if content[i] == 'u' && i+4 < len(content) && bytes.EqualFold(content[i+1:i+5], []byte("fffd")) {
			n++
		}
	}
	return n
}

// flaskNumber returns a number with its natural type.
func flaskNumber(text []byte) (any, error) {
	if text[0] == 'N' || text[len(text)-1] == 'y' {
		return nil, errNaNJSON
	}
	if bytes.ContainsAny(text, ".eE") {
		f, err := strconv.ParseFloat(string(text), 64)
		if err != nil || math.IsInf(f, 0) {
			return nil, errMismatch("number", elementTypes[descFloat64])
		}
		return f, nil
	}
	if i, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return integer{u: uint64(i), negative: i < 0}.natural(), nil
	}
	if len(text) > maxDigits {
		return nil, errDigits
	}
	n, ok := new(big.Int).SetString(string(text), 10)
	if !ok {
		return nil, errDamaged
	}
	return naturalBig(n), nil
}
