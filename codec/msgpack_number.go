package codec

import (
	"math"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// An integer is any that MessagePack can hold: u, or int64(u) when negative.
type integer struct {
	u        uint64
	negative bool
}

// integer reads an integer; the next value is known to be one.
func (d *decoder) integer() (integer, error) {
	if c := d.b[0]; c < 0x80 {
		d.b = d.b[1:]
		return integer{u: uint64(c)}, nil
	}
	if d.b[0] >= 0xcc && d.b[0] <= 0xcf {
		u, rest, err := msgp.ReadUint64Bytes(d.b)
		if err != nil {
			return integer{}, errTruncated
		}
		d.b = rest
		return integer{u: u}, nil
	}
	i, rest, err := msgp.ReadInt64Bytes(d.b)
	if err != nil {
		return integer{}, errTruncated
	}
	d.b = rest
	return integer{u: uint64(i), negative: i < 0}, nil
}

// int64 returns the integer when it fits.
func (n integer) int64() (int64, bool) {
	return int64(n.u), n.negative || n.u <= math.MaxInt64
}

// natural returns the integer as int, else int64, else uint64.
func (n integer) natural() any {
	i, ok := n.int64()
	switch {
	case !ok:
		return n.u
	case int64(int(i)) == i:
		return int(i)
	default:
		return i
	}
}

// as returns the integer with the type of a descriptor when it fits.
func (n integer) as(typ descriptorByte) (any, bool) {
	i, signed := n.int64()
	u, unsigned := n.u, !n.negative
	switch typ {
	case descInt8:
		return int8(i), signed && int64(int8(i)) == i
	case descInt16:
		return int16(i), signed && int64(int16(i)) == i
	case descInt32:
		return int32(i), signed && int64(int32(i)) == i
	case descInt64:
		return i, signed
	case descUint:
		return uint(u), unsigned && uint64(uint(u)) == u
	case descUint8:
		return uint8(u), unsigned && u <= math.MaxUint8
	case descUint16:
		return uint16(u), unsigned && u <= math.MaxUint16
	case descUint32:
		return uint32(u), unsigned && u <= math.MaxUint32
	case descUint64:
		return u, unsigned
	case descUintptr:
		return uintptr(u), unsigned && uint64(uintptr(u)) == u
	case descDuration:
		return time.Duration(i), signed
	}
	return nil, false
}

// float64 returns the integer as a float that holds it exactly, if one does.
func (n integer) float64() (float64, bool) {
	if n.negative {
		f := float64(int64(n.u))
		return f, int64(f) == int64(n.u)
	}
	f := float64(n.u)
	return f, f < 1<<64 && uint64(f) == n.u
}

// float32Of returns a float as a shorter one that holds it exactly, if one
// does. There is no telling NaNs apart.
func float32Of(f float64) (float32, bool) {
	short := float32(f)
	return short, float64(short) == f || math.IsNaN(f)
}
