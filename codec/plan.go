package codec

import (
	"encoding"
	"reflect"
	"sync"
)

// An op is how the values of a Go type are written.
type op uint8

const (
	opBad op = iota
	opAny
	opBool
	opInt
	opUint
	opFloat32
	opFloat64
	opComplex64
	opComplex128
	opString
	opBytes
	opByteArray
	opTime
	opText
	opBinary
	opSlice
	opArray
	opMap
	opStruct
	opPointer
)

// A plan says how the values of one Go type are written and read. It is not
// changed once it was made.
type plan struct {
	typ     reflect.Type
	op      op
	element descriptorByte // in descriptors, unless a container
	elem    *plan          // of a slice, array, map or pointer
	fields  []field        // of a struct
	index   map[string]int // of fields by name
	err     error          // for opBad: why there is no way

	// deep: a pointer that may lead to itself without a container.
	deep bool

	// desc is the descriptor, descErr why there is none. typed: desc has to
	// be written as the plain form would come back as another type.
	desc    []byte
	descErr error
	typed   bool
}

// plans caches plans by reflect.Type. A plan follows from its type alone.
var plans sync.Map

// planOf returns the plan of a type.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	b := planner{}
	p := b.plan(t)
	for _, made := range b {
		made.finish()
	}
	// Only now, when all parts are complete, others may see them.
	for t, made := range b {
		plans.LoadOrStore(t, made)
	}
	return p
}

// A planner holds the plans that are being made, so that types may contain
// themselves.
type planner map[reflect.Type]*plan

var (
	textMarshaler     = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler   = reflect.TypeFor[encoding.TextUnmarshaler]()
	binaryMarshaler   = reflect.TypeFor[encoding.BinaryMarshaler]()
	binaryUnmarshaler = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

// kindPlans are the plans of the basic kinds.
var kindPlans = map[reflect.Kind]plan{
	reflect.Bool:       {op: opBool, element: descBool},
	reflect.Int:        {op: opInt, element: descInt},
	reflect.Int8:       {op: opInt, element: descInt8, typed: true},
	reflect.Int16:      {op: opInt, element: descInt16, typed: true},
	reflect.Int32:      {op: opInt, element: descInt32, typed: true},
	reflect.Int64:      {op: opInt, element: descInt64, typed: true},
	reflect.Uint:       {op: opUint, element: descUint, typed: true},
	reflect.Uint8:      {op: opUint, element: descUint8, typed: true},
	reflect.Uint16:     {op: opUint, element: descUint16, typed: true},
	reflect.Uint32:     {op: opUint, element: descUint32, typed: true},
	reflect.Uint64:     {op: opUint, element: descUint64, typed: true},
	reflect.Uintptr:    {op: opUint, element: descUintptr, typed: true},
	reflect.Float32:    {op: opFloat32, element: descFloat32},
	reflect.Float64:    {op: opFloat64, element: descFloat64},
	reflect.Complex64:  {op: opComplex64, element: descComplex64},
	reflect.Complex128: {op: opComplex128, element: descComplex128},
	reflect.String:     {op: opString, element: descString},
}

func (b planner) plan(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	if p := b[t]; p != nil {
		return p
	}
	p := &plan{typ: t, element: descAny}
	b[t] = p

	kind := t.Kind()
	switch {
	case t == timeType:
		p.op, p.element = opTime, descTime
		return p
	case t == durationType:
		p.op, p.element, p.typed = opInt, descDuration, true
		return p
	case kind != reflect.Pointer && kind != reflect.Interface && hasPair(t, textMarshaler, textUnmarshaler):
		p.op, p.element = opText, descString
		return p
	case kind != reflect.Pointer && kind != reflect.Interface && hasPair(t, binaryMarshaler, binaryUnmarshaler):
		p.op, p.element = opBinary, descBytes
		return p
	}
	if basic, ok := kindPlans[kind]; ok {
		p.op, p.element, p.typed = basic.op, basic.element, basic.typed
		return p
	}

	switch kind {
	case reflect.Interface:
		p.op = opAny
		if t.NumMethod() != 0 {
			p.bad("an interface value cannot be created again; use any or the type itself")
		}
	case reflect.Pointer:
		p.op, p.elem = opPointer, b.plan(t.Elem())
		p.deep = t.Elem().Kind() == reflect.Pointer || t.Elem().Kind() == reflect.Interface
	case reflect.Slice, reflect.Array:
		p.elem = b.plan(t.Elem())
		bytes := t.Elem().Kind() == reflect.Uint8 && p.elem.op == opUint
		switch {
		case bytes && kind == reflect.Slice:
			p.op, p.element = opBytes, descBytes
		case bytes:
			p.op, p.element = opByteArray, descBytes
		case kind == reflect.Slice:
			p.op = opSlice
		default:
			p.op = opArray
		}
	case reflect.Map:
		p.op, p.elem = opMap, b.plan(t.Elem())
		if t.Key().Kind() != reflect.String {
			p.bad("map keys must be strings; use a map[string]..., or a slice of structs")
		}
	case reflect.Struct:
		p.op = opStruct
		b.fields(p)
	default:
		p.bad("a " + kind.String() + ` cannot be stored; leave it out, in a struct by the tag session:"-"`)
	}
	return p
}

func (p *plan) bad(why string) { p.op, p.err = opBad, errType(p.typ, why) }

// hasPair reports whether values of t can be written and read by a pair of
// methods.
func hasPair(t, marshaler, unmarshaler reflect.Type) bool {
	return reflect.PointerTo(t).Implements(marshaler) && reflect.PointerTo(t).Implements(unmarshaler)
}

// finish computes what needs the complete plans of the parts.
func (p *plan) finish() {
	p.desc, p.descErr = describe(p, nil)
	if p.op == opSlice || p.op == opArray || p.op == opMap {
		// []any and map[string]any are what the plain form says.
		p.typed = p.descErr != nil || len(p.desc) != 2 || descriptorByte(p.desc[1]) != descAny
	}
}
