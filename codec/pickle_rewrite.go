package codec

import "math"

// write appends a value that was measured.
func (r *rewriter) write(i uint32) {
	i = r.resolve(i)
	s := r.record(i)
	if s != nil && s.uses > 1 && s.memo > 0 {
		r.getMemo(s.memo)
		return
	}
	r.object(r.nodes[i])
	if s != nil && s.uses > 1 {
		s.memo = r.putMemo()
	}
}

func (r *rewriter) object(n node) {
	switch n.kind {
	case nodeNone:
		r.op(pkNone)
	case nodeTrue, nodeFalse:
		r.bool(n.kind == nodeTrue)
	case nodeInt:
		r.pickleWriter.int(int64(n.bits()))
	case nodeLong:
		if r.protocol >= 2 {
			r.long(r.tape.text(&n))
		} else {
			_ = r.pickleWriter.big(r.tape.big(&n)) // its size was measured
		}
	case nodeFloat:
		r.float(math.Float64frombits(n.bits()))
	case nodeText:
		r.pickleWriter.text(r.tape.text(&n))
	case nodeBytes:
		r.bytes(r.tape.text(&n))
	case nodeByteArray:
		r.byteArray(r.tape.text(&n))
	case nodeList, nodeTuple, nodeDict, nodeOrderedDict, nodeSet, nodeFrozenSet:
		r.elements(n)
	case nodeDateTime, nodeClock:
		c := classDateTime
		if n.kind == nodeClock {
			c = classTime
		}
		var zone func()
		if n.n != 0 {
			zone = func() { r.write(n.n) }
		}
		r.moment(c, r.tape.text(r.get(n.at)), zone)
	case nodeDate:
		r.moment(classDate, r.tape.text(r.get(n.at)), nil)
	case nodeTimeDelta:
		r.pickleWriter.delta(r.tape.delta(&n))
	case nodeTimeZone:
		if n.n != 0 {
			r.call(classTimeZone, func() { r.write(n.at) }, func() { r.write(n.n) })
		} else {
			r.call(classTimeZone, func() { r.write(n.at) })
		}
	case nodeZoneInfo:
		r.call(classZoneInfo, func() { r.write(n.at) })
	case nodeDecimal:
		r.call(classDecimal, func() { r.write(n.at) })
	case nodeMarkup:
		r.call(classMarkup, func() { r.write(n.at) })
	case nodeComplex:
		r.call(classComplex, func() { r.write(n.at) }, func() { r.write(n.n) })
	case nodeUUID:
		var safe func()
		if n.n != 0 {
			safe = func() { r.write(n.n) }
		}
		r.pickleWriter.uuid(func() { r.write(n.at) }, safe)
	}
}

func (r *rewriter) elements(n node) {
	count := 0
	_ = r.children(&n, func(uint32) error { count++; return nil })
	begin, end := r.list, r.listEnd
	switch n.kind {
	case nodeTuple:
		begin, end = r.tuple, r.tupleEnd
	case nodeDict:
		begin, end, count = r.dict, r.dictEnd, count/2
	case nodeOrderedDict:
		begin, end, count = r.orderedDict, r.itemsEnd, count/2
	case nodeSet, nodeFrozenSet:
		frozen := n.kind == nodeFrozenSet
		begin = func(n int) { r.set(n, frozen) }
		end = func(n int) { r.setEnd(n, frozen) }
	}
	begin(count)
	_ = r.children(&n, func(i uint32) error { r.write(i); return nil })
	end(count)
}
