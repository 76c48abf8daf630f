package codec

import (
	"bytes"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// pythonValues are the values that Pickle gives back as they are.
func pythonValues() []any {
	utc := time.Date(2024, 2, 29, 23, 59, 59, 999999000, time.UTC)
	berlin, err := tzinfo{key: "Europe/Berlin"}.location()
	if err != nil {
		panic(err)
	}
	huge := new(big.Int).Lsh(big.NewInt(-3), 2050)
	return []any{
		nil, true, false, 0, 255, 256, 65535, 65536, -1, math.MaxInt32, math.MinInt32, math.MaxInt32 + 1, math.MaxInt, math.MinInt,
		uint64(math.MaxUint64), new(big.Int).Lsh(big.NewInt(1), 64), huge, new(big.Int).Sub(big.NewInt(math.MinInt64), big.NewInt(1)),
		1.5, 3.0, math.Inf(1), math.Copysign(0, -1), math.MaxFloat64, complex(1, math.Inf(-1)),
		"", "é\n\\u0041\x00", strings.Repeat("x", 256), "\xed\xa0\x80 half a pair", "\U0001f600",
		[]byte{}, []byte{0, 255}, bytes.Repeat([]byte{'\n'}, 300), ByteArray{}, ByteArray("ab\xff"),
		[]any{}, []any{1}, []any{1, "a", nil, []any{Tuple{}}}, Tuple{}, Tuple{1}, Tuple{1, 2}, Tuple{1, 2, 3}, Tuple{1, 2, 3, 4},
		map[string]any{}, map[string]any{"a": 1}, map[string]any{"a": 1, "b": map[string]any{"c": Tuple{nil}}},
		Dict{{1, "a"}, {"b", 2}, {nil, 3}, {Tuple{1, "x"}, 4}, {FrozenSet{7}, 5}}, OrderedDict{}, OrderedDict{{"z", 1}}, OrderedDict{{"z", 1}, {"a", []any{2}}},
		Set{}, Set{1}, Set{1, "a", nil}, FrozenSet{}, FrozenSet{2, 1},
		utc, utc.In(time.FixedZone("", 19800)), utc.In(time.FixedZone("EST", -5*3600-7)), utc.In(berlin), time.Date(1, 1, 1, 0, 0, 0, 0, Naive),
		time.Date(2024, 10, 27, 0, 30, 0, 0, time.UTC).In(berlin), time.Date(2024, 10, 27, 1, 30, 0, 0, time.UTC).In(berlin), // 02:30 twice
		time.Date(2024, 10, 27, 2, 30, 0, 5000, naiveFold),
		Date{2024, 2, 29}, Date{1, 1, 1}, Clock{}, Clock{23, 59, 59, 999999, true, nil}, Clock{Hour: 1, Zone: time.UTC},
		time.Duration(0), time.Hour, -time.Microsecond, 290 * 365 * 24 * time.Hour, TimeDelta{999999999, 86399, 999999}, TimeDelta{-999999999, 0, 0},
		Decimal("12.340"), Decimal("-1E+28"), Decimal("NaN"), Decimal("sNaN12"), Decimal("-Infinity"), UUID{}, UUID{0xff, 15: 1}, Markup("<b>é</b>"),
	}
}

func TestPickleKeepsTypes(t *testing.T) {
	for _, c := range allPickles() {
		for _, want := range pythonValues() {
			raw, err := c.Append([]byte("before"), want)
			if err != nil {
				t.Errorf("%d: %T %v: %v", c.Protocol, want, want, err)
				continue
			}
			raw = raw[len("before"):]
			got, err := c.Decode(raw)
			if err != nil || !sameValue(got, want) {
				t.Errorf("%d: %T %v: encoded as %q, decoded as %T %v, %v", c.Protocol, want, want, head(raw), got, got, err)
				continue
			}
			if want == nil {
				continue
			}
			p := reflect.New(reflect.TypeOf(want))
			if err := c.DecodeInto(raw, p.Interface()); err != nil || !sameValue(p.Elem().Interface(), want) {
				t.Errorf("%d: %T: decoded into the type as %#v, %v", c.Protocol, want, p.Elem(), err)
			}
			// In a document it is the same bytes.
			doc, err := c.Join(nil, []Entry{{Key: []byte("k"), Raw: raw}, {Key: []byte("é"), Raw: raw}})
			if err != nil {
				t.Errorf("%d: %T in a document: %v", c.Protocol, want, err)
				continue
			}
			entries, err := split(c, doc)
			if err != nil || len(entries) != 2 || !bytes.Equal(entries[0].Raw, raw) || !bytes.Equal(entries[1].Raw, raw) || string(entries[1].Key) != "é" {
				t.Errorf("%d: %T %v in a document: %q, %v", c.Protocol, want, want, entries, err)
			}
		}
	}
}

// sameValue compares values, and times with their zones.
func sameValue(a, b any) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && goValue{a}.String() == goValue{b}.String()
}

