package codec

import "math"

// The limits that a zero field of a codec stands for.
const (
	defaultMaxDepth    = 64
	defaultMaxElements = 1 << 20
	defaultMaxSize     = 64 << 20
)

// limits are the limits of one call, each positive.
type limits struct {
	depth    int // containers inside one another
	elements int // of the containers of one value, together
	size     int // bytes of a document
}

// newLimits replaces what is not positive by the defaults. Sizes stay below
// 2 GiB, so that they and all offsets fit an int and a uint32 everywhere.
func newLimits(depth, elements, size int) limits {
	return limits{
		depth:    positive(depth, defaultMaxDepth),
		elements: min(positive(elements, defaultMaxElements), math.MaxInt32),
		size:     min(positive(size, defaultMaxSize), math.MaxInt32),
	}
}

func positive(n, def int) int {
	if n > 0 {
		return n
	}
	return def
}

// A meter holds the encoding of one value to its limits.
type meter struct {
	start  int // where in the buffer the value begins
	left   int // elements
	limits limits
}

func newMeter(start int, l limits) meter { return meter{start, l.elements, l} }

// enter counts a container of n elements at a depth.
func (m *meter) enter(n, depth int) error {
	if depth >= m.limits.depth {
		return errDepth(m.limits.depth)
	}
	if n > m.left {
		return errElements(m.limits.elements)
	}
	m.left -= n
	return nil
}

// room checks that n bytes more at the end of the buffer are not what makes
// the value too large.
func (m *meter) room(end, n int) error {
	if n > m.limits.size-(end-m.start) {
		return errSize(m.limits.size)
	}
	return nil
}
