package codec

import (
	"fmt"
	"slices"

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
		var key, raw []byte
		if key, raw, i, err = w.entry(i, &keys); err != nil {
			return fmt.Errorf(format, err)
		}
		if err := yield(Entry{Key: key, Raw: raw}); err != nil {
			return err
		}
	}
	if i != len(w.b) {
		return fmt.Errorf(format, errTrailing)
	}
	return nil
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

// entry reads the entry at i and returns where it ends.
func (w *walker) entry(i int, keys *keySet) (key, raw []byte, end int, err error) {
	if i >= len(w.b) {
		return nil, nil, 0, errTruncated
	}
	if c := w.b[i]; (c < 0xa0 || c >= 0xc0) && (c < 0xd9 || c > 0xdb) {
		return nil, nil, 0, errKey
	}
	key, rest, err := msgp.ReadStringZC(w.b[i:])
	if err != nil {
		return nil, nil, 0, errTruncated
	}
	i = len(w.b) - len(rest)
	if !keys.add(key, i-len(key)) {
		return nil, nil, 0, errDuplicate
	}
	w.left = w.limits.elements
	if end, err = w.value(i, 0); err != nil {
		return nil, nil, 0, err
	}
	return key[:len(key):len(key)], w.b[i:end:end], end, nil
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
