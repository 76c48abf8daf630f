package codec

import (
	"reflect"

	"github.com/tinylib/msgp/msgp"
)

// A decoder reads one value from the front of b.
//
// Its memory is bounded by the length of the data: a container's number of
// elements is counted against left, which begins at no more than the number
// of bytes, before the container is made.
type decoder struct {
	b      []byte
	total  int // elements that are allowed
	left   int // those not read yet
	limits limits

	// flask: read as FlaskMessagePack does.
	flask bool
}

// mapHint is how many entries a map is made for at most before they are read:
// an entry takes much more memory than the shortest one takes bytes.
const mapHint = 256

func (d *decoder) open(raw []byte) error {
	if len(raw) > d.limits.size {
		return errSize(d.limits.size)
	}
	d.b = raw
	d.total = min(d.limits.elements, len(raw))
	d.left = d.total
	return nil
}

func (d *decoder) close() error {
	if len(d.b) != 0 {
		return errTrailing
	}
	return nil
}

// enter counts a container of n elements, each at least size bytes.
func (d *decoder) enter(n uint32, size, depth int) error {
	if depth >= d.limits.depth {
		return errDepth(d.limits.depth)
	}
	if uint64(n)*uint64(size) > uint64(len(d.b)) {
		return errTruncated
	}
	if int64(n) > int64(d.left) {
		if d.total < d.limits.elements {
			return errTruncated // there are not as many bytes
		}
		return errElements(d.limits.elements)
	}
	d.left -= int(n)
	return nil
}

// kind returns the lead byte and the family of the next value, with an
// extension always as such.
func (d *decoder) kind() (lead byte, kind msgp.Type, err error) {
	if len(d.b) == 0 {
		return 0, msgp.InvalidType, errTruncated
	}
	lead = d.b[0]
	if isExt(lead) {
		return lead, msgp.ExtensionType, nil
	}
	kind = msgp.NextType(d.b)
	if kind == msgp.InvalidType {
		return lead, kind, errDamaged
	}
	return lead, kind, nil
}

// value reads a value with the type that the data says.
func (d *decoder) value(depth int) (any, error) {
	_, kind, err := d.kind()
	if err != nil {
		return nil, err
	}
	switch kind {
	case msgp.NilType:
		d.b = d.b[1:]
		return nil, nil
	case msgp.BoolType:
		return d.bool()
	case msgp.IntType, msgp.UintType:
		n, err := d.integer()
		if err != nil {
			return nil, err
		}
		return n.natural(), nil
	case msgp.Float32Type:
		f, rest, err := msgp.ReadFloat32Bytes(d.b)
		if err != nil {
			return nil, errTruncated
		}
		d.b = rest
		if d.flask {
			return float64(f), nil
		}
		return f, nil
	case msgp.Float64Type:
		return d.float64()
	case msgp.StrType:
		if d.flask {
			return d.utf8()
		}
		return d.string()
	case msgp.BinType:
		return d.bytes()
	case msgp.ArrayType:
		return d.anys(depth)
	case msgp.MapType:
		if d.flask {
			return d.flaskMap(depth)
		}
		return d.anyMap(depth)
	default:
		return d.extension(depth)
	}
}

func (d *decoder) bool() (bool, error) {
	v := d.b[0] == 0xc3
	d.b = d.b[1:]
	return v, nil
}

func (d *decoder) float64() (float64, error) {
	f, rest, err := msgp.ReadFloat64Bytes(d.b)
	if err != nil {
		return 0, errTruncated
	}
	d.b = rest
	return f, nil
}

// text reads a string without copying it.
func (d *decoder) text() ([]byte, error) {
	s, rest, err := msgp.ReadStringZC(d.b)
	if err != nil {
		return nil, errTruncated
	}
	d.b = rest
	return s, nil
}

func (d *decoder) string() (string, error) {
	s, err := d.text()
	return string(s), err
}

// binary reads bytes without copying them.
func (d *decoder) binary() ([]byte, error) {
	s, rest, err := msgp.ReadBytesZC(d.b)
	if err != nil {
		return nil, errTruncated
	}
	d.b = rest
	return s, nil
}

// bytes reads bytes, which are not nil when they are empty.
func (d *decoder) bytes() ([]byte, error) {
	s, err := d.binary()
	if err != nil {
		return nil, err
	}
	return append(make([]byte, 0, len(s)), s...), nil
}

// arrayHeader reads the number of elements of an array.
func (d *decoder) arrayHeader(depth int) (int, error) {
	n, rest, err := msgp.ReadArrayHeaderBytes(d.b)
	if err != nil {
		return 0, errTruncated
	}
	d.b = rest
	return int(n), d.enter(n, 1, depth)
}

