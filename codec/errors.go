package codec

import (
	"errors"
	"fmt"
	"reflect"
)

// What can be wrong with data. The texts hold no part of it.
var (
	errDamaged   = errors.New("the data is damaged")
	errTruncated = errors.New("the data is damaged: it ends too early")
	errTrailing  = errors.New("the data is damaged: there is more after its end")
	errDuplicate = errors.New("the data has a key twice")
	errKey       = errors.New("the data has a map key that is not a string")
	errExtension = errors.New("the data has an extension type that is not known")
)

func errDepth(limit int) error {
	return fmt.Errorf("nested more than %d deep (or it contains itself); the limit is MaxDepth", limit)
}

func errElements(limit int) error {
	return fmt.Errorf("more than %d elements; the limit is MaxElements", limit)
}

func errSize(limit int) error {
	return fmt.Errorf("larger than %d bytes; the limit is MaxSize", limit)
}

// errMismatch says that a value does not fit a variable.
func errMismatch(have string, want reflect.Type) error {
	return fmt.Errorf("%s does not fit %s without loss", have, want)
}

// errType says why no value of a Go type can be encoded, and what to do.
func errType(t reflect.Type, why string) error {
	return fmt.Errorf("values of Go type %s: %s", t, why)
}

// A methodError says that a method of a value failed. Its text leaves out
// that of the cause, which often quotes the value.
type methodError struct {
	typ    reflect.Type
	method string
	cause  error
}

func (e *methodError) Error() string { return fmt.Sprintf("%s.%s failed", e.typ, e.method) }

func (e *methodError) Unwrap() error { return e.cause }
