package sessions

import (
	"bytes"
	"fmt"
	"reflect"
	"time"

	"github.com/go-session2/sessions/codec"
)

// A slot is what a key holds at some moment: an encoded value, a Go value, or
// nothing.
type slot struct {
	codec   codec.Codec
	raw     []byte // encoded, or nil
	value   any    // if isValue
	isValue bool
}

func (s slot) present() bool {
	if s.isValue {
		_, gone := s.value.(absent)
		return !gone
	}
	return s.raw != nil
}

// natural returns the value with the Go type that the codec says.
func (s slot) natural() (any, error) {
	if s.isValue {
		return s.value, nil
	}
	v, err := s.codec.Decode(s.raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrValue, err)
	}
	return v, nil
}

// as returns the value of a present slot as a T.
func as[T any](s slot) (T, error) {
	var t T
	raw := s.raw
	if s.isValue {
		if v, ok := s.value.(T); ok {
			return v, nil
		}
		// Set as one type and asked for as another: the same conversions
		// as if it had been stored in between.
		var err error
		if raw, err = s.codec.Append(nil, s.value); err != nil {
			return t, fmt.Errorf("%w: %w", ErrValue, err)
		}
	}
	if err := s.codec.DecodeInto(raw, &t); err != nil {
		var zero T
		return zero, fmt.Errorf("%w: %w", ErrValue, err)
	}
	return t, nil
}

// A handout is a value that was given to the handler, who may change it in
// place: a slice, a map, something behind a pointer.
type handout struct {
	key   string
	value any
	raw   []byte // what it was decoded from
}

// canChange tells whether a value can be changed without being set again.
func canChange(v any) bool {
	switch v.(type) {
	case nil, string, time.Time, time.Duration:
		return false
	}
	switch reflect.TypeOf(v).Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Struct, reflect.Array, reflect.Interface:
		return true
	}
	return false
}

// changed returns the encoding of the value if it is no longer what was
// handed out, else nil.
func (h *handout) changed(cdc codec.Codec) ([]byte, error) {
	raw, err := cdc.Append(nil, h.value)
	if err != nil {
		// What another program has stored may be more than the codec writes.
		fresh := reflect.New(reflect.TypeOf(h.value))
		if cdc.DecodeInto(h.raw, fresh.Interface()) == nil && reflect.DeepEqual(fresh.Elem().Interface(), h.value) {
			return nil, nil
		}
		return nil, fmt.Errorf("%w: %w", ErrValue, err)
	}
	if bytes.Equal(raw, h.raw) {
		return nil, nil
	}
	// Other bytes may be the same value in the spelling of another program.
	fresh := reflect.New(reflect.TypeOf(h.value))
	if err := cdc.DecodeInto(h.raw, fresh.Interface()); err == nil {
		if same, err := cdc.Append(nil, fresh.Elem().Interface()); err == nil && bytes.Equal(raw, same) {
			return nil, nil
		}
	}
	return raw, nil
}
