package codec

// maxArgs is how many arguments any of the calls has.
const maxArgs = 3

// call pushes what a class returns for arguments, if that is plain data. It
// takes nothing but the arguments that Python's pickler writes.
func (m *machine) call(class uint32, args []uint32) error {
	c := m.get(class)
	if c.kind != nodeClass {
		return errDamaged
	}
	if len(args) > maxArgs {
		return errCall
	}
	i, err := m.made(pythonClass(c.at), args)
	if err != nil {
		return err
	}
	m.push(i)
	return nil
}

// create is call for a class whose method __init__ is not called.
func (m *machine) create(class uint32, args []uint32) error {
	switch c := m.get(class); {
	case c.kind != nodeClass:
		return errDamaged
	case pythonClass(c.at) == classUUID && len(args) == 0:
		m.push(m.add(nodeUUID, 0, 0))
		return nil
	case pythonClass(c.at) == classMarkup, pythonClass(c.at) == classDecimal, pythonClass(c.at) == classDateTime,
		pythonClass(c.at) == classDate, pythonClass(c.at) == classTime, pythonClass(c.at) == classTimeDelta:
		return m.call(class, args)
	}
	return errCall
}

func (m *machine) made(c pythonClass, args []uint32) (uint32, error) {
	var kinds [maxArgs]nodeKind
	for i, arg := range args {
		kinds[i] = m.get(arg).kind
	}
	switch c {
	case classDateTime, classTime:
		return m.moment(c, args)
	case classDate:
		if len(args) == 1 {
			if state, ok := m.latin(args[0]); ok && validDate(m.text(m.get(state))) {
				return m.add(nodeDate, state, 0), nil
			}
		}
	case classTimeDelta:
		return m.timeDelta(args)
	case classTimeZone:
		return m.timeZone(args)
	case classZoneInfo, classZoneInfoUnpickle:
		if len(args) >= 1 && len(args) <= int(c-classZoneInfo)+1 && kinds[0] == nodeText && m.get(args[0]).n <= maxZoneName {
			return m.add(nodeZoneInfo, args[0], 0), nil
		}
	case classDecimal:
		if len(args) == 1 && kinds[0] == nodeText && m.isDecimal(m.get(args[0])) {
			return m.add(nodeDecimal, args[0], 0), nil
		}
	case classMarkup:
		if len(args) == 1 && kinds[0] == nodeMarkup {
			return m.add(nodeMarkup, m.get(args[0]).at, 0), nil
		}
		if len(args) == 1 && kinds[0] == nodeText {
			return m.add(nodeMarkup, args[0], 0), nil
		}
	case classSet, classFrozenSet, classList, classTuple:
		return m.collection(c, args)
	case classDict, classOrderedDict:
		return m.mapping(c, args)
	case classBytes, classByteArray:
		return m.octets(c, args)
	case classEncode:
		if len(args) == 2 && kinds[0] == nodeText && kinds[1] == nodeText {
			if i, ok := m.latin(args[0]); ok && m.isLatin(args[1]) {
				return i, nil
			}
		}
	case classComplex:
		if len(args) == 2 && kinds[0] == nodeFloat && kinds[1] == nodeFloat {
			return m.add(nodeComplex, args[0], args[1]), nil
		}
	case classGetAttr:
		if len(args) == 2 && kinds[0] == nodeClass && kinds[1] == nodeText && pythonClass(m.get(args[0]).at) == classZoneInfo && string(m.text(m.get(args[1]))) == "_unpickle" {
			return m.add(nodeClass, uint32(classZoneInfoUnpickle), 0), nil
		}
	case classReconstructor:
		return m.reconstruct(args)
	}
	return 0, errCall
}

// reconstruct is what copyreg._reconstructor does for a class, its base and
// the base's value: protocols 0 and 1 have it.
func (m *machine) reconstruct(args []uint32) (uint32, error) {
	if len(args) != 3 || m.get(args[0]).kind != nodeClass || m.get(args[1]).kind != nodeClass {
		return 0, errCall
	}
	base, value := pythonClass(m.get(args[1]).at), m.get(args[2]).kind
	switch pythonClass(m.get(args[0]).at) {
	case classUUID:
		if base == classObject && value == nodeNone {
			return m.add(nodeUUID, 0, 0), nil
		}
	case classMarkup:
		if base == classStr && value == nodeText {
			return m.add(nodeMarkup, args[2], 0), nil
		}
	}
	return 0, errCall
}

// collection makes a set, frozenset, list or tuple of another.
func (m *machine) collection(c pythonClass, args []uint32) (uint32, error) {
	kind := nodeSet
	switch c {
	case classFrozenSet:
		kind = nodeFrozenSet
	case classList:
		kind = nodeList
	case classTuple:
		kind = nodeTuple
	}
	if len(args) == 0 {
		return m.add(kind, 0, 0), nil
	}
	if len(args) == 1 {
		switch from := *m.get(args[0]); from.kind {
		case nodeList, nodeTuple, nodeSet, nodeFrozenSet:
			i := m.add(kind, from.at, from.n)
			if kind == nodeList || kind == nodeSet { // may be filled further
				m.nodes[i].at, m.nodes[i].n = 0, 0
				return i, m.copy(i, &from)
			}
			return i, nil
		}
	}
	return 0, errCall
}

// copy fills a container with what another one has.
func (m *machine) copy(to uint32, from *node) error {
	return m.children(from, func(i uint32) error { return m.alias(to, i) })
}

// alias puts an object that is in a container already into another one.
func (m *machine) alias(to, i uint32) error {
	if m.copied++; m.copied > len(m.data) { // each list is copied once, but by an attacker
		return errDamaged
	}
	_ = m.refer(i)
	last := len(m.stack) - 1
	m.link(to, m.stack[last:])
	m.stack = m.stack[:last]
	return nil
}

// mapping makes a dict or OrderedDict: empty, of a dict or, as Python 2 does
// it, of pairs.
func (m *machine) mapping(c pythonClass, args []uint32) (uint32, error) {
	kind := nodeDict
	if c == classOrderedDict {
		kind = nodeOrderedDict
	}
	if len(args) > 1 {
		return 0, errCall
	}
	to := m.add(kind, 0, 0)
	if len(args) == 0 {
		return to, nil
	}
	switch from := *m.get(args[0]); from.kind {
	case nodeDict, nodeOrderedDict:
		return to, m.copy(to, &from)
	case nodeList:
		return to, m.children(&from, func(i uint32) error {
			pair := *m.get(i)
			if pair.kind != nodeList && pair.kind != nodeTuple {
				return errCall
			}
			nodes, n, err := m.few(&pair)
			if err != nil || n != 2 {
				return errCall
			}
			if err := m.alias(to, nodes[0]); err != nil {
				return err
			}
			return m.alias(to, nodes[1])
		})
	}
	return 0, errCall
}
