package codec

import "reflect"

func (d *decoder) intoPointer(p *plan, v reflect.Value, depth int) error {
	if p.deep {
		if err := d.enter(0, 0, depth); err != nil {
			return err
		}
		depth++
	}
	target := reflect.New(p.typ.Elem())
	if err := d.into(p.elem, target.Elem(), depth); err != nil {
		return err
	}
	v.Set(target.Convert(p.typ))
	return nil
}

func (d *decoder) intoSlice(p *plan, v reflect.Value, depth int) error {
	n, err := d.arrayHeader(depth)
	if err != nil {
		return err
	}
	list := reflect.MakeSlice(p.typ, n, n)
	for i := range n {
		if err := d.into(p.elem, list.Index(i), depth+1); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

func (d *decoder) intoArray(p *plan, v reflect.Value, depth int) (bool, error) {
	n, err := d.arrayHeader(depth)
	if err != nil || n != v.Len() {
		return false, err
	}
	for i := range n {
		if err := d.into(p.elem, v.Index(i), depth+1); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (d *decoder) intoMap(p *plan, v reflect.Value, depth int) error {
	n, err := d.mapHeader(depth)
	if err != nil {
		return err
	}
	m := reflect.MakeMapWithSize(p.typ, min(n, mapHint))
	key := reflect.New(p.typ.Key()).Elem()
	elem := reflect.New(p.typ.Elem()).Elem()
	for i := range n {
		k, err := d.key()
		if err != nil {
			return err
		}
		key.SetString(string(k))
		elem.SetZero()
		if err := d.into(p.elem, elem, depth+1); err != nil {
			return err
		}
		m.SetMapIndex(key, elem)
		if m.Len() != i+1 {
			return errDuplicate
		}
	}
	v.Set(m)
	return nil
}

func (d *decoder) intoStruct(p *plan, v reflect.Value, depth int) error {
	n, err := d.mapHeader(depth)
	if err != nil {
		return err
	}
	for i := range p.fields {
		p.fields[i].clear(v)
	}
	var seen keySet
	base := d.b
	seen.init(base, n)
	next := 0 // the fields mostly come in order
	for range n {
		k, err := d.key()
		if err != nil {
			return err
		}
		if !seen.add(k, len(base)-len(d.b)-len(k)) {
			return errDuplicate
		}
		var at int
		known := next < len(p.fields) && p.fields[next].name == string(k)
		if known {
			at = next
		} else {
			at, known = p.index[string(k)]
		}
		if !known {
			if err := d.skip(depth + 1); err != nil {
				return err
			}
			continue
		}
		next = at + 1
		f := &p.fields[at]
		if err := d.into(f.plan, f.make(v), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// skip reads over a value.
func (d *decoder) skip(depth int) error {
	w := walker{b: d.b, left: d.left, limits: d.limits}
	end, err := w.value(0, depth)
	if err != nil {
		return err
	}
	d.b, d.left = d.b[end:], w.left
	return nil
}
