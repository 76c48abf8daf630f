package codec

// build follows one opcode that makes or fills a container or an object.
func (m *machine) build(op byte) error {
	switch op {
	case pkPop:
		if len(m.marks) > 0 && m.floor() == len(m.stack) {
			m.marks = m.marks[:len(m.marks)-1]
			return nil
		}
		_, err := m.pop(1)
		return err
	case pkPopMark:
		_, err := m.cut()
		return err
	case pkEmptyList:
		m.push(m.add(nodeList, 0, 0))
	case pkEmptyTuple:
		m.push(m.add(nodeTuple, 0, 0))
	case pkEmptyDict:
		m.push(m.add(nodeDict, 0, 0))
	case pkEmptySet:
		m.push(m.add(nodeSet, 0, 0))
	case pkTuple1, pkTuple2, pkTuple3:
		items, err := m.pop(int(op-pkTuple1) + 1)
		if err != nil {
			return err
		}
		m.container(nodeTuple, items)
	case pkTuple, pkList, pkDict, pkFrozenSet:
		items, err := m.cut()
		if err != nil || op == pkDict && len(items)%2 != 0 {
			return errDamaged
		}
		kind := nodeTuple
		switch op {
		case pkList:
			kind = nodeList
		case pkDict:
			kind = nodeDict
		case pkFrozenSet:
			kind = nodeFrozenSet
		}
		m.container(kind, items)
	case pkAppend:
		items, err := m.pop(1)
		if err != nil {
			return err
		}
		return m.fill(items, nodeList, nodeList)
	case pkSetItem:
		items, err := m.pop(2)
		if err != nil {
			return err
		}
		return m.fill(items, nodeDict, nodeOrderedDict)
	case pkAppends, pkSetItems, pkAddItems:
		items, err := m.cut()
		if err != nil || op == pkSetItems && len(items)%2 != 0 {
			return errDamaged
		}
		switch op {
		case pkAppends:
			return m.fill(items, nodeList, nodeList)
		case pkAddItems:
			return m.fill(items, nodeSet, nodeSet)
		}
		return m.fill(items, nodeDict, nodeOrderedDict)
	default:
		return m.object(op)
	}
	return nil
}

// container pushes a container with what was taken off the stack.
func (m *machine) container(kind nodeKind, items []uint32) {
	i := m.add(kind, 0, 0)
	m.link(i, items)
	m.push(i)
}

// fill puts what was taken off the stack into the container that is now on
// top. One that is reached through the memo is in use already: no pickle that
// Python has written fills it.
func (m *machine) fill(items []uint32, kind, other nodeKind) error {
	if len(m.stack) == m.floor() {
		return errDamaged
	}
	top := m.stack[len(m.stack)-1]
	switch m.nodes[top].kind {
	case kind, other:
		m.link(top, items)
		return nil
	case nodeRef:
		return errState
	}
	return errDamaged
}

// object follows one opcode that has to do with classes.
func (m *machine) object(op byte) error {
	switch op {
	case pkGlobal, pkInst:
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		class, err := m.class(module, name)
		if err != nil {
			return err
		}
		if op == pkGlobal {
			m.push(class)
			return nil
		}
		args, err := m.cut()
		if err != nil {
			return err
		}
		return m.call(class, args)
	case pkStackGlobal:
		items, err := m.pop(2)
		if err != nil {
			return err
		}
		module, name := m.get(items[0]), m.get(items[1])
		if module.kind != nodeText || name.kind != nodeText {
			return errDamaged
		}
		class, err := m.class(m.text(module), m.text(name))
		if err != nil {
			return err
		}
		m.push(class)
		return nil
	case pkObj:
		items, err := m.cut()
		if err != nil || len(items) == 0 {
			return errDamaged
		}
		return m.call(items[0], items[1:])
	case pkReduce, pkNewObj, pkNewObjEx:
		n := 2
		if op == pkNewObjEx {
			n = 3
		}
		items, err := m.pop(n)
		if err != nil {
			return err
		}
		args := m.get(items[1])
		if args.kind != nodeTuple {
			return errDamaged
		}
		if op == pkNewObjEx {
			if named := m.get(items[2]); named.kind != nodeDict || named.at != 0 {
				return errCall
			}
		}
		nodes, count, err := m.few(args)
		if err != nil {
			return errCall
		}
		if op == pkReduce {
			return m.call(items[0], nodes[:count])
		}
		return m.create(items[0], nodes[:count])
	case pkBuild:
		items, err := m.pop(1)
		if err != nil {
			return err
		}
		return m.state(items[0])
	}
	return errDamaged
}

// state gives the object on top of the stack its attributes.
func (m *machine) state(state uint32) error {
	if len(m.stack) == m.floor() {
		return errDamaged
	}
	top := m.stack[len(m.stack)-1]
	attributes := m.get(state)
	switch {
	case m.nodes[top].kind == nodeRef:
		return errState
	case m.nodes[top].kind != nodeUUID || attributes.kind != nodeDict || m.nodes[top].at != 0:
		return errCall
	}
	name := ""
	count := 0
	return m.children(attributes, func(i uint32) error {
		if count++; count > 4 {
			return errCall
		}
		if name == "" {
			n := m.get(i)
			if n.kind != nodeText {
				return errCall
			}
			name = string(m.text(n)) + " "
			return nil
		}
		switch name {
		case "int ":
			if _, ok := m.uuid(i); !ok {
				return errCall
			}
			m.nodes[top].at = i
		case "is_safe ":
			if _, ok := m.int(i); !ok && m.get(i).kind != nodeNone {
				return errCall
			}
			m.nodes[top].n = i
		default:
			return errCall
		}
		name = ""
		return nil
	})
}

// uuid returns an integer as the bytes of a UUID.
func (t *tape) uuid(i uint32) (u UUID, ok bool) {
	n := t.get(i)
	if n.kind != nodeInt && (n.kind != nodeLong || n.n > 17) {
		return u, false
	}
	b := t.big(n)
	if b.Sign() < 0 || b.BitLen() > 128 {
		return u, false
	}
	b.FillBytes(u[:])
	return u, true
}