// mapHeader reads the number of entries of a map.
func (d *decoder) mapHeader(depth int) (int, error) {
	n, rest, err := msgp.ReadMapHeaderBytes(d.b)
	if err != nil {
		return 0, errTruncated
	}
	d.b = rest
	return int(n), d.enter(n, 2, depth)
}

// key reads a map key without copying it.
func (d *decoder) key() ([]byte, error) {
	_, kind, err := d.kind()
	if err != nil {
		return nil, err
	}
	if kind != msgp.StrType {
		return nil, errKey
	}
	return d.text()
}

func (d *decoder) anys(depth int) ([]any, error) {
	n, err := d.arrayHeader(depth)
	if err != nil {
		return nil, err
	}
	list := make([]any, n)
	for i := range list {
		if list[i], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (d *decoder) anyMap(depth int) (map[string]any, error) {
	n, err := d.mapHeader(depth)
	if err != nil {
		return nil, err
	}
	m := make(map[string]any, min(n, mapHint))
	for range n {
		k, err := d.key()
		if err != nil {
			return nil, err
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		had := len(m)
		m[string(k)] = v
		if len(m) == had {
			return nil, errDuplicate
		}
	}
	return m, nil
}

// extension reads a value that is written as an extension.
func (d *decoder) extension(depth int) (any, error) {
	typ, payload, rest, err := cutExt(d.b)
	if err == nil && d.flask {
		err = checkTimestamp(typ, payload)
	}
	if err != nil {
		return nil, err
	}
	switch typ {
	case extTimestamp, extZoned:
		d.b = rest
		return parseTime(typ, payload)
	case extComplex:
		d.b = rest
		return parseComplex(payload)
	case extTyped:
		desc, body, err := cutTyped(payload)
		if err != nil {
			return nil, err
		}
		d.b = body
		v, err := d.typed(desc, depth)
		if err == nil {
			err = d.close()
		}
		d.b = rest
		return v, err
	}
	return nil, errExtension
}

// cutTyped splits the payload of an extTyped. The value in it must be of
// another kind, so that nesting costs a container.
func cutTyped(payload []byte) (desc, body []byte, err error) {
	desc, body, err = cutDescriptor(payload)
	if err != nil {
		return nil, nil, err
	}
	if len(body) > 0 && isExt(body[0]) {
		if typ, _, _, err := cutExt(body); err != nil || typ == extTyped {
			return nil, nil, errDamaged
		}
	}
	return desc, body, nil
}

// typed reads a plain value of the type that a descriptor says.
func (d *decoder) typed(desc []byte, depth int) (any, error) {
	if len(desc) == 1 {
		// Most are one number: no need to reflect.
		if v, ok, err := d.typedNumber(descriptorByte(desc[0])); ok || err != nil {
			return v, err
		}
	}
	if string(desc) == stringsDescriptor {
		return d.strings(depth)
	}
	v := reflect.New(descriptorType(desc)).Elem()
	if err := d.into(planOf(v.Type()), v, depth); err != nil {
		return nil, err
	}
	return v.Interface(), nil
}

// typedNumber reads an integer of a type. ok is false for another type.
func (d *decoder) typedNumber(typ descriptorByte) (v any, ok bool, err error) {
	switch typ {
	case descInt8, descInt16, descInt32, descInt64, descUint, descUint8, descUint16, descUint32, descUint64, descUintptr, descDuration:
	default:
		return nil, false, nil
	}
	_, kind, err := d.kind()
	if err != nil {
		return nil, false, err
	}
	if kind != msgp.IntType && kind != msgp.UintType {
		return nil, false, errDamaged
	}
	n, err := d.integer()
	if err != nil {
		return nil, false, err
	}
	v, ok = n.as(typ)
	if !ok {
		return nil, false, errDamaged
	}
	return v, true, nil
}

// strings reads a []string.
func (d *decoder) strings(depth int) ([]string, error) {
	_, kind, err := d.kind()
	if err != nil {
		return nil, err
	}
	if kind == msgp.NilType {
		d.b = d.b[1:]
		return nil, nil
	}
	if kind != msgp.ArrayType {
		return nil, errMismatch(typeName(d.b), reflect.TypeFor[[]string]())
	}
	n, err := d.arrayHeader(depth)
	if err != nil {
		return nil, err
	}
	list := make([]string, n)
	for i := range list {
		_, kind, err := d.kind()
		if err != nil {
			return nil, err
		}
		if kind != msgp.StrType {
			return nil, errMismatch(typeName(d.b), elementTypes[descString])
		}
		if list[i], err = d.string(); err != nil {
			return nil, err
		}
	}
	return list, nil
}
