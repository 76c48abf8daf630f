package codec

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// Extension types: -1 is the timestamp of the MessagePack specification
// (https://github.com/msgpack/msgpack/blob/master/spec.md), the others are
// this package's own. Their numbers are in stored data and never change.
const (
	extTimestamp int8 = -1
	extComplex   int8 = 67 // 8 or 16 bytes: real and imaginary part
	extTyped     int8 = 83 // type descriptor, then one value
	extZoned     int8 = 84 // seconds int64, nanoseconds uint32, offset in seconds int32
)

// The lead bytes of extensions.
const (
	leadExt8    = 0xc7
	leadExt32   = 0xc9
	leadFixExt1 = 0xd4
)

// isExt reports whether a lead byte begins an extension.
func isExt(lead byte) bool {
	return lead >= leadExt8 && lead <= leadExt32 || lead >= leadFixExt1 && lead <= leadFixExt1+4
}

// cutExt takes an extension off the front of b.
func cutExt(b []byte) (typ int8, payload, rest []byte, err error) {
	if len(b) == 0 {
		return 0, nil, nil, errTruncated
	}
	lead := b[0]
	if !isExt(lead) {
		return 0, nil, nil, errDamaged
	}
	b = b[1:]
	var size uint64
	if lead >= leadFixExt1 {
		size = 1 << (lead - leadFixExt1)
	} else {
		width := 1 << (lead - leadExt8)
		if len(b) < width {
			return 0, nil, nil, errTruncated
		}
		for _, c := range b[:width] {
			size = size<<8 | uint64(c)
		}
		b = b[width:]
	}
	if uint64(len(b)) < 1+size {
		return 0, nil, nil, errTruncated
	}
	return int8(b[0]), b[1 : 1+size : 1+size], b[1+size:], nil
}

// beginExt appends the header of an extension of yet unknown length; endExt
// completes it when the payload follows.
func beginExt(b []byte, typ int8) []byte { return append(b, leadExt8, 0, byte(typ)) }

// endExt writes the shortest header for the payload after the header that
// beginExt put at start.
func endExt(b []byte, start int) []byte {
	typ, body := b[start+2], start+3
	n := len(b) - body
	switch {
	case n == 1 || n == 2 || n == 4 || n == 8 || n == 16:
		lead := byte(leadFixExt1)
		for m := n; m > 1; m >>= 1 {
			lead++
		}
		copy(b[start+2:], b[body:])
		b[start], b[start+1] = lead, typ
		return b[:len(b)-1]
	case n <= math.MaxUint8:
		b[start+1] = byte(n)
	case n <= math.MaxUint16:
		b = append(b, 0)
		copy(b[body+1:], b[body:])
		b[start], b[start+3] = leadExt8+1, typ
		binary.BigEndian.PutUint16(b[start+1:], uint16(n))
	default:
		b = append(b, 0, 0, 0)
		copy(b[body+3:], b[body:])
		b[start], b[start+5] = leadExt32, typ
		binary.BigEndian.PutUint32(b[start+1:], uint32(n))
	}
	return b
}

// appendTime appends a time, which must have an offset of 32 bits.
func appendTime(b []byte, t time.Time) []byte {
	sec, nsec := t.Unix(), uint32(t.Nanosecond())
	if t.Location() != time.UTC {
		_, offset := t.Zone()
		b = append(b, leadFixExt1+4, byte(extZoned))
		b = binary.BigEndian.AppendUint64(b, uint64(sec))
		b = binary.BigEndian.AppendUint32(b, nsec)
		return binary.BigEndian.AppendUint32(b, uint32(int32(offset)))
	}
	stamp := byte(0xff) // extTimestamp
	switch {
	case sec < 0 || sec >= 1<<34:
		b = append(b, leadExt8, 12, stamp)
		b = binary.BigEndian.AppendUint32(b, nsec)
		return binary.BigEndian.AppendUint64(b, uint64(sec))
	case nsec != 0 || sec > math.MaxUint32:
		b = append(b, leadFixExt1+3, stamp)
		return binary.BigEndian.AppendUint64(b, uint64(nsec)<<34|uint64(sec))
	default:
		b = append(b, leadFixExt1+2, stamp)
		return binary.BigEndian.AppendUint32(b, uint32(sec))
	}
}

// parseTime returns the time in a payload of type extTimestamp or extZoned.
func parseTime(typ int8, p []byte) (time.Time, error) {
	var sec int64
	var nsec uint32
	switch {
	case typ == extZoned && len(p) == 16:
		sec, nsec = int64(binary.BigEndian.Uint64(p)), binary.BigEndian.Uint32(p[8:])
	case typ == extTimestamp && len(p) == 12:
		nsec, sec = binary.BigEndian.Uint32(p), int64(binary.BigEndian.Uint64(p[4:]))
	case typ == extTimestamp && len(p) == 8:
		u := binary.BigEndian.Uint64(p)
		sec, nsec = int64(u&(1<<34-1)), uint32(u>>34)
	case typ == extTimestamp && len(p) == 4:
		sec = int64(binary.BigEndian.Uint32(p))
	default:
		return time.Time{}, errDamaged
	}
	if nsec >= 1e9 {
		return time.Time{}, errDamaged
	}
	t := time.Unix(sec, int64(nsec))
	if typ == extTimestamp {
		return t.UTC(), nil
	}
	offset := int32(binary.BigEndian.Uint32(p[12:]))
	return t.In(time.FixedZone("", int(offset))), nil
}

// appendComplex64 and appendComplex128 append a complex number.
func appendComplex64(b []byte, c complex64) []byte {
	b = append(b, leadFixExt1+3, byte(extComplex))
	b = binary.BigEndian.AppendUint32(b, math.Float32bits(real(c)))
	return binary.BigEndian.AppendUint32(b, math.Float32bits(imag(c)))
}

func appendComplex128(b []byte, c complex128) []byte {
	b = append(b, leadFixExt1+4, byte(extComplex))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(real(c)))
	return binary.BigEndian.AppendUint64(b, math.Float64bits(imag(c)))
}

// parseComplex returns the complex64 or complex128 in a payload.
func parseComplex(p []byte) (any, error) {
	switch len(p) {
	case 8:
		return complex(math.Float32frombits(binary.BigEndian.Uint32(p)),
			math.Float32frombits(binary.BigEndian.Uint32(p[4:]))), nil
	case 16:
		return complex(math.Float64frombits(binary.BigEndian.Uint64(p)),
			math.Float64frombits(binary.BigEndian.Uint64(p[8:]))), nil
	}
	return nil, errDamaged
}

// appendTypedInt and appendTypedUint append an integer together with its
// type.
func appendTypedInt(b []byte, typ descriptorByte, i int64) []byte {
	start := len(b)
	b = append(beginExt(b, extTyped), byte(typ))
	return endExt(msgp.AppendInt64(b, i), start)
}

func appendTypedUint(b []byte, typ descriptorByte, u uint64) []byte {
	start := len(b)
	b = append(beginExt(b, extTyped), byte(typ))
	return endExt(msgp.AppendUint64(b, u), start)
}
