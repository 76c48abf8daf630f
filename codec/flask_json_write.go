package codec

import (
	"encoding/base64"
	"errors"
	"math"
	"math/big"
	"strconv"
	"time"
)

// A jsonWriter is the flaskWriter for JSON.
type jsonWriter struct{ b []byte }

func (w *jsonWriter) null()       { w.b = append(w.b, "null"...) }
func (w *jsonWriter) bool(b bool) { w.b = strconv.AppendBool(w.b, b) }
func (w *jsonWriter) int(i int64) { w.b = strconv.AppendInt(w.b, i, 10) }

func (w *jsonWriter) big(n *big.Int) error {
	if n.BitLen() > 4*maxDigits {
		return errDigits
	}
	text := n.Append(nil, 10)
	if len(text) > maxDigits {
		return errDigits
	}
	w.b = append(w.b, text...)
	return nil
}

func (w *jsonWriter) float(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return errNaNJSON
	}
	w.b = appendJSONFloat(w.b, f)
	return nil
}

// appendJSONFloat appends a float as msgspec does: always one by its looks.
func appendJSONFloat(dst []byte, f float64) []byte {
	if size := math.Abs(f); size == 0 || size >= 1e-5 && size < 1e16 {
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		for _, c := range dst[start:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	for at := len(dst) - 1; ; at-- { // e+16 is e16, e-07 is e-7
		if dst[at] != 'e' {
			continue
		}
		keep, digits := at+1, at+2
		if dst[at+1] == '-' {
			keep++
		}
		for dst[digits] == '0' {
			digits++
		}
		return append(dst[:keep], dst[digits:]...)
	}
}

func (w *jsonWriter) text(s string) { w.b = appendJSONText(w.b, s) }

// appendJSONText appends a text, which is UTF-8, with as few escape sequences
// as there may be.
func appendJSONText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[start:]...), '"')
}

func (w *jsonWriter) bytes(b []byte) {
	w.b = append(w.b, '"')
	w.b = base64.StdEncoding.AppendEncode(w.b, b)
	w.b = append(w.b, '"')
}

func (w *jsonWriter) time(t time.Time) error {
	text, err := timeText(t)
	if err == nil {
		w.text(text)
	}
	return err
}

var errKeyJSON = errors.New("a key is of a type that is no key in JSON; use strings or numbers")

func (w *jsonWriter) key(k any) (any, error) {
	if text, ok := textOf(k); ok {
		return text, nil
	}
	if _, isBool := k.(bool); isBool {
		return nil, errKeyJSON
	}
	switch k := k.(type) {
	case int, int64, uint64, *big.Int:
		n, ok := asInteger(k)
		if !ok || n.BitLen() > 4*maxDigits {
			return nil, errKeyJSON
		}
		return n.String(), nil
	case float64:
		if math.IsNaN(k) || math.IsInf(k, 0) {
			return nil, errNaNJSON
		}
		return string(appendJSONFloat(nil, k)), nil
	case []byte:
		return base64.StdEncoding.EncodeToString(k), nil
	case time.Time:
		return timeText(k)
	case time.Duration:
		d, err := deltaOf(k)
		return d.String(), err
	case TimeDelta:
		return k.String(), nil
	case nil, []any, map[string]any, Dict, OrderedDict, record, Tuple, Set, FrozenSet, ByteArray, complex128:
		return nil, errKeyJSON
	}
	lowered, deep, err := lower(k)
	if err != nil || deep {
		return nil, errKeyJSON
	}
	return w.key(lowered)
}

func (w *jsonWriter) list(int) { w.b = append(w.b, '[') }
func (w *jsonWriter) dict(int) { w.b = append(w.b, '{') }

func (w *jsonWriter) next(i int) {
	if i > 0 {
		w.b = append(w.b, ',')
	}
}

func (w *jsonWriter) value()       { w.b = append(w.b, ':') }
func (w *jsonWriter) listEnd()     { w.b = append(w.b, ']') }
func (w *jsonWriter) dictEnd()     { w.b = append(w.b, '}') }
func (w *jsonWriter) done() []byte { return w.b }
func (w *jsonWriter) size() int    { return len(w.b) }
