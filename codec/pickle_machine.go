package codec

import (
	"encoding/binary"
	"math"
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
	most   int // nodes that there may be
}

// newMachine returns a machine for data, which may be of 16 times as many
// objects as a value may have elements: a datetime takes 14.
func newMachine(data []byte, l limits) *machine {
	return &machine{tape: tape{data: data}, most: max(16*min(l.elements, 1<<26), 1<<16)}
}

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
		if len(m.nodes) > m.most {
			return 0, errElements(m.most)
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

func (m *machine) push(i uint32) { m.stack = append(m.stack, i) }

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
