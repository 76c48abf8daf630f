package codec

import (
	"encoding/json"
	"reflect"
)

var jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()

// unmarshals reports whether encoding/json leaves the values of a type to a
// method.
func unmarshals(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(jsonUnmarshaler) || p.Implements(textUnmarshaler)
}

// naturalNumbers replaces the numbers that a decoder with UseNumber has put
// into interfaces. Nothing else refers to v yet.
func naturalNumbers(v reflect.Value) error {
	if unmarshals(v.Type()) {
		return nil
	}
	if kind := v.Kind(); !v.CanSet() && kind != reflect.Struct && kind != reflect.Pointer {
		return nil // embedded and unexported: only the fields in it can be set
	}
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() || v.NumMethod() != 0 {
			return nil
		}
		x, err := naturalNumber(v.Interface())
		if err == nil {
			v.Set(reflect.ValueOf(x))
		}
		return err
	case reflect.Pointer:
		if !v.IsNil() {
			return naturalNumbers(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() || v.Type().Field(i).Anonymous {
				if err := naturalNumbers(f); err != nil {
					return err
				}
			}
		}
	case reflect.Slice, reflect.Array:
		if !composite(v.Type().Elem()) {
			return nil
		}
		for i := range v.Len() {
			if err := naturalNumbers(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		if !composite(v.Type().Elem()) {
			return nil
		}
		for _, k := range v.MapKeys() {
			elem := reflect.New(v.Type().Elem()).Elem()
			elem.Set(v.MapIndex(k))
			if err := naturalNumbers(elem); err != nil {
				return err
			}
			v.SetMapIndex(k, elem)
		}
	}
	return nil
}

// composite reports whether an interface may be in a value of a type.
func composite(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
		return true
	}
	return false
}

// naturalNumber returns what encoding/json has decoded into an interface, with
// its numbers replaced.
func naturalNumber(x any) (any, error) {
	var err error
	switch x := x.(type) {
	case json.Number:
		return number([]byte(x))
	case []any:
		for i := range x {
			if x[i], err = naturalNumber(x[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range x {
			if x[k], err = naturalNumber(x[k]); err != nil {
				return nil, err
			}
		}
	}
	return x, nil
}
