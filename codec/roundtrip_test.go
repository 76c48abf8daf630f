package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

type role string

type level int8

type address struct {
	Street string
	Lines  []string
}

type embedded struct {
	Inner int
	Both  string
}

type Flat struct{ Street string }

type user struct {
	embedded
	*Flat
	ID      int64 `session:"id" json:"id"`
	Name    string
	Role    role
	Both    int8
	Home    address
	Work    *address
	All     []address
	ByName  map[string]address
	ByRole  map[role][]*address
	Born    time.Time
	Wait    time.Duration
	Any     any
	Raw     []byte
	Key     [4]byte
	Ints    [3]uint16
	IP      netip.Addr
	Big     *big.Int
	Next    *user
	Empty   string `session:",omitempty" json:",omitempty"`
	Skipped string `session:"-" json:"-"`
	hidden  int
}

func sampleUser() user {
	return user{
		embedded: embedded{Inner: 1, Both: "hidden by user.Both"},
		Flat:     &Flat{Street: "flat"},
		ID:       math.MaxInt64, Name: "Ann", Role: "admin", Both: -8,
		Home:   address{Street: "a"},
		Work:   &address{Lines: []string{}},
		All:    []address{{Street: "b"}, {}},
		ByName: map[string]address{"z": {Street: "c"}, "a": {}},
		ByRole: map[role][]*address{"admin": {nil, {Street: "d"}}},
		Born:   time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC),
		Wait:   time.Minute, Any: "text", Raw: []byte{0, 255}, Key: [4]byte{1, 2, 3, 4}, Ints: [3]uint16{1, 2, 65535},
		IP: netip.MustParseAddr("2001:db8::1"), Big: big.NewInt(1234567890123456789),
		Next: &user{ID: 2},
	}
}

var zone = time.FixedZone("", -(3*3600 + 1800))

