package codec

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestFlaskJSONWrites(t *testing.T) {
	zone := time.FixedZone("", 19800)
	for _, tt := range []struct {
		v    any
		text string
	}{
		{0.0, "0.0"}, {math.Copysign(0, -1), "-0.0"}, {3.0, "3.0"}, {1e15, "1000000000000000.0"}, {1e16, "1e16"}, {1.5e21, "1.5e21"}, {5e-324, "5e-324"},
		{1e-5, "0.00001"}, {1.23456789e-05, "0.0000123456789"}, {1e-6, "1e-6"}, {-1.5e-10, "-1.5e-10"}, {float32(0.5), "0.5"},
		{"\x00\x1f\x7f\b\f\n\r\t\"\\/\u2028<>&é\U0001f600", "\"\\u0000\\u001f\x7f\\b\\f\\n\\r\\t\\\"\\\\/\u2028<>&é\U0001f600\""},
		{uint64(math.MaxUint64), "18446744073709551615"}, {new(big.Int).Lsh(big.NewInt(1), 64), "18446744073709551616"}, {math.MinInt, "-9223372036854775808"},
		{[]byte{1, 2, 255, 0}, `"AQL/AA=="`}, {ByteArray{}, `""`},
		{time.Date(2024, 1, 2, 3, 4, 5, 500000999, time.UTC), `"2024-01-02T03:04:05.500000Z"`}, {time.Date(2024, 1, 2, 3, 4, 5, 0, zone), `"2024-01-02T03:04:05+05:30"`},
		{time.Date(2024, 1, 2, 3, 4, 5, 0, Naive), `"2024-01-02T03:04:05"`}, {time.Date(2024, 1, 2, 3, 4, 5, 0, time.FixedZone("", 7)), `"2024-01-02T03:03:58Z"`},
		{time.Hour + time.Microsecond, `"PT3600.000001S"`}, {-time.Second, `"-PT1S"`}, {time.Duration(0), `"P0D"`},
		{Date{2024, 2, 29}, `"2024-02-29"`}, {Clock{1, 2, 3, 4, false, time.UTC}, `"01:02:03.000004Z"`}, {Decimal("12.340"), `"12.340"`},
		{Tuple{1, Set{}, FrozenSet{"a"}}, `[1,[],["a"]]`}, {OrderedDict{{"z", 1}, {"a", Markup("<b>")}}, `{"z":1,"a":"<b>"}`}, {Dict{{1, 2}, {1.5, 3}, {Date{2024, 2, 29}, 4}}, `{"1":2,"1.5":3,"2024-02-29":4}`},
		{map[string]any{"b": nil, "a": true}, `{"a":true,"b":null}`}, {address{"s", []string{"l"}}, `{"Street":"s","Lines":["l"]}`}, {[]int(nil), "null"}, {map[int8]string{-1: "x"}, `{"-1":"x"}`},
	} {
		raw, err := FlaskJSON{}.Append(nil, tt.v)
		if err != nil || string(raw) != tt.text {
			t.Errorf("%T %v: %s, want %s, %v", tt.v, tt.v, raw, tt.text, err)
		}
	}
}

func TestFlaskJSONReads(t *testing.T) {
	var c FlaskJSON
	doc := "{\"_permanent\": true, \"v\": {\"name\": \"Zo\\u00eb \\ud83d\\ude00\", \"n\": [1, 2.0, -0, 1e2, null]},\n \"big\": 123456789012345678901234567890}"
	want := map[string]any{"_permanent": true, "v": map[string]any{"name": "Zoë 😀", "n": []any{1, 2.0, 0, 100.0, nil}}}
	want["big"], _ = new(big.Int).SetString("123456789012345678901234567890", 10)
	got := map[string]any{}
	if err := c.Split([]byte(doc), func(e Entry) (err error) {
		got[string(e.Key)], err = c.Decode(e.Raw)
		return err
	}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %v", got, err)
	}

	// The words of json.dumps are kept, and have no value.
	doc = `{"a":[NaN,-Infinity,"NaN\"",{"Infinity":Infinity}],"b":1}`
	entries, err := split(c, []byte(doc))
	if err != nil || len(entries) != 2 || string(entries[0].Raw) != doc[len(`{"a":`):len(doc)-len(`,"b":1}`)] {
		t.Fatalf("%q, %v", entries, err)
	}
	if joined, err := c.Join(nil, entries); err != nil || string(joined) != doc {
		t.Errorf("%s, %v", joined, err)
	}
	for _, text := range []string{string(entries[0].Raw), "NaN", "Infinity", "-Infinity"} {
		if v, err := c.Decode([]byte(text)); !errors.Is(err, errNaNJSON) {
			t.Errorf("%s: %v, %v", text, v, err)
		}
	}
	for _, text := range []string{``, `Nan`, `"\ud800"`, `"\udc00\ud800"`, `"\ufffd\ud800"`, `{"a":1,"a":2}`, "\"\xff\"", `1e999`, `[1,]`, `NaN1`, `+1`, `01`, strings.Repeat("1", maxDigits+1), strings.Repeat("[", 65) + strings.Repeat("]", 65)} {
		if v, err := c.Decode([]byte(text)); err == nil {
			t.Errorf("%.20s: %v", text, v)
		}
	}
	for text, want := range map[string]any{`"\ufffd\\ufffd` + "\ufffd\"": "\ufffd\\ufffd\ufffd", `"\uFFFD"`: "\ufffd", `-0`: 0, `-0.0`: math.Copysign(0, -1), ` [ ] `: []any{}} {
		if v, err := c.Decode([]byte(text)); err != nil || !reflect.DeepEqual(v, want) {
			t.Errorf("%s: %#v, %v", text, v, err)
		}
	}
}

