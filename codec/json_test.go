package codec

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestJSONRoundTrip(t *testing.T) {
	var c JSON
	at := time.Date(2024, 2, 29, 23, 59, 59, 999999999, zone)
	for _, tt := range []struct {
		in      any
		text    string
		natural any
	}{
		{nil, `null`, nil}, {true, `true`, true}, {"<a&b>é\x00\"\\", `"<a&b>é\u0000\"\\"`, "<a&b>é\x00\"\\"},
		{"\ufffd", "\"\ufffd\"", "\ufffd"}, {`\ufffd`, `"\\ufffd"`, `\ufffd`}, {`\\ufffd`, `"\\\\ufffd"`, `\\ufffd`},
		{5, `5`, 5}, {int8(-5), `-5`, -5}, {math.MinInt, `-9223372036854775808`, math.MinInt}, {uint64(math.MaxUint64), `18446744073709551615`, uint64(math.MaxUint64)},
		{3.0, `3`, 3}, {1.5, `1.5`, 1.5}, {1e21, `1e+21`, 1e21}, {1e20, `100000000000000000000`, 1e20}, {math.Copysign(0, -1), `-0`, math.Copysign(0, -1)},
		{float32(0.1), `0.1`, 0.1},
		{[]byte{1, 2, 255}, `"AQL/"`, "AQL/"}, {at, `"2024-02-29T23:59:59.999999999-03:30"`, "2024-02-29T23:59:59.999999999-03:30"},
		{time.Second, `1000000000`, 1000000000},
		{[]any{}, `[]`, []any{}}, {[]int(nil), `null`, nil}, {[]any{1, "a", nil, 1.5}, `[1,"a",null,1.5]`, []any{1, "a", nil, 1.5}},
		{map[string]any{"b": 1, "a": []any{map[string]any{}}}, `{"a":[{}],"b":1}`, map[string]any{"b": 1, "a": []any{map[string]any{}}}},
		{map[string]int{"b": 1, "a": 2}, `{"a":2,"b":1}`, map[string]any{"b": 1, "a": 2}},
		{[]string{"a"}, `["a"]`, []any{"a"}}, {role("r"), `"r"`, "r"}, {netip.MustParseAddr("::1"), `"::1"`, "::1"},
		{struct{ A any }{5}, `{"A":5}`, map[string]any{"A": 5}},
		{[]struct{ A map[string]any }{{map[string]any{"x": 1 << 60}}}, `[{"A":{"x":1152921504606846976}}]`, []any{map[string]any{"A": map[string]any{"x": 1 << 60}}}},
		{map[string]struct{ A *any }{"k": {new(any)}}, `{"k":{"A":null}}`, map[string]any{"k": map[string]any{"A": nil}}},
	} {
		raw, err := c.Append(nil, tt.in)
		if err != nil || string(raw) != tt.text {
			t.Errorf("%T: %s, want %s, %v", tt.in, raw, tt.text, err)
			continue
		}
		got, err := c.Decode(raw)
		if err != nil || !reflect.DeepEqual(got, tt.natural) {
			t.Errorf("%s: decoded as %#v, want %#v, %v", raw, got, tt.natural, err)
		}
		var a any = "old"
		if err := c.DecodeInto(raw, &a); err != nil || !reflect.DeepEqual(a, tt.natural) {
			t.Errorf("%s: decoded into any as %#v, %v", raw, a, err)
		}
		if tt.in == nil {
			continue
		}
		p := reflect.New(reflect.TypeOf(tt.in))
		if err := c.DecodeInto(raw, p.Interface()); err != nil {
			t.Errorf("%s: into %T: %v", raw, tt.in, err)
		} else if again, err := c.Append(nil, p.Elem().Interface()); err != nil || string(again) != tt.text {
			t.Errorf("%s: into %T and back: %s, %v", raw, tt.in, again, err)
		}
	}
	if got := through[time.Time](t, c, at); !got.Equal(at) {
		t.Errorf("%v became %v", at, got)
	}
	if got := through[struct{ A any }](t, c, struct{ A any }{[]any{1, 1.5}}); !reflect.DeepEqual(got.A, []any{1, 1.5}) {
		t.Errorf("any in a struct: %#v", got.A)
	}
}

