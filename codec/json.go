package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"unicode/utf8"
)

// JSON is a format (RFC 8259) that people and all languages can read, by
// package encoding/json. It does not keep Go types as [MessagePack] does. The
// zero value is ready to use. Its methods may be called by any number of
// goroutines at once.
//
// Append writes what encoding/json writes, with its struct tags, except that
// <, > and & stay as they are: []byte is base64, a time is RFC 3339 text with its
// nanoseconds, a Duration is a number. A string that is not UTF-8 is an error, not changed; so
// are NaN and the infinities.
//
// Decode gives nil, bool, string, []any, map[string]any and numbers: one
// written without fraction and exponent is an int, or an int64 or uint64 when only
// these can hold it, any other a float64. So float64(3) comes back as an
// int. DecodeInto gives typed values, also to the any inside of them. It ignores
// keys that a struct does not have, sets fields whose key is missing to zero,
// and replaces what the variable held before. A number that the
// variable's type cannot hold is an error.
//
// Data with a key twice in one object, or that is not UTF-8, is refused.
type JSON struct {
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

var _ Codec = JSON{}

func (c JSON) limits() limits { return newLimits(c.MaxDepth, c.MaxElements, c.MaxSize) }

// An appender is an io.Writer to a slice.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

// Append implements [Codec]. When it fails it returns dst unchanged in
// length, with an error that names the Go type that is to blame where one is.
func (c JSON) Append(dst []byte, v any) ([]byte, error) {
	out, err := appendJSON(dst, v)
	if err == nil {
		err = c.checkAppended(out[len(dst):])
	}
	if err != nil {
		return dst, fmt.Errorf("codec: json: encode: %w", err)
	}
	return out, nil
}

func appendJSON(dst []byte, v any) ([]byte, error) {
	a := appender{dst}
	enc := json.NewEncoder(&a)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, encodeError(err)
	}
	return a.b[:len(a.b)-1], nil // without the newline
}

// errUTF8 is for strings on the way in, and for data.
var errUTF8 = errors.New("a string is not UTF-8; use []byte, or the MessagePack codec")

// checkAppended checks that what was encoded will be accepted again.
func (c JSON) checkAppended(raw []byte) error {
	// encoding/json replaces invalid UTF-8 by this escape sequence, and
	// writes the character itself for a string that has it.
	const replaced = `\ufffd`
	for i := 0; ; {
		at := bytes.Index(raw[i:], []byte(replaced))
		if at < 0 {
			break
		}
		i += at
		before := len(raw[:i]) - len(bytes.TrimRight(raw[:i], `\`))
		if before%2 == 0 {
			return errUTF8
		}
		i += len(replaced)
	}
	return c.check(raw)
}

// check checks one value against all rules and limits.
func (c JSON) check(raw []byte) error {
	s, err := c.open(raw)
	if err != nil {
		return err
	}
	return s.skip(0)
}

// open returns a scanner for a valid text.
func (c JSON) open(raw []byte) (jsonScanner, error) {
	s := jsonScanner{b: raw, limits: c.limits()}
	return s, s.open(json.Valid)
}

// open checks the text, its syntax by valid.
func (s *jsonScanner) open(valid func([]byte) bool) error {
	s.left = s.limits.elements
	switch {
	case len(s.b) > s.limits.size:
		return errSize(s.limits.size)
	case !valid(s.b):
		return errDamaged
	case !utf8.Valid(s.b):
		return errUTF8
	}
	return nil
}

// Decode implements [Codec].
func (c JSON) Decode(raw []byte) (any, error) {
	s, err := c.open(raw)
	var v any
	if err == nil {
		v, err = s.value(0)
	}
	if err != nil {
		return nil, fmt.Errorf("codec: json: decode: %w", err)
	}
	return v, nil
}

// DecodeInto implements [Codec]. An error names the two types that do not
// fit, never a value.
func (c JSON) DecodeInto(raw []byte, p any) error {
	v := reflect.ValueOf(p)
	err := errors.New("the destination is not a non-nil pointer")
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		if err = c.check(raw); err == nil {
			err = c.into(raw, v.Elem())
		}
	}
	if err != nil {
		return fmt.Errorf("codec: json: decode: %w", err)
	}
	return nil
}

// into decodes a value that was checked.
func (c JSON) into(raw []byte, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
	case reflect.Float32, reflect.Float64:
		if err := exactFloat(bytes.TrimSpace(raw), v.Type()); err != nil {
			return err
		}
	default:
		if string(bytes.TrimSpace(raw)) == "null" && !unmarshals(v.Type()) {
			return errMismatch("null", v.Type())
		}
	}
	fresh := reflect.New(v.Type()) // encoding/json merges into what is there
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(fresh.Interface()); err != nil {
		return decodeError(err, v.Type())
	}
	if err := naturalNumbers(fresh.Elem()); err != nil {
		return err
	}
	v.Set(fresh.Elem())
	return nil
}

// exactFloat refuses an integer that a float type rounds.
func exactFloat(raw []byte, t reflect.Type) error {
	if string(raw) == "null" && !unmarshals(t) {
		return errMismatch("null", t)
	}
	if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return nil
	}
	x, err := number(raw)
	if err != nil {
		return err
	}
	v := reflect.ValueOf(x)
	var n integer
	switch {
	case v.CanInt():
		n = integer{u: uint64(v.Int()), negative: v.Int() < 0}
	case v.CanUint():
		n = integer{u: v.Uint()}
	default:
		return nil
	}
	f, ok := n.float64()
	if ok && t.Kind() == reflect.Float32 {
		_, ok = float32Of(f)
	}
	if !ok {
		return errMismatch(v.Type().String(), t)
	}
	return nil
}

// encodeError replaces an error of encoding/json whose text may hold data.
func encodeError(err error) error {
	var typ *json.UnsupportedTypeError
	var value *json.UnsupportedValueError
	var method *json.MarshalerError
	switch {
	case errors.As(err, &typ):
		return errType(typ.Type, `cannot be stored; leave it out, in a struct by the tag json:"-"`)
	case errors.As(err, &value):
		if value.Value.CanFloat() && (math.IsNaN(value.Value.Float()) || math.IsInf(value.Value.Float(), 0)) {
			return errType(value.Value.Type(), "NaN and infinities have no form in JSON; use the MessagePack codec")
		}
		return errors.New("the value contains itself")
	case errors.As(err, &method):
		return &methodError{method.Type, "MarshalJSON or MarshalText", method.Err}
	default:
		return errors.New("the value cannot be encoded")
	}
}

// decodeError does so for decoding into a type.
func decodeError(err error, t reflect.Type) error {
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		have, _, _ := strings.Cut(typ.Value, " ") // "number 12"
		return errMismatch(have, typ.Type)
	}
	return &methodError{t, "UnmarshalJSON or UnmarshalText", err}
}
