package codec

import "reflect"

// listOf returns the elements of what has elements.
func listOf(x any) ([]any, bool) {
	switch x := x.(type) {
	case []any:
		return x, true
	case Tuple:
		return x, true
	case Set:
		return x, true
	case FrozenSet:
		return x, true
	}
	return nil, false
}

// itemsOf returns the items of what has keys.
func itemsOf(x any) ([]Item, bool) {
	switch x := x.(type) {
	case Dict:
		return x, true
	case OrderedDict:
		return x, true
	case map[string]any:
		items := make([]Item, 0, len(x))
		for _, r := range lowerAnyMap(x) {
			items = append(items, Item{r.key, r.value})
		}
		return items, true
	}
	return nil, false
}

func (a assigner) list(p *plan, v reflect.Value, x any) (bool, error) {
	list, ok := listOf(x)
	if !ok || p.op == opArray && len(list) != v.Len() {
		return false, nil
	}
	target := v
	if p.op == opSlice {
		target = reflect.MakeSlice(p.typ, len(list), len(list))
	}
	for i := range list {
		if err := a.into(p.elem, target.Index(i), list[i]); err != nil {
			return false, err
		}
	}
	if p.op == opSlice {
		v.Set(target)
	}
	return true, nil
}

func (a assigner) stringMap(p *plan, v reflect.Value, x any) (bool, error) {
	items, ok := itemsOf(x)
	if !ok {
		return false, nil
	}
	m := reflect.MakeMapWithSize(p.typ, len(items))
	key := reflect.New(p.typ.Key()).Elem()
	elem := reflect.New(p.typ.Elem()).Elem()
	for _, item := range items {
		s, ok := item.Key.(string)
		if !ok {
			return false, nil
		}
		key.SetString(s)
		elem.SetZero()
		if err := a.into(p.elem, elem, item.Value); err != nil {
			return false, err
		}
		m.SetMapIndex(key, elem)
	}
	v.Set(m)
	return true, nil
}

// otherMap assigns to a map whose keys are no strings.
func (a assigner) otherMap(p *plan, v reflect.Value, x any) (bool, error) {
	items, ok := itemsOf(x)
	if !ok {
		return false, nil
	}
	m := reflect.MakeMapWithSize(p.typ, len(items))
	keys := planOf(p.typ.Key())
	key := reflect.New(p.typ.Key()).Elem()
	elem := reflect.New(p.typ.Elem()).Elem()
	for i, item := range items {
		key.SetZero()
		elem.SetZero()
		if err := a.mapKey(keys, key, item.Key); err != nil {
			return false, err
		}
		if err := a.into(p.elem, elem, item.Value); err != nil {
			return false, err
		}
		m.SetMapIndex(key, elem)
		if m.Len() != i+1 {
			return false, errDuplicate
		}
	}
	v.Set(m)
	return true, nil
}

// structure assigns to a struct. It ignores keys that it does not have, and
// sets fields whose key is missing to zero.
func (a assigner) structure(p *plan, v reflect.Value, x any) (bool, error) {
	items, ok := itemsOf(x)
	if !ok {
		return false, nil
	}
	for i := range p.fields {
		p.fields[i].clear(v)
	}
	for _, item := range items {
		name, _ := item.Key.(string)
		at, known := p.index[name]
		if !known {
			continue
		}
		f := &p.fields[at]
		if err := a.into(f.plan, f.make(v), item.Value); err != nil {
			return false, err
		}
	}
	return true, nil
}
