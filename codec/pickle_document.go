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
	var keys textKeys
	var key []byte
	n := 0
	var stopped error
	err = r.children(&dict, func(i uint32) error {
		if n++; n%2 != 0 {
			k := r.get(i)
			if k.kind != nodeText {
				return errDocument
			}
			key = r.tape.text(k)
			if !keys.add(key) {
				return errDuplicate
			}
			if n/2 >= r.limits.elements {
				return errElements(r.limits.elements)
			}
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
	m := machine{tape: tape{data: doc}}
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
	var keys textKeys
	for _, e := range entries {
		if !isText(e.Key) {
			return nil, errUTF8
		}
		if !keys.add(e.Key) {
			return nil, errDuplicate
		}
		w.text(e.Key)
		w.buf = append(w.buf, e.Raw...)
	}
	w.dictEnd(len(entries))
	w.op(pkStop)
	if len(w.buf)-len(dst) > l.size {
		return nil, errSize(l.size)
	}
	return w.buf, nil
}