func TestJSONAppendRefuses(t *testing.T) {
	loop := &cyclic{}
	loop.Next = loop
	for _, tt := range []struct {
		v    any
		want string
	}{
		{"\xff", "not UTF-8"}, {[]any{map[string]any{"a\xff": 1}}, "not UTF-8"}, {`\` + "\xff", "not UTF-8"}, {role("secret\xff"), "not UTF-8"},
		{math.NaN(), "Go type float64: NaN"}, {float32(math.Inf(1)), "Go type float32: NaN and infinities"},
		{make(chan int), "Go type chan int: cannot be stored"}, {[]any{func() {}}, "Go type func()"}, {complex64(1), "Go type complex64"},
		{loop, "contains itself"}, {deepList(65), "MaxDepth"}, {make([]int, 1<<20+1), "MaxElements"}, {strings.Repeat("x", 65<<20), "MaxSize"},
		{failing{}, "codec.failing.MarshalJSON or MarshalText failed"},
	} {
		got, err := JSON{}.Append([]byte("before"), tt.v)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%T: error %v, want %q", tt.v, err, tt.want)
		}
		if string(got) != "before" {
			t.Errorf("%T: dst became %d bytes", tt.v, len(got))
		}
	}
}

func TestJSONDecodeIntoRefuses(t *testing.T) {
	for _, tt := range []struct {
		text string
		into any
		want string
	}{
		{`300`, new(int8), "number does not fit int8"}, {`-1`, new(uint), "number does not fit uint"}, {`1.5`, new(int), "number does not fit int"},
		{`9223372036854775808`, new(int), "number does not fit int"}, {`"5"`, new(int), "string does not fit int"}, {`5`, new(string), "number does not fit string"},
		{`9007199254740993`, new(float64), "int does not fit float64"}, {`16777217`, new(float32), "int does not fit float32"},
		{`null`, new(int), "null does not fit int"}, {`null`, new(string), "null does not fit string"}, {`null`, new(float64), "null does not fit float64"},
		{`"secret"`, new(netip.Addr), "netip.Addr.UnmarshalJSON or UnmarshalText failed"}, {`"secret"`, new(time.Time), "failed"},
		{`{"Street":1}`, new(address), "number does not fit string"}, {`1e999`, new(any), "number does not fit float64"},
		{`{"a":1,"a":2}`, new(map[string]int), "key twice"}, {`[{"x":{"a":1,"\u0061":2}}]`, new([]any), "key twice"}, {`{"More":{"a":1,"a":2}}`, new(address), "key twice"},
		{`{`, new(any), "damaged"}, {``, new(any), "damaged"}, {`1 2`, new(int), "damaged"}, {"\"\xff\"", new(string), "not UTF-8"},
		{strings.Repeat("[", 65) + strings.Repeat("]", 65), new([]any), "MaxDepth"},
		{`1`, nil, "not a non-nil pointer"}, {`1`, (*int)(nil), "not a non-nil pointer"}, {`1`, 1, "not a non-nil pointer"},
	} {
		err := JSON{}.DecodeInto([]byte(tt.text), tt.into)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s into %T: error %v, want %q", head([]byte(tt.text)), tt.into, err, tt.want)
		}
	}
	into := address{Street: "old", Lines: []string{"old"}}
	if err := (JSON{}).DecodeInto([]byte(`{"Lines":["new"],"More":1}`), &into); err != nil || into.Street != "" || len(into.Lines) != 1 {
		t.Errorf("%+v, %v", into, err)
	}
}

func TestJSONSplit(t *testing.T) {
	doc := " {\n\"a\" : [1, {\"b\":\"}]\"}] ,\"\\u0062\\\"\":\"x\\\\\", \"c\":-1.5e3\t} \n"
	entries, err := split(JSON{}, []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, string(e.Key)+"="+string(e.Raw))
	}
	if want := []string{`a=[1, {"b":"}]"}]`, `b"="x\\"`, `c=-1.5e3`}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}

	var many strings.Builder
	for i := range 40 {
		fmt.Fprintf(&many, `,"k%d":1`, i%39)
	}
	for _, tt := range []struct {
		doc  string
		want error
	}{
		{``, errDamaged}, {`[]`, errDamaged}, {`null`, errDamaged}, {`{}x`, errDamaged}, {`{"a":}`, errDamaged}, {`{"a":1,}`, errDamaged},
		{`{"a":1,"a":1}`, errDuplicate}, {`{"a":1,"\u0061":1}`, errDuplicate}, {`{"a":[{"b":1,"b":1}]}`, errDuplicate},
		{"{" + many.String()[1:] + "}", errDuplicate}, {"{\"\xff\":1}", errUTF8},
	} {
		if _, err := split(JSON{}, []byte(tt.doc)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", head([]byte(tt.doc)), err, tt.want)
		}
	}
	for i := range len(strings.TrimSpace(doc)) {
		if _, err := split(JSON{}, []byte(doc[:i])); err == nil {
			t.Errorf("split at %d of %d bytes", i, len(doc))
		}
	}
	for _, tt := range []struct {
		c   JSON
		doc string
	}{
		{JSON{MaxDepth: 1}, `{"a":[[]]}`}, {JSON{MaxElements: 2}, `{"a":[1,2,3]}`}, {JSON{MaxElements: 2}, `{"a":{"b":[1,2]}}`},
		{JSON{MaxElements: 1}, `{"a":1,"b":1}`}, {JSON{MaxSize: 5}, `{"a":1}`},
		{JSON{}, `{"a":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `}`},
	} {
		if _, err := split(tt.c, []byte(tt.doc)); err == nil {
			t.Errorf("%s: accepted by %+v", head([]byte(tt.doc)), tt.c)
		}
	}
	if _, err := (JSON{}).Join(nil, []Entry{{Key: []byte("\xff"), Raw: []byte("1")}}); !errors.Is(err, errUTF8) {
		t.Errorf("a key that is not UTF-8: %v", err)
	}
}

func TestJSONMemory(t *testing.T) {
	for name, data := range map[string]string{
		"open brackets": strings.Repeat("[", 1<<16),
		"open braces":   strings.Repeat(`{"":`, 1<<14),
		"escapes":       `"` + strings.Repeat(`\u0061`, 1<<13) + `"`,
		"long number":   strings.Repeat("1", 1<<16),
		"empty lists":   "[" + strings.Repeat("[],", 1<<14) + "[]]",
	} {
		for _, p := range []any{new(any), new([]any), new(user), new(float64)} {
			got := allocated(func() { _ = JSON{}.DecodeInto([]byte(data), p) })
			if limit := uint64(16<<10 + 64*len(data)); got > limit {
				t.Errorf("%s into %T: %d bytes allocated for %d", name, p, got, len(data))
			}
		}
	}
}
