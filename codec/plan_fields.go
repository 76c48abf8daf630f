package codec

import (
	"reflect"
	"strings"
)

// A field is one field of a struct, possibly of an embedded one.
type field struct {
	name      string
	path      []int // as reflect.Value.FieldByIndex takes it
	plan      *plan
	omitEmpty bool
	tagged    bool // the name is from a tag
}

// fields finds the fields of a struct. As in encoding/json, of fields with one name the
// one that is embedded the least deep counts, then one with a tag; but two
// that are left are an error, as one of them would be lost.
func (b planner) fields(p *plan) {
	var found []field
	type level struct {
		typ  reflect.Type
		path []int
	}
	visited := map[reflect.Type]bool{p.typ: true}
	next := []level{{p.typ, nil}}
	hidden := false
	for len(next) > 0 {
		this := next
		next = nil
		for _, l := range this {
			for i := range l.typ.NumField() {
				sf := l.typ.Field(i)
				name, options, _ := strings.Cut(sf.Tag.Get("session"), ",")
				if name == "-" && options == "" {
					continue
				}
				path := append(l.path[:len(l.path):len(l.path)], i)
				if sf.Anonymous && name == "" {
					t := sf.Type
					if t.Kind() == reflect.Pointer {
						t = t.Elem()
					}
					if t.Kind() == reflect.Struct && b.isPlainStruct(t) {
						if sf.Type.Kind() == reflect.Pointer && !sf.IsExported() {
							p.bad(`the embedded pointer to the unexported ` + t.String() + ` cannot be set; embed the struct, or leave it out by the tag session:"-"`)
							return
						}
						if !visited[t] {
							visited[t] = true
							next = append(next, level{t, path})
						}
						continue
					}
				}
				if !sf.IsExported() {
					hidden = true
					continue
				}
				f := field{name: name, path: path, tagged: name != ""}
				if name == "" {
					f.name = sf.Name
				}
				for option := range strings.SplitSeq(options, ",") {
					f.omitEmpty = f.omitEmpty || option == "omitempty"
				}
				f.plan = b.plan(sf.Type)
				found = append(found, f)
			}
		}
	}
	if len(found) == 0 && hidden {
		p.bad("the struct has no exported fields; export them, or give it the methods of encoding.TextMarshaler and TextUnmarshaler")
		return
	}
	p.index = make(map[string]int, len(found))
	for _, f := range found {
		at, dup := p.index[f.name]
		switch {
		case !dup:
			p.index[f.name] = len(p.fields)
			p.fields = append(p.fields, f)
		case len(p.fields[at].path) < len(f.path) || len(p.fields[at].path) == len(f.path) && p.fields[at].tagged && !f.tagged:
			// f is hidden.
		case len(p.fields[at].path) == len(f.path) && f.tagged && !p.fields[at].tagged:
			p.fields[at] = f
		default:
			p.bad("two fields have one name; rename one by a tag session:\"name\"")
			return
		}
	}
}

// isPlainStruct reports whether a struct type is written as its fields.
func (b planner) isPlainStruct(t reflect.Type) bool {
	return t != timeType &&
		!hasPair(t, textMarshaler, textUnmarshaler) && !hasPair(t, binaryMarshaler, binaryUnmarshaler)
}

// of returns the field in a struct. ok is false when an embedded pointer on
// the way is nil.
func (f *field) of(v reflect.Value) (_ reflect.Value, ok bool) {
	for i, n := range f.path {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v, true
}

// make returns the field in a struct that can be set, and creates what the
// embedded pointers on the way lack.
func (f *field) make(v reflect.Value) reflect.Value {
	for i, n := range f.path {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v
}

// clear sets the field to zero, or the embedded pointer that leads to it.
func (f *field) clear(v reflect.Value) {
	for i, n := range f.path {
		if i > 0 && v.Kind() == reflect.Pointer {
			break
		}
		v = v.Field(n)
	}
	v.SetZero()
}

// isEmpty is what omitempty means in encoding/json.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}
