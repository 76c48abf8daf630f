package codec

import "math/big"

// A tape is a pickle whose opcodes were followed, without a Go value for
// anything in it: a node of 16 bytes for each object. What objects refer to is
// in the tape or in the data.
type tape struct {
	data    []byte
	extra   []byte // texts whose form in the data is another one
	nodes   []node // the first is not used
	records []sharing
	shared  []uint32 // by node: the record, or 0; nil when nothing is shared
}

// A node is one object.
type node struct {
	kind  nodeKind
	flags nodeFlags

	next  uint32 // the node that comes next in the container
	at, n uint32 // by kind
}

type nodeFlags uint8

const (
	inExtra  nodeFlags = 1 << iota // the text is in extra
	isShared                       // a nodeRef leads here
	isNumber                       // the text is that of a Decimal
)

// A nodeKind says what a node is.
type nodeKind uint8

const (
	nodeNone      nodeKind = iota
	nodeTrue               //
	nodeFalse              //
	nodeInt                // at, n: 64 bits
	nodeLong               // at, n: bytes in data, little-endian, two's complement
	nodeFloat              // at, n: 64 bits
	nodeText               // at, n: bytes
	nodeBytes              // at, n: bytes
	nodeByteArray          // at, n: bytes
	nodeRef                // at: another node, which is no nodeRef
	nodeClass              // at: pythonClass; no value

	// Containers: the first and the last node in it, or 0.
	nodeList
	nodeTuple
	nodeDict
	nodeOrderedDict
	nodeSet
	nodeFrozenSet

	// Objects: other nodes.
	nodeDateTime  // state, zone or 0
	nodeDate      // state
	nodeClock     // state, zone or 0
	nodeTimeDelta // tuple
	nodeTimeZone  // nodeTimeDelta, name or 0
	nodeZoneInfo  // key
	nodeDecimal   // text
	nodeUUID      // integer or 0, is_safe or 0
	nodeComplex   // real, imaginary
	nodeMarkup    // text
)

// A sharing is what is known of a node that several others lead to.
type sharing struct {
	node uint32

	// In the value that is being written:
	value  uint32 // which it is, from 1
	uses   int
	memo   int // its place in the memo, from 1
	within bool
	cost   cost
}

// A cost is what a value takes when nothing in it is shared.
type cost struct {
	elements int
	bytes    int
	height   int  // containers inside one another
	mutable  bool // Python cannot hash it
}

// resolve returns a node itself for one that refers to it.
func (t *tape) resolve(i uint32) uint32 {
	if t.nodes[i].kind == nodeRef {
		return t.nodes[i].at
	}
	return i
}

// get returns the node that i is or refers to.
func (t *tape) get(i uint32) *node { return &t.nodes[t.resolve(i)] }

// add adds a node.
func (t *tape) add(kind nodeKind, at, n uint32) uint32 {
	t.nodes = append(t.nodes, node{kind: kind, at: at, n: n})
	return uint32(len(t.nodes) - 1)
}

// addInt adds an integer.
func (t *tape) addInt(i int64) uint32 {
	return t.add(nodeInt, uint32(uint64(i)>>32), uint32(uint64(i)))
}

// bits returns the 64 bits of a nodeInt or nodeFloat.
func (n *node) bits() uint64 { return uint64(n.at)<<32 | uint64(n.n) }

// addExtra adds a node for the end of extra, from an offset.
func (t *tape) addExtra(kind nodeKind, start int) uint32 {
	i := t.add(kind, uint32(start), uint32(len(t.extra)-start))
	t.nodes[i].flags = inExtra
	return i
}

// text returns the bytes of a node that has them.
func (t *tape) text(n *node) []byte {
	from := t.data
	if n.flags&inExtra != 0 {
		from = t.extra
	}
	return from[n.at : n.at+n.n : n.at+n.n]
}

// link puts nodes at the end of a container.
func (t *tape) link(container uint32, nodes []uint32) {
	c := &t.nodes[container]
	for _, i := range nodes {
		if c.n == 0 {
			c.at = i
		} else {
			t.nodes[c.n].next = i
		}
		c.n = i
	}
}

// children calls yield for each node in a container.
func (t *tape) children(n *node, yield func(uint32) error) error {
	first, last := n.at, n.n
	for i := first; i != 0; i = t.nodes[i].next {
		if err := yield(i); err != nil {
			return err
		}
		if i == last { // the chain may be that of a list, which has grown
			break
		}
	}
	return nil
}

// few returns the nodes in a container of at most three.
func (t *tape) few(n *node) (nodes [3]uint32, count int, err error) {
	err = t.children(n, func(i uint32) error {
		if count == len(nodes) {
			return errDamaged
		}
		nodes[count] = i
		count++
		return nil
	})
	return nodes, count, err
}

// int returns an integer that fits an int64.
func (t *tape) int(i uint32) (int64, bool) {
	if i == 0 {
		return 0, false
	}
	n := t.get(i)
	return int64(n.bits()), n.kind == nodeInt
}

// big returns any integer.
func (t *tape) big(n *node) *big.Int {
	if n.kind == nodeInt {
		return big.NewInt(int64(n.bits()))
	}
	return bigOf(t.text(n))
}

// bigOf returns the integer of bytes in little-endian two's complement.
func bigOf(le []byte) *big.Int {
	be := make([]byte, len(le))
	for i, c := range le {
		be[len(le)-1-i] = c
	}
	n := new(big.Int).SetBytes(be)
	if len(be) > 0 && be[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(be))))
	}
	return n
}

// bytesOf is the reverse, in the shortest form.
func bytesOf(n *big.Int) []byte {
	if n.Sign() == 0 {
		return nil
	}
	size := n.BitLen()/8 + 1
	if n.Sign() < 0 { // -128 is one byte
		size = new(big.Int).Not(n).BitLen()/8 + 1
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	le := n.FillBytes(make([]byte, size))
	for i, j := 0, len(le)-1; i < j; i, j = i+1, j-1 {
		le[i], le[j] = le[j], le[i]
	}
	return le
}
