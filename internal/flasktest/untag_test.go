package flasktest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/go-session2/sessions/codec"
)

// fromTag returns the value of ours for a tag, or an error for one that a Go
// program has no value for.
func fromTag(v any) (any, error) {
	g := v.(tag)
	typ, content := g["t"].(string), g["v"]
	switch typ {
	case "none":
		return nil, nil
	case "bool":
		return content, nil
	case "bytes", "bytearray":
		b, err := hex.DecodeString(g["hex"].(string))
		if typ == "bytearray" {
			return codec.ByteArray(b), err
		}
		return b, err
	case "list", "tuple", "set", "frozenset":
		return sequence(typ, content.([]any))
	case "dict", "OrderedDict":
		return mapping(typ, content.([]any))
	case "timedelta":
		d := codec.TimeDelta{Days: int(g["days"].(float64)), Seconds: int(g["seconds"].(float64)), Microseconds: int(g["microseconds"].(float64))}
		if short, ok := d.Duration(); ok {
			return short, nil
		}
		return d, nil
	case "datetime", "time":
		if g["fold"] != nil {
			return nil, errors.ErrUnsupported
		}
	}
	return scalar(typ, content.(string), g["utcoffset_s"] != nil)
}

func scalar(typ, s string, zoned bool) (any, error) {
	switch typ {
	case "str":
		return s, nil
	case "int":
		if n, err := strconv.Atoi(s); err == nil {
			return n, nil
		}
		n, _ := new(big.Int).SetString(s, 10)
		return n, nil
	case "float":
		return strconv.ParseFloat(s, 64)
	case "Decimal":
		return codec.Decimal(s), nil
	case "Markup":
		return codec.Markup(s), nil
	case "UUID":
		var u codec.UUID
		_, err := hex.Decode(u[:], []byte(strings.ReplaceAll(s, "-", "")))
		return u, err
	case "date":
		t, err := time.Parse(time.DateOnly, s)
		return codec.DateOf(t), err
	case "datetime":
		if !zoned {
			return time.ParseInLocation(isoDay, s, codec.Naive)
		}
		t, err := time.Parse(isoDay+isoZone, s)
		if _, offset := t.Zone(); offset == 0 {
			return t.UTC(), err
		}
		return t, err
	case "time":
		if zoned {
			return nil, errors.ErrUnsupported
		}
		t, err := time.Parse(isoClock, s)
		return codec.Clock{Hour: t.Hour(), Minute: t.Minute(), Second: t.Second(), Microsecond: t.Nanosecond() / 1000}, err
	}
	return nil, fmt.Errorf("no value for a %s", typ)
}

func sequence(typ string, tags []any) (any, error) {
	out := make([]any, len(tags))
	for i := range tags {
		var err error
		if out[i], err = fromTag(tags[i]); err != nil {
			return nil, err
		}
	}
	switch typ {
	case "tuple":
		return codec.Tuple(out), nil
	case "set":
		return codec.Set(out), nil
	case "frozenset":
		return codec.FrozenSet(out), nil
	}
	return out, nil
}

func mapping(typ string, tags []any) (any, error) {
	items, strings := make([]codec.Item, len(tags)), make(map[string]any)
	for i := range tags {
		pair, err := sequence("list", tags[i].([]any))
		if err != nil {
			return nil, err
		}
		key, value := pair.([]any)[0], pair.([]any)[1]
		items[i] = codec.Item{Key: key, Value: value}
		if s, ok := key.(string); ok {
			strings[s] = value
		}
	}
	switch {
	case typ == "OrderedDict":
		return codec.OrderedDict(items), nil
	case len(strings) == len(items):
		return strings, nil
	}
	return codec.Dict(items), nil
}
