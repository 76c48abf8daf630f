package codec

import (
	"math/big"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

// flaskCodecs are the codecs whose data Python programs share.
func flaskCodecs() []Codec { return []Codec{Pickle{}, FlaskMessagePack{}, FlaskJSON{}} }

// testInto wants a value to come back as one of another type, from some of
// the codecs, and to be an error for the others.
func testInto[T any](t *testing.T, v any, want T, codecs ...Codec) {
	t.Helper()
	for _, c := range flaskCodecs() {
		raw, err := c.Append(nil, v)
		if err != nil {
			continue
		}
		expected := false
		for _, e := range codecs {
			expected = expected || c == e
		}
		var got T
		err = c.DecodeInto(raw, &got)
		if (err == nil) != expected {
			t.Errorf("%T: %T into %T: %v", c, v, want, err)
		} else if err == nil && !reflect.DeepEqual(got, want) && !sameValue(got, want) {
			t.Errorf("%T: %T into %T: %#v, not %#v", c, v, want, got, want)
		}
	}
}

func TestFlaskDecodeInto(t *testing.T) {
	all := flaskCodecs()
	pickle, pack, text := all[0], all[1], all[2]
	at := time.Date(2024, 2, 29, 13, 14, 15, 6000, time.UTC)
	naive := time.Date(2024, 2, 29, 13, 14, 15, 6000, Naive)
	id := UUID{1, 2, 15: 3}

	// Types that all the formats keep, or that a text is read as.
	testInto(t, at, at, all...)
	testInto(t, naive, naive, all...)
	for _, c := range all {
		want := at.In(time.FixedZone("", -3600))
		if c == pack { // has no zones
			want = at
		}
		if got := through[time.Time](t, c, at.In(time.FixedZone("", -3600))); !sameValue(got, want) {
			t.Errorf("%T: %v", c, got)
		}
	}
	testInto(t, Date{2024, 2, 29}, Date{2024, 2, 29}, all...)
	testInto(t, Clock{1, 2, 3, 4, false, nil}, Clock{1, 2, 3, 4, false, nil}, all...)
	testInto(t, -90*time.Minute, -90*time.Minute, all...)
	testInto(t, TimeDelta{200000, 1, 2}, TimeDelta{200000, 1, 2}, all...)
	testInto(t, time.Hour, TimeDelta{0, 3600, 0}, all...)
	testInto(t, TimeDelta{1, 0, 0}, 24*time.Hour, all...)
	testInto(t, TimeDelta{200000, 1, 2}, time.Duration(0))
	testInto(t, Decimal("12.340"), Decimal("12.340"), all...)
	testInto(t, id, id, all...)
	testInto(t, Markup("<b>"), Markup("<b>"), all...)
	testInto(t, []byte{0, 255}, []byte{0, 255}, all...)
	testInto(t, ByteArray{0, 255}, ByteArray{0, 255}, all...)
	testInto(t, ByteArray{0, 255}, []byte{0, 255}, all...)
	testInto(t, []byte{1, 2}, [2]byte{1, 2}, all...)
	testInto(t, []byte{1, 2}, [3]byte{})
	testInto(t, new(big.Int).Lsh(big.NewInt(1), 70), *new(big.Int).Lsh(big.NewInt(1), 70), pickle, text)
	testInto(t, uint64(1<<63), big.NewInt(0).SetUint64(1<<63), all...)
	testInto(t, map[int]string{1: "a", -2: "b"}, map[int]string{1: "a", -2: "b"}, all...)
	testInto(t, map[float64]int{1.5: 1}, map[float64]int{1.5: 1}, all...)
	testInto(t, OrderedDict{{"b", 1}, {"a", 2}}, map[string]int{"a": 2, "b": 1}, all...)
	testInto(t, map[string]any{"Street": "s", "More": 1}, address{Street: "s"}, all...)

	// Conversions.
	testInto(t, id, id.String(), all...)
	testInto(t, id, [16]byte(id), pickle)
	testInto(t, Decimal("12.340"), "12.340", all...)
	testInto(t, Markup("<b>"), "<b>", all...)
	testInto(t, Date{2024, 2, 29}, "2024-02-29", all...)
	testInto(t, Date{2024, 2, 29}, time.Date(2024, 2, 29, 0, 0, 0, 0, Naive), pickle)
	testInto(t, "10.0.0.1", netip.MustParseAddr("10.0.0.1"), all...)
	testInto(t, Tuple{"a", "b"}, []string{"a", "b"}, all...)
	testInto(t, Tuple{"a", "b"}, [2]string{"a", "b"}, all...)
	testInto(t, Tuple{"a", "b"}, [3]string{})
	testInto(t, Set{int8(3)}, []int{3}, all...)
	testInto(t, FrozenSet{"x"}, Set{"x"}, all...)
	testInto(t, []any{Tuple{"message", "Saved."}}, [][2]string{{"message", "Saved."}}, all...)
	testInto(t, []any{Tuple{"message", Markup("<b>")}}, [][]string{{"message", "<b>"}}, all...)
	testInto(t, 3, 3.0, all...)
	testInto(t, 3, int8(3), all...)
	testInto(t, 1<<53+1, 0.0)
	testInto(t, 300, int8(0))
	testInto(t, -1, uint(0))
	testInto(t, 0.5, float32(0.5), all...)
	testInto(t, 0.1, float32(0))
	testInto(t, 1+2i, complex64(1+2i), pickle)
	testInto(t, any(nil), (*int)(nil), all...)
	testInto(t, any(nil), []string(nil), all...)

	// What would be another value.
	testInto(t, any(nil), 0)
	testInto(t, 3.0, 0)
	testInto(t, true, 0)
	testInto(t, 1, false)
	testInto(t, 5, time.Duration(0))
	testInto(t, "5", 0)
	testInto(t, 5, "")
	testInto(t, "text", time.Time{})
	testInto(t, "text", []string(nil))
	testInto(t, []any{1}, map[string]int(nil))
	testInto(t, Dict{{1, 1}}, map[string]int{"1": 1}, text)
	testInto(t, 1, make(chan int))
	testInto(t, map[int]int{1: 1}, map[[1]int]int(nil))
}

func TestFlaskDecodeIntoPointer(t *testing.T) {
	for _, c := range flaskCodecs() {
		raw, err := c.Append(nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []any{nil, 1, (*int)(nil), (*any)(nil), (*string)(nil), (*bool)(nil)} {
			if err := c.DecodeInto(raw, p); err == nil {
				t.Errorf("%T: decoded into %#v", c, p)
			}
		}
	}
}

// What was handed out and not changed must be written as what it was: the
// session compares so.
func TestFlaskHandouts(t *testing.T) {
	for _, c := range flaskCodecs() {
		for _, v := range pythonValues() {
			raw, err := c.Append(nil, []any{v})
			if err != nil {
				continue // not for this format
			}
			got, err := c.Decode(raw)
			if err != nil {
				t.Errorf("%T: %T: %v", c, v, err)
				continue
			}
			first, err := c.Append(nil, got)
			if err != nil {
				t.Errorf("%T: %T: %v", c, v, err)
				continue
			}
			var again []any
			if err := c.DecodeInto(raw, &again); err != nil {
				t.Errorf("%T: %T: %v", c, v, err)
			}
			second, err := c.Append(nil, again)
			if err != nil || string(first) != string(second) {
				t.Errorf("%T: %T: %q became %q, %v", c, v, first, second, err)
			}
		}
	}
}

func TestTimeDeltaText(t *testing.T) {
	for text, want := range map[string]TimeDelta{
		"P0D": {}, "P1DT2.000003S": {1, 2, 3}, "-PT1S": {-1, 86399, 0}, "-P2DT86394.999993S": {-3, 5, 7}, "PT1H": {0, 3600, 0}, "P1W": {7, 0, 0},
		"PT1M0.5S": {0, 60, 500000}, "P999999999DT86399.999999S": {999999999, 86399, 999999}, "-P999999999D": {-999999999, 0, 0},
	} {
		var got TimeDelta
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
		var again TimeDelta
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "P", "PT", "-", "1D", "P1", "P1S", "PT1D", "P1.5D", "P1DT", "PT1S1S", "PT1S1H", "P1D1D", "PT0.1234567S", "P1000000000D", "PT99999999999999999S", "P9999999999999999W", "P-1D", "PTT1S", "PT.S", "PT1.2.3S"} {
		if err := new(TimeDelta).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestPythonTexts(t *testing.T) {
	for _, text := range []string{"", "2024-02-30", "2024-2-3", "0000-01-01", "2024-01-01T00:00:00"} {
		if err := new(Date).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("date %q was read", text)
		}
	}
	for _, text := range []string{"", "24:00:00", "1", "01:02:03+"} {
		if err := new(Clock).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("time %q was read", text)
		}
	}
	for _, text := range []string{"", "12345678123456781234567812345678", "12345678-1234-5678-1234-56781234567g", "{2345678-1234-5678-1234-567812345678}"} {
		if err := new(UUID).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("UUID %q was read", text)
		}
	}
	if d := (Dict{{1, "a"}, {[]any{}, "b"}}); d.Get(1) != "a" || d.Get(2) != nil || d.Get([]any{}) != nil {
		t.Error("Dict.Get")
	}
	if DateOf(time.Date(2024, 2, 29, 23, 0, 0, 0, time.UTC)).Time() != time.Date(2024, 2, 29, 0, 0, 0, 0, Naive) {
		t.Error("DateOf")
	}
}
