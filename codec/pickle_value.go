package codec

import (
	"errors"
	"math"
	"math/big"
	"time"
)

var errZoneValue = errors.New("a time zone that belongs to no time has no Go type")

// A valuer makes Go values of the nodes of a tape.
type valuer struct {
	*tape
	limits   limits
	elements int
	bytes    int
}

// enter counts a container.
func (v *valuer) enter(n *node, depth int) (count int, err error) {
	if depth >= v.limits.depth {
		return 0, errDepth(v.limits.depth)
	}
	_ = v.children(n, func(uint32) error { count++; return nil })
	elements := count
	if n.kind == nodeDict || n.kind == nodeOrderedDict {
		elements /= 2
	}
	if v.elements += elements; v.elements > v.limits.elements {
		return 0, errElements(v.limits.elements)
	}
	return count, nil
}

// copy returns the bytes of a node that has them.
func (v *valuer) copy(i uint32) ([]byte, error) {
	n := v.get(i)
	if v.bytes += int(n.n) + 1; v.bytes > v.limits.size {
		return nil, errSize(v.limits.size)
	}
	return v.text(n), nil
}

// of returns the value of a node, with its natural type.
func (v *valuer) of(i uint32, depth int) (any, error) {
	n := v.get(i)
	switch n.kind {
	case nodeNone:
		return nil, nil
	case nodeTrue, nodeFalse:
		return n.kind == nodeTrue, nil
	case nodeInt:
		i := int64(n.bits())
		return integer{u: uint64(i), negative: i < 0}.natural(), nil
	case nodeLong:
		if _, err := v.copy(i); err != nil {
			return nil, err
		}
		return naturalBig(v.big(n)), nil
	case nodeFloat:
		return math.Float64frombits(n.bits()), nil
	case nodeText:
		b, err := v.copy(i)
		return string(b), err
	case nodeMarkup:
		b, err := v.copy(n.at)
		return Markup(b), err
	case nodeBytes, nodeByteArray:
		b, err := v.copy(i)
		b = append(make([]byte, 0, len(b)), b...)
		if n.kind == nodeByteArray {
			return ByteArray(b), err
		}
		return b, err
	case nodeList, nodeTuple, nodeSet, nodeFrozenSet:
		return v.list(n, depth)
	case nodeDict, nodeOrderedDict:
		return v.dict(n, depth)
	case nodeClass:
		return nil, errNoValue(pythonClass(n.at))
	default:
		return v.object(n)
	}
}

// naturalBig returns an integer as int, int64 or uint64 if it fits.
func naturalBig(n *big.Int) any {
	switch {
	case n.IsInt64():
		return integer{u: uint64(n.Int64()), negative: n.Sign() < 0}.natural()
	case n.IsUint64():
		return n.Uint64()
	}
	return n
}

func (v *valuer) list(n *node, depth int) (any, error) {
	count, err := v.enter(n, depth)
	if err != nil {
		return nil, err
	}
	list := make([]any, 0, count)
	err = v.children(n, func(i uint32) error {
		x, err := v.of(i, depth+1)
		list = append(list, x)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case n.kind == nodeTuple:
		return Tuple(list), nil
	case n.kind == nodeList:
		return list, nil
	}
	keys := keyring{}
	for _, x := range list {
		if err := keys.add(x); err != nil {
			return nil, err
		}
	}
	if n.kind == nodeSet {
		return Set(list), nil
	}
	return FrozenSet(list), nil
}

func (v *valuer) dict(n *node, depth int) (any, error) {
	count, err := v.enter(n, depth)
	if err != nil {
		return nil, err
	}
	texts := n.kind == nodeDict
	at := 0
	_ = v.children(n, func(i uint32) error {
		texts = texts && (at%2 != 0 || v.get(i).kind == nodeText)
		at++
		return nil
	})
	if texts {
		return v.stringMap(n, count/2, depth)
	}
	items := make([]Item, 0, count/2)
	keys := keyring{}
	at = 0
	err = v.children(n, func(i uint32) error {
		x, err := v.of(i, depth+1)
		if err == nil && at%2 == 0 {
			items = append(items, Item{Key: x})
			err = keys.add(x)
		} else if err == nil {
			items[len(items)-1].Value = x
		}
		at++
		return err
	})
	if err != nil {
		return nil, err
	}
	if n.kind == nodeOrderedDict {
		return OrderedDict(items), nil
	}
	return Dict(items), nil
}

func (v *valuer) stringMap(n *node, count, depth int) (map[string]any, error) {
	m := make(map[string]any, min(count, mapHint))
	key, isKey := "", true
	err := v.children(n, func(i uint32) error {
		if isKey {
			b, err := v.copy(i)
			key, isKey = string(b), false
			return err
		}
		x, err := v.of(i, depth+1)
		if _, dup := m[key]; dup {
			return errDuplicate
		}
		m[key], isKey = x, true
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (v *valuer) object(n *node) (any, error) {
	switch n.kind {
	case nodeDateTime:
		return v.dateTime(n)
	case nodeDate:
		return stateDate(v.text(v.get(n.at))), nil
	case nodeClock:
		c := stateClock(v.text(v.get(n.at)))
		if n.n == 0 {
			return c, nil
		}
		z, err := v.zone(n.n)
		if err == nil {
			c.Zone, err = z.location()
		}
		return c, err
	case nodeTimeDelta:
		d := v.delta(n)
		if short, ok := d.Duration(); ok {
			return short, nil
		}
		return d, nil
	case nodeDecimal:
		b, err := v.copy(n.at)
		return Decimal(b), err
	case nodeComplex:
		return complex(math.Float64frombits(v.get(n.at).bits()), math.Float64frombits(v.get(n.n).bits())), nil
	case nodeUUID:
		if n.at == 0 {
			return nil, errCall
		}
		u, _ := v.uuid(n.at)
		return u, nil
	}
	return nil, errZoneValue
}

func (v *valuer) dateTime(n *node) (time.Time, error) {
	wall, fold := stateTime(v.text(v.get(n.at)))
	if n.n == 0 {
		if fold {
			return atWall(wall, false, naiveFold), nil
		}
		return atWall(wall, false, Naive), nil
	}
	z, err := v.zone(n.n)
	if err != nil {
		return time.Time{}, err
	}
	l, err := z.location()
	if err != nil {
		return time.Time{}, err
	}
	return atWall(wall, fold, l), nil
}
