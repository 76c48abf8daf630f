package codec

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

// Split implements [Codec]. It checks the whole document in the one pass in
// which it calls yield, so that an error may come after some entries. The
// slices of the entries are parts of doc. The keys of the document must be
// strings; maps inside values may have others, as other languages write
// them, and are refused when they are decoded. An empty doc is an error.
func (c MessagePack) Split(doc []byte, yield func(Entry) error) error {
	w := walker{b: doc, limits: c.limits()}
	return w.split("codec: messagepack: split: %w", yield)
}

// split is Split; format is for its errors.
func (w *walker) split(format string, yield func(Entry) error) error {
	n, i, err := w.document()
	if err != nil {
		return fmt.Errorf(format, err)
	}
	var keys keySet
	keys.init(w.b, n)
	for range n {
		s, err := w.entry(i, &keys)
		if err != nil {
			return fmt.Errorf(format, err)
		}
		i = int(s.End)
		if err := yield(s.Of(w.b)); err != nil {
			return err
		}
	}
	if i != len(w.b) {
		return fmt.Errorf(format, errTrailing)
	}
	return nil
}

// Index appends the places of the entries of a document to spans. It checks
// what Split does, and costs less when only few of the entries are looked at.
func (c MessagePack) Index(doc []byte, spans []Span) ([]Span, error) {
	w := walker{b: doc, limits: c.limits()}
	n, i, err := w.document()
	if err != nil {
		return nil, fmt.Errorf("codec: messagepack: index: %w", err)
	}
	spans = slices.Grow(spans, n) // which is no more than the bytes that there are
	var keys keySet
	keys.init(doc, n)
	for range n {
		s, err := w.entry(i, &keys)
		if err != nil {
			return nil, fmt.Errorf("codec: messagepack: index: %w", err)
		}
		i = int(s.End)
		spans = append(spans, s)
	}
	if i != len(doc) {
		return nil, fmt.Errorf("codec: messagepack: index: %w", errTrailing)
	}
	return spans, nil
}

// document reads the header of a document: the number of its entries and
// where they begin.
func (w *walker) document() (n, i int, err error) {
	if len(w.b) > w.limits.size {
		return 0, 0, errSize(w.limits.size)
	}
	if len(w.b) == 0 {
		return 0, 0, errTruncated
	}
	size, rest, err := msgp.ReadMapHeaderBytes(w.b)
	if err != nil {
		return 0, 0, errDamaged
	}
	if uint64(size)*2 > uint64(len(rest)) {
		return 0, 0, errTruncated
	}
	if int(size) > w.limits.elements {
		return 0, 0, errElements(w.limits.elements)
	}
	return int(size), len(w.b) - len(rest), nil
}

// entry reads the entry at i.
func (w *walker) entry(i int, keys *keySet) (Span, error) {
	if i >= len(w.b) {
		return Span{}, errTruncated
	}
	if c := w.b[i]; (c < 0xa0 || c >= 0xc0) && (c < 0xd9 || c > 0xdb) {
		return Span{}, errKey
	}
	key, rest, err := msgp.ReadStringZC(w.b[i:])
	if err != nil {
		return Span{}, errTruncated
	}
	i = len(w.b) - len(rest)
	if w.flask && !utf8.Valid(key) { // Python would not read it
		return Span{}, errUTF8
	}
	if !keys.add(key, i-len(key)) {
		return Span{}, errDuplicate
	}
	w.left = w.limits.elements
	end, err := w.value(i, 0)
	if err != nil {
		return Span{}, err
	}
	return Span{Key: uint32(i - len(key)), Raw: uint32(i), End: uint32(end)}, nil
}

// Join implements [Codec]. It checks the keys, their number and the size of
// the document, and trusts each Raw to be from Append. When it fails it
// returns dst unchanged in length.
func (c MessagePack) Join(dst []byte, entries []Entry) ([]byte, error) {
	l := c.limits()
	doc, err := joinMessagePack(dst, entries, l)
	if err == nil && len(doc)-len(dst) > l.size {
		err = errSize(l.size)
	}
	if err != nil {
		return dst, fmt.Errorf("codec: messagepack: join: %w", err)
	}
	return doc, nil
}

func joinMessagePack(dst []byte, entries []Entry, l limits) ([]byte, error) {
	if len(entries) > l.elements {
		return nil, errElements(l.elements)
	}
	const header = 5 // the longest of a map or string
	size := header
	for _, e := range entries {
		if len(e.Raw) == 0 {
			return nil, errTruncated
		}
		size += header + len(e.Key) + len(e.Raw)
		if size-header*(len(entries)+1) > l.size {
			return nil, errSize(l.size)
		}
	}
	start := len(dst)
	doc := slices.Grow(dst, size)
	doc = msgp.AppendMapHeader(doc, uint32(len(entries)))
	var keys keySet
	keys.init(nil, len(entries))
	for _, e := range entries {
		doc = msgp.AppendStringFromBytes(doc, e.Key)
		keys.base = doc[start:]
		if !keys.add(e.Key, len(keys.base)-len(e.Key)) {
			return nil, errDuplicate
		}
		doc = append(doc, e.Raw...)
	}
	return doc, nil
}
