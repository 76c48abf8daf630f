package codec

import (
	"strconv"
)

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