func TestFlaskMessagePackReads(t *testing.T) {
	var c FlaskMessagePack
	for hex, want := range map[string]any{
		"\x82\x01\xa1a\xa1b\x02":               Dict{{1, "a"}, {"b", 2}},
		"\x81\x92\x01\x91\x02\x03":             Dict{{Tuple{1, Tuple{2}}, 3}},
		"\xca\x3f\x00\x00\x00":                 0.5,
		"\xd6\xff\x65\x93\x7d\x25":             time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC),
		"\xcf\xff\xff\xff\xff\xff\xff\xff\xff": uint64(math.MaxUint64),
	} {
		v, err := c.Decode([]byte(hex))
		if err != nil || !reflect.DeepEqual(v, want) {
			t.Errorf("% x: %#v, %v", hex, v, err)
			continue
		}
		if again, err := c.Append(nil, v); err != nil || string(again) != hex && hex[0] != 0xca {
			t.Errorf("% x: written as % x, %v", hex, again, err)
		}
	}
	for _, raw := range []string{"\xc7\x03\x05\x01\x02\x03", "\xd6\x53\x00\x00\x00\x00", "\xd4\xff\x00", "\xa1\xff", "\x81\x80\x01", "\x82\x01\x01\x01\x01", "\x82\x01\x01\xc3\x01", "\xc1", ""} {
		if v, err := c.Decode([]byte(raw)); err == nil {
			t.Errorf("% x: %#v", raw, v)
		}
	}
	// What only Go wrote is not for Python.
	if _, err := split(c, documentOf(t, MessagePack{}, map[string]any{"k": int8(1)})); !errors.Is(err, errExtension) {
		t.Errorf("an extension of Go's: %v", err)
	}
	if _, err := c.Join(nil, []Entry{{Key: []byte("\xff"), Raw: []byte{0xc0}}}); err == nil {
		t.Error("a key that is no text was written")
	}
}

func TestFlaskAppendErrors(t *testing.T) {
	cycle := &selfish{}
	cycle.Self = cycle
	list := []any{nil}
	list[0] = list
	for name, v := range map[string]any{
		"UTF-8": "\xff", "surrogate": "\xed\xa0\x80", "channel": make(chan int), "function": func() {}, "empty list of": []chan int{}, "complex": 1i,
		"nanoseconds": time.Nanosecond, "year": time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "naive year": time.Date(0, 1, 1, 0, 0, 0, 0, Naive),
		"cycle": cycle, "list in itself": list, "date": Date{2023, 2, 29}, "decimal": Decimal("x"), "key": map[string]int{"\xff": 1},
		"dict": Dict{{1, 1}, {1, 2}}, "key list": Dict{{[]any{}, 1}}, "size": strings.Repeat("x", 1000), "elements": make([]any, 100),
	} {
		for _, c := range []Codec{FlaskMessagePack{MaxSize: 900, MaxElements: 99}, FlaskJSON{MaxSize: 900, MaxElements: 99}} {
			out, err := c.Append([]byte("dst"), v)
			if err == nil || string(out) != "dst" || strings.Contains(err.Error(), "\xff") {
				t.Errorf("%T: %s: %q, %v", c, name, out, err)
			}
		}
	}
	wide := new(big.Int).Lsh(big.NewInt(1), 64)
	if _, err := (FlaskMessagePack{}).Append(nil, wide); !errors.Is(err, errWide) {
		t.Errorf("65 bits: %v", err)
	}
	for name, v := range map[string]any{"NaN": math.NaN(), "infinity": []float64{math.Inf(1)}, "bool key": Dict{{true, 1}}, "1 and its text": Dict{{1, 1}, {"1", 2}}, "digits": new(big.Int).Exp(big.NewInt(10), big.NewInt(5000), nil)} {
		if raw, err := (FlaskJSON{}).Append(nil, v); err == nil {
			t.Errorf("%s: %s", name, raw)
		}
	}
	if raw, err := (FlaskMessagePack{}).Append(nil, math.NaN()); err != nil || len(raw) != 9 {
		t.Errorf("NaN: % x, %v", raw, err)
	}
}
