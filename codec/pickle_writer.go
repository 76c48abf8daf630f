package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"
)

// A pickleWriter appends the opcodes of one protocol. What it has written of a
// value refers to nothing outside of the value: its places in the memo begin at
// 0 for each, as a later value may use them again.
type pickleWriter struct {
	buf      []byte
	protocol int
	memo     int
	classes  [classEnd]int // their places in the memo, from 1
}

// begin begins a value.
func (w *pickleWriter) begin() {
	if w.memo > 0 {
		w.memo = 0
		w.classes = [classEnd]int{}
	}
}

func (w *pickleWriter) op(ops ...byte) { w.buf = append(w.buf, ops...) }

func (w *pickleWriter) bool(b bool) {
	switch {
	case w.protocol < 2 && b:
		w.buf = append(w.buf, "I01\n"...)
	case w.protocol < 2:
		w.buf = append(w.buf, "I00\n"...)
	case b:
		w.op(pkNewTrue)
	default:
		w.op(pkNewFalse)
	}
}

func (w *pickleWriter) int(i int64) {
	short := i >= math.MinInt32 && i <= math.MaxInt32
	switch {
	case w.protocol == 0 && short:
		w.op(pkInt)
		w.buf = append(strconv.AppendInt(w.buf, i, 10), '\n')
	case w.protocol < 2 && !short:
		w.op(pkLong)
		w.buf = append(strconv.AppendInt(w.buf, i, 10), 'L', '\n')
	case i >= 0 && i <= math.MaxUint8:
		w.op(pkBinInt1, byte(i))
	case i >= 0 && i <= math.MaxUint16:
		w.op(pkBinInt2, byte(i), byte(i>>8))
	case short:
		w.op(pkBinInt)
		w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(i))
	default:
		b := binary.LittleEndian.AppendUint64(nil, uint64(i))
		n := 8
		for b[n-1] == 0 && b[n-2] < 0x80 || b[n-1] == 0xff && b[n-2] >= 0x80 {
			n--
		}
		w.long(b[:n])
	}
}

// big appends an integer of any size.
func (w *pickleWriter) big(n *big.Int) error {
	if n.IsInt64() {
		w.int(n.Int64())
		return nil
	}
	if w.protocol >= 2 {
		w.long(bytesOf(n))
		return nil
	}
	if n.BitLen() > 4*maxDigits {
		return errDigits
	}
	text := n.Text(10)
	if len(text) > maxDigits {
		return errDigits
	}
	w.op(pkLong)
	w.buf = append(append(w.buf, text...), 'L', '\n')
	return nil
}

var errDigits = fmt.Errorf("an integer has more than %d digits, which Python refuses to read as text", maxDigits)

// long appends an integer in two's complement, for protocol 2 and up.
func (w *pickleWriter) long(le []byte) {
	if len(le) <= math.MaxUint8 {
		w.op(pkLong1, byte(len(le)))
	} else {
		w.op(pkLong4)
		w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(len(le)))
	}
	w.buf = append(w.buf, le...)
}

func (w *pickleWriter) float(f float64) {
	if w.protocol == 0 {
		w.op(pkFloat)
		w.buf = append(pythonFloat(w.buf, f), '\n')
		return
	}
	w.op(pkBinFloat)
	w.buf = binary.BigEndian.AppendUint64(w.buf, math.Float64bits(f))
}

// text appends a string, which is what isText accepts.
func (w *pickleWriter) text(s []byte) {
	switch {
	case w.protocol == 0:
		w.op(pkUnicode)
		w.buf = append(appendEscaped(w.buf, s), '\n')
		return
	case w.protocol >= 4 && len(s) <= math.MaxUint8:
		w.op(pkShortBinUnicode, byte(len(s)))
	default:
		w.op(pkBinUnicode)
		w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(len(s)))
	}
	w.buf = append(w.buf, s...)
}

func (w *pickleWriter) bytes(b []byte) {
	switch {
	case w.protocol < 3 && len(b) == 0:
		w.class(classBytes)
		w.tuple(0)
		w.tupleEnd(0)
		w.op(pkReduce)
		return
	case w.protocol < 3:
		w.class(classEncode)
		w.tuple(2)
		var text []byte
		for _, c := range b {
			text = utf8.AppendRune(text, rune(c))
		}
		w.text(text)
		w.text([]byte("latin1"))
		w.tupleEnd(2)
		w.op(pkReduce)
		return
	case len(b) <= math.MaxUint8:
		w.op(pkShortBinBytes, byte(len(b)))
	default:
		w.op(pkBinBytes)
		w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(len(b)))
	}
	w.buf = append(w.buf, b...)
}

func (w *pickleWriter) byteArray(b []byte) {
	if w.protocol >= 5 {
		w.op(pkByteArray8)
		w.buf = binary.LittleEndian.AppendUint64(w.buf, uint64(len(b)))
		w.buf = append(w.buf, b...)
		return
	}
	w.class(classByteArray)
	w.tuple(1)
	w.bytes(b)
	w.tupleEnd(1)
	w.op(pkReduce)
}
