package codec

// A walker checks the structure of values without decoding them. The values in
// extTyped are walked too.
type walker struct {
	b      []byte
	left   int // elements
	limits limits
	flask  bool // as FlaskMessagePack
}

// value returns where the value ends that begins at i.
func (w *walker) value(i, depth int) (end int, err error) {
	if i >= len(w.b) {
		return 0, errTruncated
	}
	switch c := w.b[i]; {
	case c < 0x80 || c >= 0xe0: // integers of one byte
		return i + 1, nil
	case c < 0x90:
		return w.container(i+1, 2*int(c&0x0f), int(c&0x0f), depth)
	case c < 0xa0:
		return w.container(i+1, int(c&0x0f), int(c&0x0f), depth)
	case c < 0xc0:
		return w.skip(i+1, uint64(c&0x1f))
	case c == 0xc1:
		return 0, errDamaged
	case c < 0xc4: // nil, false, true
		return i + 1, nil
	case c < 0xc7: // bin
		return w.sized(i+1, 1<<(c-0xc4))
	case isExt(c):
		return w.extension(i, depth)
	case c < 0xcc: // float32, float64
		return w.skip(i+1, 4<<(c-0xca))
	case c < 0xd0: // uint8 to uint64
		return w.skip(i+1, 1<<(c-0xcc))
	case c < 0xd4: // int8 to int64
		return w.skip(i+1, 1<<(c-0xd0))
	case c < 0xdc: // str
		return w.sized(i+1, 1<<(c-0xd9))
	default: // array16, array32, map16, map32
		i++
		width := 2 << ((c - 0xdc) & 1)
		n, err := w.number(i, width)
		if err != nil {
			return 0, err
		}
		values := n
		if c >= 0xde {
			values *= 2
		}
		if values > uint64(len(w.b)-i-width) {
			return 0, errTruncated
		}
		return w.container(i+width, int(values), int(n), depth)
	}
}

// skip goes over n bytes at i.
func (w *walker) skip(i int, n uint64) (int, error) {
	if n > uint64(len(w.b)-i) {
		return 0, errTruncated
	}
	return i + int(n), nil
}

// number reads a big-endian number of width bytes at i.
func (w *walker) number(i, width int) (n uint64, err error) {
	if len(w.b)-i < width {
		return 0, errTruncated
	}
	for _, c := range w.b[i : i+width] {
		n = n<<8 | uint64(c)
	}
	return n, nil
}

// sized goes over a string or bytes whose length is width bytes at i.
func (w *walker) sized(i, width int) (int, error) {
	n, err := w.number(i, width)
	if err != nil {
		return 0, err
	}
	return w.skip(i+width, n)
}

// container goes over the values of an array or map of n elements.
func (w *walker) container(i, values, n, depth int) (end int, err error) {
	if depth >= w.limits.depth {
		return 0, errDepth(w.limits.depth)
	}
	if n > w.left {
		return 0, errElements(w.limits.elements)
	}
	w.left -= n
	for range values {
		if i, err = w.value(i, depth+1); err != nil {
			return 0, err
		}
	}
	return i, nil
}

func (w *walker) extension(i, depth int) (end int, err error) {
	typ, payload, rest, err := cutExt(w.b[i:])
	if err != nil {
		return 0, err
	}
	end = len(w.b) - len(rest)
	if w.flask {
		return end, checkTimestamp(typ, payload)
	}
	if typ != extTyped {
		return end, nil
	}
	_, body, err := cutTyped(payload)
	if err != nil {
		return 0, err
	}
	inner := walker{b: body, left: w.left, limits: w.limits}
	n, err := inner.value(0, depth)
	if err == nil && n != len(body) {
		err = errTrailing
	}
	w.left = inner.left
	return end, err
}
