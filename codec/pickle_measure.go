package codec

// A rewriter writes the values of a tape, one by one, in the opcodes of its
// protocol. Each is measured before: that finds what contains itself or would
// be too much without sharing, counts what has to be in the memo, and leaves
// nothing for write to complain of.
type rewriter struct {
	*tape
	pickleWriter
	limits limits
	value  uint32 // the number of the value
	total  cost   // of the value, so far
}

// share prepares to find the record of a node.
func (t *tape) share() {
	if len(t.records) == 0 {
		return
	}
	t.shared = make([]uint32, len(t.nodes))
	for i := range t.records {
		t.shared[t.records[i].node] = uint32(i + 1)
	}
}

// record returns what is known of a node that is shared, or nil.
func (t *tape) record(i uint32) *sharing {
	if t.nodes[i].flags&isShared == 0 {
		return nil
	}
	return &t.records[t.shared[i]-1]
}

// next begins with a value and measures it.
func (r *rewriter) next(i uint32) error {
	r.value++
	r.total = cost{}
	r.begin()
	_, err := r.measure(i, 0)
	return err
}

// spend counts what a value takes.
func (r *rewriter) spend(elements, bytes int) error {
	r.total.elements += elements
	r.total.bytes += bytes
	if r.total.elements > r.limits.elements {
		return errElements(r.limits.elements)
	}
	if r.total.bytes > r.limits.size {
		return errSize(r.limits.size)
	}
	return nil
}

// measure returns the cost of a value, of which it has spent all but the
// height.
func (r *rewriter) measure(i uint32, depth int) (cost, error) {
	i = r.resolve(i)
	s := r.record(i)
	if s == nil {
		return r.fresh(i, depth)
	}
	if s.value == r.value {
		if s.within {
			return cost{}, errCycle
		}
		s.uses++
		if depth+s.cost.height > r.limits.depth {
			return cost{}, errDepth(r.limits.depth)
		}
		return s.cost, r.spend(s.cost.elements, s.cost.bytes)
	}
	*s = sharing{node: i, value: r.value, uses: 1, within: true}
	before := r.total
	c, err := r.fresh(i, depth)
	c.elements, c.bytes = r.total.elements-before.elements, r.total.bytes-before.bytes
	s.within, s.cost = false, c
	return c, err
}

// fresh is measure for a node that was not met in this value.
func (r *rewriter) fresh(i uint32, depth int) (cost, error) {
	n := r.nodes[i]
	var inside [2]uint32 // what is in an object
	switch n.kind {
	case nodeText, nodeBytes, nodeLong:
		if n.kind == nodeLong && r.protocol < 2 && n.n > maxDigits {
			return cost{}, errDigits
		}
		return cost{}, r.spend(0, int(n.n)+1)
	case nodeByteArray:
		return cost{mutable: true}, r.spend(0, int(n.n)+1)
	case nodeList, nodeTuple, nodeDict, nodeOrderedDict, nodeSet, nodeFrozenSet:
		return r.container(n, depth)
	case nodeClass:
		return cost{}, errNoValue(pythonClass(n.at))
	case nodeDateTime, nodeClock:
		inside = [2]uint32{n.n}
	case nodeTimeZone, nodeComplex:
		inside = [2]uint32{n.at, n.n}
	case nodeUUID:
		if n.at == 0 {
			return cost{}, errCall
		}
		inside = [2]uint32{n.at, n.n}
	case nodeZoneInfo, nodeDecimal, nodeMarkup:
		inside = [2]uint32{n.at}
	}
	for _, i := range inside {
		if i == 0 {
			continue
		}
		// Objects in one another are not deep: none can be in its own kind
		// but a Markup.
		if _, err := r.measure(i, depth); err != nil {
			return cost{}, err
		}
	}
	return cost{}, r.spend(0, 1)
}

func (r *rewriter) container(n node, depth int) (cost, error) {
	if depth >= r.limits.depth {
		return cost{}, errDepth(r.limits.depth)
	}
	pairs := n.kind == nodeDict || n.kind == nodeOrderedDict
	hashed := n.kind == nodeSet || n.kind == nodeFrozenSet
	c := cost{mutable: n.kind != nodeTuple && n.kind != nodeFrozenSet}
	count := 0
	err := r.children(&n, func(i uint32) error {
		isKey := pairs && count%2 == 0
		count++
		if !pairs || isKey {
			if err := r.spend(1, 0); err != nil {
				return err
			}
		}
		in, err := r.measure(i, depth+1)
		if err != nil {
			return err
		}
		if in.mutable && (isKey || hashed) {
			return errHash
		}
		c.mutable = c.mutable || in.mutable
		c.height = max(c.height, in.height)
		return nil
	})
	c.height++
	return c, err
}
