package codec

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
)

// maxDigits is how many decimal digits an integer may have as text, in Python
// as well. Others are bytes.
const maxDigits = 4300

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
