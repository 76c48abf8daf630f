package codec

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
)

// A machine follows the opcodes of a pickle. It runs nothing: a class only
// says of which kind a node is.
type machine struct {
	tape
	i     int
	stack []uint32
	marks []int // where in the stack the marks are
	memo  []uint32

	copied int // nodes in containers that were made of others
}

// maxDigits is how many decimal digits an integer may have as text, in Python
// as well. Others are bytes.
const maxDigits = 4300

// run follows all opcodes, to the STOP that ends a document or to the end of a
// fragment, and returns the only object that is left.
func (m *machine) run(document bool) (uint32, error) {
	m.nodes = make([]node, 1, min(len(m.data)/6+8, 1<<12))
	for {
		if m.i >= len(m.data) {
			if document {
				return 0, errTruncated
			}
			break
		}
		op := m.data[m.i]
		m.i++
		if op == pkStop {
			if !document || m.i != len(m.data) {
				return 0, errTrailing
			}
			break
		}
		if err := m.step(op); err != nil {
			return 0, err
		}
	}
	if len(m.stack) != 1 || len(m.marks) != 0 {
		return 0, errDamaged
	}
	return m.stack[0], nil
}

// step follows one opcode. Those that make a container or an object are in
// build.
func (m *machine) step(op byte) error {
	switch op {
	case pkMark:
		m.marks = append(m.marks, len(m.stack))
	case pkNone:
		m.push(m.add(nodeNone, 0, 0))
	case pkNewTrue:
		m.push(m.add(nodeTrue, 0, 0))
	case pkNewFalse:
		m.push(m.add(nodeFalse, 0, 0))
	case pkBinInt1:
		return m.short(1)
	case pkBinInt2:
		return m.short(2)
	case pkBinInt:
		return m.short(4)
	case pkLong1:
		return m.long(1)
	case pkLong4:
		return m.long(4)
	case pkInt, pkLong:
		return m.decimal(op)
	case pkFloat:
		line, err := m.line()
		if err != nil {
			return err
		}
		f, ok := parsePythonFloat(string(line))
		if !ok {
			return errDamaged
		}
		m.pushFloat(math.Float64bits(f))
	case pkBinFloat:
		b, err := m.take(8)
		if err != nil {
			return err
		}
		m.pushFloat(binary.BigEndian.Uint64(b))
	case pkShortBinUnicode:
		return m.sized(nodeText, 1)
	case pkBinUnicode:
		return m.sized(nodeText, 4)
	case pkBinUnicode8:
		return m.sized(nodeText, 8)
	case pkShortBinBytes:
		return m.sized(nodeBytes, 1)
	case pkBinBytes:
		return m.sized(nodeBytes, 4)
	case pkBinBytes8:
		return m.sized(nodeBytes, 8)
	case pkByteArray8:
		return m.sized(nodeByteArray, 8)
	case pkUnicode, pkString:
		return m.escaped(op)
	case pkShortBinString:
		return m.ascii(1)
	case pkBinString:
		return m.ascii(4)
	case pkProto:
		b, err := m.take(1)
		if err == nil && b[0] > maxProtocol {
			err = errDamaged
		}
		return err
	case pkFrame:
		b, err := m.take(8)
		if err == nil && binary.LittleEndian.Uint64(b) > uint64(len(m.data)-m.i) {
			err = errTruncated
		}
		return err
	case pkPut, pkBinPut, pkLongBinPut, pkMemoize, pkGet, pkBinGet, pkLongBinGet, pkDup:
		return m.remember(op)
	case pkPersID, pkBinPersID, pkExt1, pkExt2, pkExt4, pkNextBuffer, pkReadOnlyBuffer:
		return errOutside
	default:
		return m.build(op)
	}
	return nil
}

// take goes over n bytes.
func (m *machine) take(n int) ([]byte, error) {
	if n > len(m.data)-m.i {
		return nil, errTruncated
	}
	m.i += n
	return m.data[m.i-n : m.i], nil
}

// line goes over a line and returns it without its end.
func (m *machine) line() ([]byte, error) {
	n := bytes.IndexByte(m.data[m.i:], '\n')
	if n < 0 {
		return nil, errTruncated
	}
	m.i += n + 1
	return m.data[m.i-n-1 : m.i-1], nil
}

// length reads a number of bytes that follow, which is width bytes long.
func (m *machine) length(width int) (int, error) {
	b, err := m.take(width)
	if err != nil {
		return 0, err
	}
	n := little(b)
	if n > uint64(len(m.data)-m.i) {
		return 0, errTruncated
	}
	return int(n), nil
}

func little(b []byte) (n uint64) {
	for i, c := range b {
		n |= uint64(c) << (8 * i)
	}
	return n
}

func (m *machine) push(i uint32) { m.stack = append(m.stack, i) }

func (m *machine) pushFloat(bits uint64) {
	m.push(m.add(nodeFloat, uint32(bits>>32), uint32(bits)))
}

// short reads an integer of width bytes.
func (m *machine) short(width int) error {
	b, err := m.take(width)
	if err != nil {
		return err
	}
	n := int64(little(b))
	if width == 4 {
		n = int64(int32(n))
	}
	m.push(m.addInt(n))
	return nil
}