// typed are the values that MessagePack gives back as they are.
func typed() []any {
	utc := time.Date(2024, 2, 29, 23, 59, 59, 999999999, time.UTC)
	return []any{
		nil, true, false,
		0, 1, -1, 127, 128, -32, -33, math.MaxInt, math.MinInt,
		int8(-128), int8(127), int16(-32768), int32(math.MinInt32), int64(math.MaxInt64), int64(math.MinInt64),
		uint(0), uint(math.MaxUint), uint8(255), uint16(65535), uint32(math.MaxUint32), uint64(math.MaxUint64), uintptr(4096),
		float32(1.5), float64(3), math.Inf(-1), math.SmallestNonzeroFloat64, math.Copysign(0, -1),
		complex64(complex(1, -2)), complex(math.Pi, math.Inf(1)),
		"", "é", "\x00\xff\xfe", strings.Repeat("x", 31), strings.Repeat("x", 32), strings.Repeat("x", 256), strings.Repeat("x", 65536),
		[]byte{}, []byte(nil), []byte{0xff, 0}, bytes.Repeat([]byte{1}, 70000),
		utc, time.Time{}, time.Unix(0, 0).UTC(), time.Unix(1<<32, 0).UTC(), time.Unix(1<<34-1, 5).UTC(), time.Unix(1<<34, 0).UTC(),
		time.Unix(-1, 1).UTC(), utc.In(zone), time.Date(-1000, 1, 1, 0, 0, 0, 1, zone), time.Date(90000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Duration(-5), time.Hour,
		[]any{}, []any(nil), []any{nil, 1, int8(1), "a", []string{"b"}, map[string]int{"c": 1}, []any{time.Second}},
		map[string]any{}, map[string]any(nil), map[string]any{"a": nil, "b": uint8(7), "": map[string]any{"c": []int16{1}}},
		[]bool{true, false}, []int{1, -1}, []int8{-128}, []int16{1}, []int32{1, 2}, []int64{1}, []uint{1}, []uint16{1}, []uint32{1},
		[]uint64{math.MaxUint64}, []uintptr{1}, []float32{1}, []float64{1, math.Inf(1)}, []complex64{1}, []complex128{1},
		[]string{"a", ""}, []string{}, []string(nil), []int(nil), []int{}, [][]byte{{1}, nil, {}}, []time.Time{utc, utc.In(zone)},
		[]time.Duration{1, time.Hour}, [][]string{{"a"}, nil, {}}, [][][][][][][][]int{{{{{{{{1}}}}}}}},
		map[string]string{"b": "1", "a": "2"}, map[string]int{}, map[string]int(nil), map[string][]byte{"a": {1}},
		map[string]map[string]int{"x": {"y": 1}, "z": nil}, map[string][]time.Time{"t": {utc}}, []map[string]float32{{"a": 1}, nil},
		map[string][]any{"a": {int8(1), nil}}, []map[string]any{{"a": uint16(1)}}, map[string]time.Duration{"d": 1}, map[string]bool{"": true},
		deepList(60),
	}
}

func deepList(n int) any {
	var v any = "end"
	for range n {
		v = []any{v}
	}
	return v
}

func TestMessagePackKeepsTypes(t *testing.T) {
	var c MessagePack
	for _, want := range typed() {
		raw, err := c.Append([]byte("before"), want)
		if err != nil {
			t.Errorf("%T: %v", want, err)
			continue
		}
		raw = raw[len("before"):]
		got, err := c.Decode(raw)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%T: encoded as % x, decoded as %T, %v", want, head(raw), got, err)
			continue
		}
		if want == nil {
			continue
		}
		p := reflect.New(reflect.TypeOf(want))
		if err := c.DecodeInto(raw, p.Interface()); err != nil || !reflect.DeepEqual(p.Elem().Interface(), want) {
			t.Errorf("%T: decoded into the type as %#v, %v", want, p.Elem(), err)
		}
		var a any
		if err := c.DecodeInto(raw, &a); err != nil || !reflect.DeepEqual(a, want) {
			t.Errorf("%T: decoded into any as %T, %v", want, a, err)
		}
		// Inside a list each value keeps its type as well.
		list, err := c.Append(nil, []any{want, want})
		if err != nil {
			t.Errorf("%T in a list: %v", want, err)
			continue
		}
		if got, err := c.Decode(list); err != nil || !reflect.DeepEqual(got, []any{want, want}) {
			t.Errorf("%T in a list: decoded as %#v, %v", want, got, err)
		}
		doc, err := c.Join(nil, []Entry{{Key: []byte("k"), Raw: raw}})
		if err != nil {
			t.Errorf("%T in a document: %v", want, err)
			continue
		}
		if err := c.Split(doc, func(e Entry) error {
			if string(e.Key) != "k" || !bytes.Equal(e.Raw, raw) {
				return errors.New("another entry")
			}
			return nil
		}); err != nil {
			t.Errorf("%T in a document: %v", want, err)
		}
	}
}

func head(b []byte) []byte { return b[:min(len(b), 32)] }

func TestMessagePackLocalTime(t *testing.T) {
	now := time.Now().In(time.FixedZone("CEST", 7200))
	got := through[time.Time](t, MessagePack{}, now)
	_, offset := got.Zone()
	if !got.Equal(now) || offset != 7200 {
		t.Errorf("%v became %v", now, got)
	}
	if _, err := (MessagePack{}).Append(nil, time.Now().In(time.FixedZone("", 1<<40))); err == nil {
		t.Error("an offset of 64 bits was accepted")
	}
}

func through[T any](t *testing.T, c Codec, v any) (got T) {
	t.Helper()
	raw, err := c.Append(nil, v)
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	if err := c.DecodeInto(raw, &got); err != nil {
		t.Fatalf("%T into %T: %v", v, got, err)
	}
	return got
}

func TestStructs(t *testing.T) {
	for _, c := range []Codec{MessagePack{}, JSON{}} {
		want := sampleUser()
		want.Skipped, want.hidden = "not stored", 1
		got := through[user](t, c, want)
		want.Skipped, want.hidden = "", 0
		want.embedded.Both = ""
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%T:\n got %+v\nwant %+v", c, got, want)
		}
		if got := through[*user](t, c, &want); got == nil || got.Next == nil || got.Next.ID != 2 {
			t.Errorf("%T: pointer: %+v", c, got)
		}
		if got := through[*user](t, c, (*user)(nil)); got != nil {
			t.Errorf("%T: nil pointer: %+v", c, got)
		}
		if got := through[[]user](t, c, []user{want, {}}); len(got) != 2 || got[0].ID != want.ID {
			t.Errorf("%T: slice: %+v", c, got)
		}
	}
}

