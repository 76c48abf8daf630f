package flasktest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/codec"
)

// A tag is a value with its Python type, as scripts/flask.d/tagged.py writes
// them: {"t": "int", "v": "1"}.
type tag map[string]any

func text(typ string, v any) tag { return tag{"t": typ, "v": fmt.Sprint(v)} }

func list(typ string, items ...any) tag {
	if items == nil {
		items = []any{}
	}
	return tag{"t": typ, "v": items}
}

func str(s string) tag { return text("str", s) }
func num(n int) tag    { return text("int", n) }

// dict returns the tag of a dict with these keys and values, in turn.
func dict(typ string, keysAndValues ...any) tag {
	pairs := []any{}
	for i := 0; i < len(keysAndValues); i += 2 {
		key := keysAndValues[i]
		if k, ok := key.(string); ok {
			key = str(k)
		}
		pairs = append(pairs, []any{key, keysAndValues[i+1]})
	}
	return tag{"t": typ, "v": pairs}
}

// parse reads a tag and puts it into its normal form, in which equal values
// are equal texts: members of sets and keys of plain dicts have an order,
// floats are written as Go does.
func parse(t testing.TB, body string) tag {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%q is no JSON: %v", body, err)
	}
	return normal(v).(tag)
}

func normal(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = normal(v[i])
		}
		return out
	case tag:
		return normal(map[string]any(v))
	case map[string]any:
		out := make(tag, len(v))
		for key, item := range v {
			out[key] = normal(item)
		}
		switch out["t"] {
		case "float":
			f, _ := strconv.ParseFloat(out["v"].(string), 64)
			out["v"] = strconv.FormatFloat(f, 'g', -1, 64)
		case "set", "frozenset", "dict":
			slices.SortFunc(out["v"].([]any), func(a, b any) int { return strings.Compare(encode(a), encode(b)) })
		}
		return out
	}
	return v
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// value returns the value of a key of a tagged dict, or nil.
func (g tag) value(key string) tag {
	for _, pair := range g["v"].([]any) {
		pair := pair.([]any)
		if pair[0].(tag)["v"] == key {
			return pair[1].(tag)
		}
	}
	return nil
}

// toTag tags a value of ours. It returns an error for one that no session
// should return.
func toTag(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return tag{"t": "none"}, nil
	case bool:
		return tag{"t": "bool", "v": v}, nil
	case string:
		return str(v), nil
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, *big.Int:
		return text("int", v), nil
	case float64:
		return text("float", strconv.FormatFloat(v, 'g', -1, 64)), nil
	case []byte:
		return tag{"t": "bytes", "hex": hex.EncodeToString(v)}, nil
	case codec.ByteArray:
		return tag{"t": "bytearray", "hex": hex.EncodeToString(v)}, nil
	case codec.Tuple:
		return items("tuple", v)
	case codec.Set:
		return items("set", v)
	case codec.FrozenSet:
		return items("frozenset", v)
	case []any:
		return items("list", v)
	case codec.Dict:
		return pairs("dict", v)
	case codec.OrderedDict:
		return pairs("OrderedDict", v)
	case map[string]any:
		var d []codec.Item
		for key, value := range v {
			d = append(d, codec.Item{Key: key, Value: value})
		}
		return pairs("dict", d)
	case codec.Decimal:
		return text("Decimal", v), nil
	case codec.UUID:
		return text("UUID", v), nil
	case codec.Markup:
		return text("Markup", v), nil
	case codec.Date:
		return text("date", v), nil
	case codec.Clock:
		return clockTag(v), nil
	case time.Time:
		return timeTag(v), nil
	case time.Duration:
		micros := v.Microseconds()
		days := micros / 86400e6
		if micros %= 86400e6; micros < 0 {
			days, micros = days-1, micros+86400e6
		}
		return tag{"t": "timedelta", "days": days, "seconds": micros / 1e6, "microseconds": micros % 1e6}, nil
	case codec.TimeDelta:
		return tag{"t": "timedelta", "days": v.Days, "seconds": v.Seconds, "microseconds": v.Microseconds}, nil
	}
	// A slice or map of one type.
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Slice:
		out := make([]any, r.Len())
		for i := range out {
			out[i] = r.Index(i).Interface()
		}
		return toTag(out)
	case reflect.Map:
		out := make(map[string]any, r.Len())
		for _, key := range r.MapKeys() {
			out[key.String()] = r.MapIndex(key).Interface()
		}
		return toTag(out)
	}
	return nil, fmt.Errorf("a session returned a %T", v)
}

func items(typ string, values []any) (any, error) {
	out := []any{}
	for _, v := range values {
		g, err := toTag(v)
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return list(typ, out...), nil
}

func pairs(typ string, values []codec.Item) (any, error) {
	var out []any
	for _, item := range values {
		key, err := toTag(item.Key)
		if err != nil {
			return nil, err
		}
		value, err := toTag(item.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, key, value)
	}
	return dict(typ, out...), nil
}
