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
