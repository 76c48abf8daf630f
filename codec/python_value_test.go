package codec

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// goValue is a value as Decode gives it; its String is that of the tree that
// Python has for it.
type goValue struct{ v any }

func goValues(list []any) []goValue {
	values := make([]goValue, len(list))
	for i := range list {
		values[i] = goValue{list[i]}
	}
	return values
}

func (x goValue) String() string {
	switch v := x.v.(type) {
	case nil:
		return "None"
	case bool:
		return fmt.Sprint(v)
	case int, int64, uint64, *big.Int:
		return fmt.Sprint("int ", v)
	case float64:
		return "float " + floatTree(fmt.Sprint(v))
	case complex128:
		return "complex " + floatTree(fmt.Sprint(real(v))) + " " + floatTree(fmt.Sprint(imag(v)))
	case string:
		return "str " + hex.EncodeToString([]byte(v))
	case Markup:
		return "Markup " + hex.EncodeToString([]byte(v))
	case []byte:
		return "bytes " + hex.EncodeToString(v)
	case ByteArray:
		return "bytearray " + hex.EncodeToString(v)
	case time.Time:
		fold, z := 0, ""
		if v.Location() == naiveFold {
			fold = 1
		}
		if !isNaive(v) {
			if z = zoneOf(v).key; z != "" && isFold(v) {
				fold = 1
			}
		}
		return fmt.Sprint("datetime ", isoformat(v.Format("2006-01-02T15:04:05"), v), " ", fold, " ", z)
	case Date:
		return fmt.Sprint("date ", v, " 0 ")
	case Clock:
		fold := 0
		if v.Fold {
			fold = 1
		}
		at := v.time()
		return fmt.Sprint("time ", isoformat(at.Format(time.TimeOnly), at), " ", fold, " ")
	case time.Duration:
		d, err := deltaOf(v)
		if err != nil {
			panic(err)
		}
		return goValue{d}.String()
	case TimeDelta:
		return fmt.Sprint("timedelta ", v.Days, " ", v.Seconds, " ", v.Microseconds)
	case Decimal, UUID:
		return fmt.Sprint(strings.TrimPrefix(fmt.Sprintf("%T ", v), "codec."), v, " 0 ")
	case []any:
		return listTree("list", goValues(v))
	case Tuple:
		return listTree("tuple", goValues(v))
	case Set:
		return listTree("set", goValues(v))
	case FrozenSet:
		return listTree("frozenset", goValues(v))
	case map[string]any, Dict, OrderedDict:
		items, _ := itemsOf(v)
		parts := make([]string, len(items))
		for i, item := range items {
			parts[i] = goValue{item.Key}.String() + ": " + goValue{item.Value}.String()
		}
		if _, ordered := v.(OrderedDict); ordered {
			return "collections.OrderedDict{" + strings.Join(parts, ", ") + "}"
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprintf("%T: %v", x.v, x.v)
}

// isoformat adds what Python's isoformat has after the seconds.
func isoformat(text string, t time.Time) string {
	if micros := t.Nanosecond() / 1000; micros != 0 {
		text += fmt.Sprintf(".%06d", micros)
	}
	if isNaive(t) {
		return text
	}
	_, offset := t.Zone()
	sign := "+"
	if offset < 0 {
		sign, offset = "-", -offset
	}
	text += fmt.Sprintf("%s%02d:%02d", sign, offset/3600, offset/60%60)
	if offset%60 != 0 {
		text += fmt.Sprintf(":%02d", offset%60)
	}
	return text
}

// documentTree returns the text for a whole document, of which each value is
// decoded.
func documentTree(c Codec, doc []byte) (string, error) {
	m := map[string]any{}
	err := c.Split(doc, func(e Entry) error {
		v, err := c.Decode(e.Raw)
		m[string(e.Key)] = v
		return err
	})
	return goValue{m}.String(), err
}

// reencode returns a document with the values decoded and encoded again.
func reencode(c Codec, doc []byte) ([]byte, error) {
	var entries []Entry
	err := c.Split(doc, func(e Entry) error {
		v, err := c.Decode(e.Raw)
		if err != nil {
			return err
		}
		raw, err := c.Append(nil, v)
		entries = append(entries, Entry{Key: e.Key, Raw: raw})
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.Join(nil, entries)
}

// copyOf returns a document with the entries as they are.
func copyOf(c Codec, doc []byte) ([]byte, error) {
	entries, err := split(c, doc)
	if err != nil {
		return nil, err
	}
	return c.Join(nil, entries)
}
