package codec

import (
	"errors"
	"fmt"
	"slices"
)

var errDocument = errors.New("the data is no session: it is not a dict with texts as keys")

// Split implements [Codec]. A document is one dict. Each entry's Raw is
// written anew in this Pickle's protocol, as what Python writes of a value
// may refer to another key's. An error may come after some entries.
func (c Pickle) Split(doc []byte, yield func(Entry) error) error {
	protocol, err := c.protocol()
	if err != nil {
		return fmt.Errorf("codec: pickle: split: %w", err)
	}
	r := rewriter{limits: c.limits(), pickleWriter: pickleWriter{protocol: protocol}}
	dict, err := r.open(doc)
	if err != nil {
		return fmt.Errorf("codec: pickle: split: %w", err)
	}
	r.buf = make([]byte, 0, len(doc)+len(doc)/8)
	if err := r.keys(&dict); err != nil {
		return fmt.Errorf("codec: pickle: split: %w", err)
	}
	var key []byte
	isKey := false
	var stopped error
	err = r.children(&dict, func(i uint32) error {
		if isKey = !isKey; isKey {
			key = r.tape.text(r.get(i))
			return nil
		}
		if err := r.next(i); err != nil {
			return err
		}
		start := len(r.buf)
		r.write(i)
		if len(r.buf) > r.limits.size { // of what is shared between keys
			return errSize(r.limits.size)
		}
		stopped = yield(Entry{Key: key, Raw: r.buf[start:len(r.buf):len(r.buf)]})
		return stopped
	})
	if stopped != nil {
		return stopped
	}
	if err != nil {
		return fmt.Errorf("codec: pickle: split: %w", err)
	}
	return nil
}

// open reads a document and returns its dict.
func (r *rewriter) open(doc []byte) (node, error) {
	if len(doc) > r.limits.size {
		return node{}, errSize(r.limits.size)
	}
	m := newMachine(doc, r.limits)
	i, err := m.run(true)
	if err != nil {
		return node{}, err
	}
	r.tape = &m.tape
	r.share()
	dict := *r.get(i)
	if dict.kind != nodeDict {
		return node{}, errDocument
	}
	return dict, nil
}

// keys checks the keys of a document.
func (r *rewriter) keys(dict *node) error {
	n := 0
	_ = r.children(dict, func(uint32) error { n++; return nil })
	if n /= 2; n > r.limits.elements {
		return errElements(r.limits.elements)
	}
	var keys keySet // of those in data
	var others textKeys
	keys.init(r.data, n)
	isKey := false
	return r.children(dict, func(i uint32) error {
		if isKey = !isKey; !isKey {
			return nil
		}
		k := r.get(i)
		if k.kind != nodeText {
			return errDocument
		}
		fresh := false
		if r.extra == nil {
			fresh = keys.add(r.tape.text(k), int(k.at))
		} else {
			fresh = others.add(r.tape.text(k))
		}
		if !fresh {
			return errDuplicate
		}
		return nil
	})
}

// Join implements [Codec]. It checks the keys, their number and the size of
// the document, and trusts each Raw to be from Append or Split. When it fails it
// returns dst unchanged in length.
func (c Pickle) Join(dst []byte, entries []Entry) ([]byte, error) {
	doc, err := c.join(dst, entries)
	if err != nil {
		return dst, fmt.Errorf("codec: pickle: join: %w", err)
	}
	return doc, nil
}

func (c Pickle) join(dst []byte, entries []Entry) ([]byte, error) {
	protocol, err := c.protocol()
	if err != nil {
		return nil, err
	}
	l := c.limits()
	if len(entries) > l.elements {
		return nil, errElements(l.elements)
	}
	size := 5
	for _, e := range entries {
		if len(e.Raw) == 0 {
			return nil, errTruncated
		}
		if size += 5 + len(e.Key) + len(e.Raw); size-5*(len(entries)+1) > l.size {
			return nil, errSize(l.size)
		}
	}
	w := pickleWriter{buf: slices.Grow(dst, size), protocol: protocol}
	if protocol >= 2 {
		w.op(pkProto, byte(protocol))
	}
	w.dict(len(entries))
	var keys keySet
	var escaped textKeys // in protocol 0
	keys.init(nil, len(entries))
	for _, e := range entries {
		if !isText(e.Key) {
			return nil, errUTF8
		}
		w.text(e.Key)
		fresh := false
		if protocol == 0 {
			fresh = escaped.add(e.Key)
		} else {
			keys.base = w.buf[len(dst):]
			fresh = keys.add(e.Key, len(keys.base)-len(e.Key))
		}
		if !fresh {
			return nil, errDuplicate
		}
		w.buf = append(w.buf, e.Raw...)
	}
	w.dictEnd(len(entries))
	w.op(pkStop)
	if len(w.buf)-len(dst) > l.size {
		return nil, errSize(l.size)
	}
	return w.buf, nil
}