func TestMessagePackStructAsMap(t *testing.T) {
	raw, err := MessagePack{}.Append(nil, address{Street: "a", Lines: []string{"b"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := MessagePack{}.Decode(raw)
	want := map[string]any{"Street": "a", "Lines": []any{"b"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("decoded as %#v, %v", got, err)
	}
	// Unknown keys are ignored, missing ones are zero, whatever was there.
	raw, _ = MessagePack{}.Append(nil, map[string]any{"Lines": []any{"c"}, "More": map[string]any{"x": []any{1}}})
	into := address{Street: "old"}
	if err := (MessagePack{}).DecodeInto(raw, &into); err != nil || into.Street != "" || len(into.Lines) != 1 {
		t.Errorf("%+v, %v", into, err)
	}
}

func TestMessagePackNamedTypes(t *testing.T) {
	var c MessagePack
	u, _ := url.Parse("https://example.org/a?b=c")
	for _, tt := range []struct{ in, plain any }{
		{role("admin"), "admin"},
		{level(-3), int8(-3)},
		{[]role{"a"}, []string{"a"}},
		{map[role]level{"a": 1}, map[string]int8{"a": 1}},
		{[2]string{"a", "b"}, []string{"a", "b"}},
		{[2]byte{1, 2}, []byte{1, 2}},
		{[]address{}, []any{}},
		{[]address(nil), []any(nil)},
		{[]netip.Addr{netip.MustParseAddr("::1")}, []string{"::1"}},
		{netip.MustParseAddr("10.0.0.1"), "10.0.0.1"},
		{net.IPv4(1, 2, 3, 4), "1.2.3.4"},
		{*big.NewInt(-5), "-5"},
		{*u, []byte("https://example.org/a?b=c")},
		{struct{}{}, map[string]any{}},
		{map[string]struct{}{"a": {}}, map[string]any{"a": map[string]any{}}},
		{json.Number("12"), "12"},
		{[]*int8{nil}, []any{nil}},
	} {
		raw, err := c.Append(nil, tt.in)
		if err != nil {
			t.Errorf("%T: %v", tt.in, err)
			continue
		}
		if got, err := c.Decode(raw); err != nil || !reflect.DeepEqual(got, tt.plain) {
			t.Errorf("%T: decoded as %#v, %v", tt.in, got, err)
		}
		p := reflect.New(reflect.TypeOf(tt.in))
		if err := c.DecodeInto(raw, p.Interface()); err != nil || !reflect.DeepEqual(p.Elem().Interface(), tt.in) {
			t.Errorf("%T: decoded into itself as %#v, %v", tt.in, p.Elem(), err)
		}
	}
}

// list contains itself by its type.
type list []list

type cyclic struct{ Next *cyclic }

type pointer *pointer

type clash struct {
	A int `session:"x"`
	B int `session:"x"`
}

type opaque struct{ a int }

type embedsPointer struct{ *opaque } //nolint:unused // only its type is looked at

func TestMessagePackRecursiveTypes(t *testing.T) {
	want := list{{}, {{}}, nil}
	if got := through[list](t, MessagePack{}, want); !reflect.DeepEqual(got, want) {
		t.Errorf("%#v", got)
	}
	var p pointer
	if got := through[pointer](t, MessagePack{}, p); got != nil {
		t.Errorf("%#v", got)
	}
}

func TestMessagePackIsDeterministic(t *testing.T) {
	for _, m := range []any{
		map[string]any{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5},
		map[string]int{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5},
	} {
		first, err := MessagePack{}.Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if again, _ := (MessagePack{}).Append(nil, m); !bytes.Equal(first, again) {
				t.Fatalf("%T has two encodings", m)
			}
		}
	}
}

func TestMessagePackSharesNoMemory(t *testing.T) {
	in := []any{"text", []byte("bytes"), map[string]any{"key": "value"}, []string{"s"}, map[string][]byte{"k": []byte("b")}}
	raw, err := MessagePack{}.Append(nil, in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := MessagePack{}.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] = 0xc1
	}
	if !reflect.DeepEqual(got, in) {
		t.Errorf("the value changed with the data: %#v", got)
	}
}
