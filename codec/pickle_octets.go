package codec

import (
	"unicode/utf8"
)

// octets makes bytes or a bytearray.
func (m *machine) octets(c pythonClass, args []uint32) (uint32, error) {
	kind := nodeBytes
	if c == classByteArray {
		kind = nodeByteArray
	}
	if len(args) == 0 {
		return m.add(kind, 0, 0), nil
	}
	from := *m.get(args[0])
	switch {
	case len(args) == 1 && (from.kind == nodeBytes || from.kind == nodeByteArray):
	case len(args) == 2 && from.kind == nodeText:
		i, ok := m.latin(args[0])
		if !ok || !m.isLatin(args[1]) {
			return 0, errCall
		}
		from = *m.get(i)
	default:
		return 0, errCall
	}
	i := m.add(kind, from.at, from.n)
	m.nodes[i].flags = from.flags & inExtra
	return i, nil
}

// latin returns the node of bytes for that of a text with a character for
// each: protocols 0 to 2 and Python 2 have no other form. For bytes it
// returns the node itself.
func (m *machine) latin(i uint32) (uint32, bool) {
	n := *m.get(i)
	if n.kind == nodeBytes {
		return m.resolve(i), true
	}
	if n.kind != nodeText {
		return 0, false
	}
	start := len(m.extra)
	if start+int(n.n) > 4*len(m.data) { // as for alias
		return 0, false
	}
	text := m.text(&n)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r > 0xff || r == utf8.RuneError {
			m.extra = m.extra[:start]
			return 0, false
		}
		m.extra = append(m.extra, byte(r))
		text = text[size:]
	}
	return m.addExtra(nodeBytes, start), true
}

// isLatin tells whether a node names the encoding Latin-1 as Python does.
func (t *tape) isLatin(i uint32) bool {
	n := t.get(i)
	return n.kind == nodeText && (string(t.text(n)) == "latin1" || string(t.text(n)) == "latin-1")
}

// isDecimal tells whether a text is that of a decimal.Decimal.
func (t *tape) isDecimal(n *node) bool {
	if n.flags&isNumber == 0 && validDecimal(t.text(n)) {
		n.flags |= isNumber
	}
	return n.flags&isNumber != 0
}