// sized reads a text or bytes, whose length is width bytes.
func (m *machine) sized(kind nodeKind, width int) error {
	n, err := m.length(width)
	if err != nil {
		return err
	}
	at := m.i
	m.i += n
	if kind == nodeText && !isText(m.data[at:m.i]) {
		return errUTF8
	}
	m.push(m.add(kind, uint32(at), uint32(n)))
	return nil
}

// ascii reads a string of Python 2, which Python 3 reads as one only if it is
// ASCII.
func (m *machine) ascii(width int) error {
	n, err := m.length(width)
	if err != nil {
		return err
	}
	at := m.i
	m.i += n
	if !isASCII(m.data[at:m.i]) {
		return errUTF8
	}
	m.push(m.add(nodeText, uint32(at), uint32(n)))
	return nil
}

// long reads an integer in two's complement, whose length is width bytes.
func (m *machine) long(width int) error {
	n, err := m.length(width)
	if err != nil {
		return err
	}
	b, _ := m.take(n)
	for n > 8 && (b[n-1] == 0 && b[n-2] < 0x80 || b[n-1] == 0xff && b[n-2] >= 0x80) {
		n-- // not the shortest form
	}
	if n > 8 {
		m.push(m.add(nodeLong, uint32(m.i-len(b)), uint32(n)))
		return nil
	}
	u := little(b[:n])
	if n > 0 && n < 8 && b[n-1]&0x80 != 0 {
		u |= math.MaxUint64 << (8 * n)
	}
	m.push(m.addInt(int64(u)))
	return nil
}

// decimal reads an integer or bool that is text.
func (m *machine) decimal(op byte) error {
	line, err := m.line()
	if err != nil {
		return err
	}
	if op == pkInt && len(line) == 2 && line[0] == '0' && line[1]|1 == '1' { // a bool
		kind := nodeFalse
		if line[1] == '1' {
			kind = nodeTrue
		}
		m.push(m.add(kind, 0, 0))
		return nil
	}
	if op == pkLong {
		line = bytes.TrimSuffix(line, []byte{'L'})
	}
	if len(bytes.TrimLeft(line, "+-")) > maxDigits {
		return errDigits
	}
	text := string(line)
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		m.push(m.addInt(i))
		return nil
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return errDamaged
	}
	start := len(m.extra)
	m.extra = append(m.extra, bytesOf(n)...)
	m.push(m.addExtra(nodeLong, start))
	return nil
}

// remember puts the object on top of the stack into the memo, or one from the
// memo on top.
func (m *machine) remember(op byte) error {
	var index uint64
	var b []byte
	var err error
	switch op {
	case pkMemoize:
		index = uint64(len(m.memo))
	case pkBinPut, pkBinGet:
		b, err = m.take(1)
		index = little(b)
	case pkLongBinPut, pkLongBinGet:
		b, err = m.take(4)
		index = little(b)
	case pkPut, pkGet:
		if b, err = m.line(); err == nil {
			index, err = strconv.ParseUint(string(b[:min(len(b), 20)]), 10, 32)
		}
	}
	if err != nil {
		return errDamaged
	}
	switch op {
	case pkDup:
		if len(m.stack) == m.floor() {
			return errDamaged
		}
		return m.refer(m.stack[len(m.stack)-1])
	case pkGet, pkBinGet, pkLongBinGet:
		if index >= uint64(len(m.memo)) || m.memo[index] == 0 {
			return errDamaged
		}
		return m.refer(m.memo[index])
	}
	// Python counts from 0; a larger index is only asked for to waste memory.
	if index > uint64(len(m.data)) || len(m.stack) == m.floor() {
		return errDamaged
	}
	for uint64(len(m.memo)) <= index {
		m.memo = append(m.memo, 0)
	}
	m.memo[index] = m.resolve(m.stack[len(m.stack)-1])
	return nil
}

// refer pushes a reference to an object.
func (m *machine) refer(i uint32) error {
	i = m.resolve(i)
	n := &m.nodes[i]
	if n.flags&isShared == 0 {
		n.flags |= isShared
		m.records = append(m.records, sharing{node: i})
	}
	m.push(m.add(nodeRef, i, 0))
	return nil
}

// floor is where in the stack the last mark is.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

// cut takes what is above the last mark off the stack, with the mark. It stays
// valid until the next push.
func (m *machine) cut() ([]uint32, error) {
	if len(m.marks) == 0 {
		return nil, errDamaged
	}
	at := m.floor()
	items := m.stack[at:]
	m.stack = m.stack[:at]
	m.marks = m.marks[:len(m.marks)-1]
	return items, nil
}

// pop takes n objects off the stack, none of which is below the last mark. It
// stays valid until the next push.
func (m *machine) pop(n int) ([]uint32, error) {
	if len(m.stack)-m.floor() < n {
		return nil, errDamaged
	}
	items := m.stack[len(m.stack)-n:]
	m.stack = m.stack[:len(m.stack)-n]
	return items, nil
}