func TestPickleGoTypes(t *testing.T) {
	at := time.Date(2024, 1, 2, 3, 4, 5, 678901234, time.UTC)
	for _, tt := range []struct{ in, plain any }{
		{role("admin"), "admin"}, {level(-3), -3}, {[]role{"a"}, []any{"a"}}, {map[role]level{"a": 1}, map[string]any{"a": 1}},
		{[2]string{"a", "b"}, []any{"a", "b"}}, {[2]byte{1, 2}, []byte{1, 2}}, {[]int(nil), nil}, {map[string]int(nil), nil}, {(*int)(nil), nil},
		{[]byte(nil), nil}, {Tuple(nil), nil}, {float32(0.5), 0.5}, {complex64(1), complex(1, 0)}, {uint8(7), 7}, {uintptr(7), 7},
		{netip.MustParseAddr("10.0.0.1"), "10.0.0.1"}, {*big.NewInt(-5), -5}, {big.NewInt(5), 5}, {(*big.Int)(nil), nil},
		{struct{}{}, map[string]any{}}, {address{"a", nil}, map[string]any{"Street": "a", "Lines": nil}}, {&address{Street: "p"}, map[string]any{"Street": "p", "Lines": nil}},
		{map[int]string{2: "b", 1: "a"}, Dict{{1, "a"}, {2, "b"}}}, {map[bool]int8{true: 1}, Dict{{true, 1}}},
		{[]any{uint16(1), Decimal("1.5"), []Markup{"m"}}, []any{1, Decimal("1.5"), []any{Markup("m")}}},
		{at, at.Truncate(time.Microsecond)}, {[]time.Duration{time.Second}, []any{time.Second}},
		{at.In(time.FixedZone("+03", 10800)), at.Truncate(time.Microsecond).In(time.FixedZone("", 10800))},
	} {
		for _, c := range []Pickle{{}, {Protocol: PickleProtocol0}} {
			raw, err := c.Append(nil, tt.in)
			if err != nil {
				t.Errorf("%T: %v", tt.in, err)
				continue
			}
			if got, err := c.Decode(raw); err != nil || !reflect.DeepEqual(got, tt.plain) && !sameValue(got, tt.plain) {
				t.Errorf("%T: decoded as %#v, not %#v, %v", tt.in, got, tt.plain, err)
			}
		}
	}
	want := sampleUser()
	want.embedded.Both = ""
	got := through[user](t, Pickle{}, want)
	if !reflect.DeepEqual(got, want) {
		want.Born = want.Born.Truncate(time.Microsecond)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("\n got %+v\nwant %+v", got, want)
		}
	}
}

type selfish struct{ Self *selfish }

func TestPickleAppendErrors(t *testing.T) {
	cycle := &selfish{}
	cycle.Self = cycle
	list := []any{nil}
	list[0] = list
	for name, v := range map[string]any{
		"UTF-8": "\xff", "UTF-8 in a list": []string{"a\xc3"}, "key": map[string]any{"\xff": 1}, "Markup": Markup("\xff"),
		"channel": make(chan int), "function": func() {}, "in a struct": struct{ F func() }{}, "empty list of": []chan int{}, "opaque": opaque{},
		"nanoseconds": time.Nanosecond, "year 10000": time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "year 0": time.Date(0, 1, 1, 0, 0, 0, 0, Naive),
		"zone": time.Now().In(time.FixedZone("", 90000)), "cycle": cycle, "list in itself": list, "date": Date{2023, 2, 29}, "clock": Clock{Hour: 24},
		"delta": TimeDelta{Seconds: -1}, "decimal": Decimal("1,5"), "set of lists": Set{[]any{}}, "set": Set{1, true}, "floats": Set{1, 1.0},
		"dict": Dict{{1, 1}, {1.0, 1}}, "key list": Dict{{[]any{}, 1}}, "tuple of list": Dict{{Tuple{[]any{}}, 1}}, "named list": FrozenSet{list[:0]},
	} {
		for _, c := range allPickles() {
			out, err := c.Append([]byte("dst"), v)
			if err == nil || string(out) != "dst" {
				t.Errorf("%s: %q, %v", name, out, err)
			}
		}
	}
	digits := new(big.Int).Exp(big.NewInt(10), big.NewInt(maxDigits), nil)
	if _, err := (Pickle{Protocol: 1}).Append(nil, digits); err == nil {
		t.Error("an integer that Python does not read was written")
	}
}
