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
	"unsafe"
)

func TestAppendRefuses(t *testing.T) {
	loop := &cyclic{}
	loop.Next = loop
	var self any
	self = &self
	var p pointer
	p = &p
	m := map[string]any{}
	m["m"] = m
	inList := []any{nil}
	inList[0] = inList
	for _, tt := range []struct {
		v    any
		want string
	}{
		{make(chan int), "Go type chan int: a chan cannot be stored; leave it out"},
		{func() {}, "Go type func()"},
		{unsafe.Pointer(nil), "Go type unsafe.Pointer"},
		{map[int]string{1: "a"}, "Go type map[int]string: map keys must be strings; use a map[string]"},
		{[]map[int]string{}, "Go type map[int]string"},
		{[]chan int{}, "Go type chan int"},
		{map[string]func(){}, "Go type func()"},
		{struct{ F func() }{}, "Go type func()"},
		{[]error{errors.New("x")}, "Go type error: an interface value"},
		{opaque{1}, "Go type codec.opaque: the struct has no exported fields"},
		{embedsPointer{}, "embedded pointer to the unexported codec.opaque"},
		{clash{}, "two fields have one name"},
		{[][][][][][][][][]int{}, "more than eight slices and maps"},
		{loop, "limit is MaxDepth"}, {self, "limit is MaxDepth"}, {p, "limit is MaxDepth"},
		{m, "limit is MaxDepth"}, {inList, "limit is MaxDepth"}, {deepList(65), "limit is MaxDepth"},
		{make([]bool, 1<<20+1), "limit is MaxElements"},
		{strings.Repeat("x", 65<<20), "limit is MaxSize"},
		{[]any{make([]byte, 40<<20), make([]byte, 40<<20)}, "limit is MaxSize"},
		{failing{}, "codec.failing.MarshalText failed"},
	} {
		dst := []byte("before")
		got, err := MessagePack{}.Append(dst, tt.v)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%T: error %v, want %q", tt.v, err, tt.want)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%T: error %q holds data", tt.v, err)
		}
		if string(got) != "before" {
			t.Errorf("%T: dst became %d bytes", tt.v, len(got))
		}
	}
	if _, err := (MessagePack{}).Append(nil, failing{}); !errors.Is(err, errSecret) {
		t.Errorf("the cause is lost: %v", err)
	}
}

var errSecret = errors.New("secret")

type failing struct{}

func (failing) MarshalText() ([]byte, error) { return nil, errSecret }
func (*failing) UnmarshalText([]byte) error  { return errSecret }

func TestMessagePackConversions(t *testing.T) {
	var c MessagePack
	for _, tt := range []struct {
		in   any
		into any
		want any // nil: an error
		text string
	}{
		{5, new(int64), int64(5), ""},
		{5, new(uint8), uint8(5), ""},
		{int8(5), new(int), 5, ""},
		{uint64(7), new(level), level(7), ""},
		{int32(-1), new(int16), int16(-1), ""},
		{5, new(float64), 5.0, ""},
		{1 << 24, new(float32), float32(1 << 24), ""},
		{float32(0.5), new(float64), 0.5, ""},
		{0.5, new(float32), float32(0.5), ""},
		{5, new(time.Duration), time.Duration(5), ""},
		{time.Second, new(int64), int64(time.Second), ""},
		{complex64(1), new(complex128), complex128(1), ""},
		{complex128(1), new(complex64), complex64(1), ""},
		{[]int32{1, 2}, new([]int64), []int64{1, 2}, ""},
		{[]any{1, int8(2)}, new([]int), []int{1, 2}, ""},
		{[]string{"a"}, new([]any), []any{"a"}, ""},
		{map[string]any{"a": 1}, new(map[string]uint), map[string]uint{"a": 1}, ""},
		{map[string]int{"a": 1}, new(map[role]int), map[role]int{"a": 1}, ""},
		{nil, new([]string), []string(nil), ""},
		{300, new(uint8), nil, "int does not fit uint8 without loss"},
		{300, new(int8), nil, "int does not fit int8 without loss"},
		{-1, new(uint), nil, "int does not fit uint without loss"},
		{-1, new(uint64), nil, "int does not fit uint64 without loss"},
		{uint64(math.MaxUint64), new(int), nil, "uint64 does not fit int without loss"},
		{uint64(math.MaxUint64), new(int64), nil, "uint64 does not fit int64 without loss"},
		{int64(1 << 40), new(int32), nil, "does not fit int32 without loss"},
		{1<<53 + 1, new(float64), nil, "int does not fit float64 without loss"},
		{1<<24 + 1, new(float32), nil, "int does not fit float32 without loss"},
		{0.1, new(float32), nil, "float64 does not fit float32 without loss"},
		{complex(0.1, 0), new(complex64), nil, "a complex number does not fit complex64 without loss"},
		{3.0, new(int), nil, "float64 does not fit int without loss"},
		{3.0, new(int16), nil, "float64 does not fit int16 without loss"},
		{"5", new(int), nil, "string does not fit int without loss"},
		{5, new(string), nil, "int does not fit string without loss"},
		{"x", new([]byte), nil, "string does not fit []uint8 without loss"},
		{[]byte("x"), new(string), nil, "[]byte does not fit string without loss"},
		{true, new(int), nil, "bool does not fit int"},
		{1, new(bool), nil, "int does not fit bool"},
		{nil, new(int), nil, "nil does not fit int"},
		{nil, new(string), nil, "nil does not fit string"},
		{time.Now(), new(string), nil, "time.Time does not fit string"},
		{1, new(time.Time), nil, "int does not fit time.Time"},
		{complex64(1), new(time.Time), nil, "a complex number does not fit time.Time"},
		{[]int32{1}, new(int), nil, "[]int32 does not fit int"},
		{[]int32{1}, new([]string), nil, "int does not fit string"},
		{[]int{1, 2}, new([3]int), nil, "[]int does not fit [3]int"},
		{[]any{1, 2}, new([3]int), nil, "a list does not fit [3]int"},
		{[]byte{1}, new([2]byte), nil, "[]byte does not fit [2]uint8"},
		{map[string]int{}, new([]int), nil, "map[string]int does not fit []int"},
		{[]any{}, new(user), nil, "a list does not fit codec.user"},
		{"secret", new(netip.Addr), nil, "netip.Addr.UnmarshalText failed"},
		{[]byte("secret"), new(time.Duration), nil, "[]byte does not fit time.Duration"},
		{1, new(chan int), nil, "Go type chan int"},
		{1, new(error), nil, "Go type error"},
		{1, (*int)(nil), nil, "not a non-nil pointer"},
		{1, 5, nil, "not a non-nil pointer"},
		{1, nil, nil, "not a non-nil pointer"},
	} {
		name := fmt.Sprintf("%T into %T", tt.in, tt.into)
		raw, err := c.Append(nil, tt.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		err = c.DecodeInto(raw, tt.into)
		switch {
		case tt.want == nil && (err == nil || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "secret")):
			t.Errorf("%s: error %v, want %q", name, err, tt.text)
		case tt.want != nil && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != nil:
			if got := reflect.ValueOf(tt.into).Elem().Interface(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s: got %#v", name, got)
			}
		}
	}
}
