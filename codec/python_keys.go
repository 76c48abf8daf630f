package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"
)

var (
	errHash    = errors.New("a key or an element of a set is of a type that Python cannot hash")
	errNaming  = errors.New("a key or an element of a set is there twice")
	errNoZone  = errors.New("the data has a time zone that this machine's database has not")
	errNaNJSON = errors.New("NaN and the infinities have no form in JSON")
)

// A keyring finds duplicates among the keys of a dict or the elements of a
// set, as Python compares them: 1, 1.0 and True are one.
type keyring map[string]struct{}

func (k keyring) add(key any) error {
	text, err := identify(nil, key, 0)
	if err != nil {
		return err
	}
	if _, dup := k[string(text)]; dup {
		return errNaming
	}
	k[string(text)] = struct{}{}
	return nil
}

// identify appends what equal keys have in common.
func identify(dst []byte, key any, depth int) ([]byte, error) {
	if depth > defaultMaxDepth {
		return nil, errDepth(defaultMaxDepth)
	}
	if f, ok := asFloat(key); ok {
		if i, exact := big.NewFloat(0), !math.IsNaN(f) && !math.IsInf(f, 0) && f == math.Trunc(f); exact {
			n, _ := i.SetFloat64(f).Int(nil)
			return n.Append(append(dst, 'n'), 16), nil
		}
		return binary.BigEndian.AppendUint64(append(dst, 'f'), math.Float64bits(f)), nil
	}
	if n, ok := asInteger(key); ok {
		return n.Append(append(dst, 'n'), 16), nil
	}
	switch key := key.(type) {
	case nil:
		return append(dst, 'N'), nil
	case string:
		return append(append(dst, 's'), key...), nil
	case Markup:
		return append(append(dst, 's'), key...), nil
	case []byte:
		return append(append(dst, 'b'), key...), nil
	case UUID:
		return append(append(dst, 'u'), key[:]...), nil
	case Decimal:
		return append(append(dst, 'd'), key...), nil
	case Date:
		return append(append(dst, 'D'), key.String()...), nil
	case Clock:
		return fmt.Appendf(append(dst, 'C'), "%s %p", key, key.Zone), nil
	case TimeDelta:
		return append(append(dst, 't'), key.String()...), nil
	case time.Duration:
		return append(append(dst, 't'), key.String()...), nil
	case time.Time:
		if isNaive(key) {
			dst = append(dst, 'v')
		}
		return binary.BigEndian.AppendUint64(append(dst, 'T'), uint64(key.UnixMicro())), nil
	case complex128:
		return fmt.Append(append(dst, 'c'), key), nil
	case complex64:
		return fmt.Append(append(dst, 'c'), complex128(key)), nil
	case Tuple:
		return identifyAll(append(dst, '('), key, depth)
	case FrozenSet:
		return identifyAll(append(dst, '{'), key, depth)
	case []any, Set, map[string]any, Dict, OrderedDict, ByteArray, record:
		return nil, errHash
	}
	lowered, _, err := lower(key)
	if err != nil {
		return nil, err
	}
	return identify(dst, lowered, depth+1)
}

func identifyAll(dst []byte, list []any, depth int) ([]byte, error) {
	for _, x := range list {
		one, err := identify(nil, x, depth+1)
		if err != nil {
			return nil, err
		}
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(one))), one...)
	}
	return dst, nil
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	}
	return 0, false
}

// asInteger returns an integer, or a bool as 0 or 1.
func asInteger(v any) (*big.Int, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return big.NewInt(1), true
		}
		return new(big.Int), true
	case int:
		return big.NewInt(int64(v)), true
	case int64:
		return big.NewInt(v), true
	case uint64:
		return new(big.Int).SetUint64(v), true
	case *big.Int:
		return v, v != nil
	}
	return nil, false
}
