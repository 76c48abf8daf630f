package codec

import (
	"encoding/base64"
	"math/big"
	"reflect"
	"strconv"
)

// bytes assigns to a slice or array of bytes.
func (a assigner) bytes(v reflect.Value, x any) (bool, error) {
	var b []byte
	switch x := x.(type) {
	case []byte:
		b = x
	case ByteArray:
		b = x
	case UUID:
		if v.Kind() != reflect.Array {
			return false, nil
		}
		b = x[:]
	case string:
		if !a.base64 {
			return false, nil
		}
		var err error
		if b, err = base64.StdEncoding.DecodeString(x); err != nil {
			return false, nil
		}
	default:
		return false, nil
	}
	if v.Kind() == reflect.Slice {
		v.SetBytes(b)
		return true, nil
	}
	if len(b) != v.Len() {
		return false, nil
	}
	reflect.Copy(v, reflect.ValueOf(b))
	return true, nil
}

// textOf returns what is a text for Python, or has one form as a text.
func textOf(x any) (string, bool) {
	switch x := x.(type) {
	case string:
		return x, true
	case Markup:
		return string(x), true
	case Decimal:
		return string(x), true
	case UUID:
		return x.String(), true
	case Date:
		return x.String(), true
	case Clock:
		return x.String(), true
	}
	return "", false
}

// pythonName names the type of a value, as errors say it.
func pythonName(x any) string {
	switch x.(type) {
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return reflect.TypeOf(x).String()
}

func assignInteger(v reflect.Value, x any) bool {
	switch x := x.(type) {
	case bool:
		return false
	case int:
		if v.CanInt() && !v.OverflowInt(int64(x)) {
			v.SetInt(int64(x))
			return true
		}
	}
	n, ok := asInteger(x)
	switch {
	case !ok:
	case v.CanInt():
		if ok = n.IsInt64() && !v.OverflowInt(n.Int64()); ok {
			v.SetInt(n.Int64())
		}
	default:
		if ok = n.IsUint64() && !v.OverflowUint(n.Uint64()); ok {
			v.SetUint(n.Uint64())
		}
	}
	return ok
}

func assignFloat(v reflect.Value, x any, short bool) bool {
	f, ok := asFloat(x)
	if _, is := x.(bool); !ok && !is {
		if n, is := asInteger(x); is {
			var accuracy big.Accuracy
			f, accuracy = new(big.Float).SetInt(n).Float64()
			ok = accuracy == big.Exact
		}
	}
	if ok && short {
		_, ok = float32Of(f)
	}
	if ok {
		v.SetFloat(f)
	}
	return ok
}

func assignComplex(v reflect.Value, x any, short bool) bool {
	c, ok := x.(complex128)
	if ok && short {
		_, re := float32Of(real(c))
		_, im := float32Of(imag(c))
		ok = re && im
	}
	if ok {
		v.SetComplex(c)
	}
	return ok
}

// mapKey assigns the key of a dict to a variable that is no string.
func (a assigner) mapKey(p *plan, v reflect.Value, key any) error {
	if s, ok := key.(string); ok && a.base64 { // JSON has texts only
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			key = i
		} else if u, err := strconv.ParseUint(s, 10, 64); err == nil {
			key = u
		} else if f, err := strconv.ParseFloat(s, 64); err == nil {
			key = f
		}
	}
	return a.into(p, v, key)
}
