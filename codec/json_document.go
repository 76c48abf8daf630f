package codec

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// Split implements [Codec]. A document is a JSON object. A key with an escape
// sequence is yielded as a fresh slice; all other slices are parts of doc.
func (c JSON) Split(doc []byte, yield func(Entry) error) error {
	s, err := c.open(doc)
	if err != nil {
		return fmt.Errorf("codec: json: split: %w", err)
	}
	return s.split("codec: json: split: %w", yield)
}

// split is Split; format is for its errors.
func (s *jsonScanner) split(format string, yield func(Entry) error) error {
	if s.space() != '{' {
		return fmt.Errorf(format, errDamaged)
	}
	var keys textKeys
	n := 0
	for s.next() {
		if n++; n > s.limits.elements {
			return fmt.Errorf(format, errElements(s.limits.elements))
		}
		key, err := s.key(&keys)
		if err != nil {
			return fmt.Errorf(format, err)
		}
		s.space()
		start := s.i
		s.left = s.limits.elements
		if err := s.skip(0); err != nil {
			return fmt.Errorf(format, err)
		}
		if err := yield(Entry{Key: key, Raw: s.b[start:s.i:s.i]}); err != nil {
			return err
		}
	}
	return nil
}

// Join implements [Codec]. It checks the keys, their number and the size of
// the document, and trusts each Raw to be from Append. When it fails it
// returns dst unchanged in length.
func (c JSON) Join(dst []byte, entries []Entry) ([]byte, error) {
	l := c.limits()
	doc, err := joinJSON(dst, entries, l)
	if err == nil && len(doc)-len(dst) > l.size {
		err = errSize(l.size)
	}
	if err != nil {
		return dst, fmt.Errorf("codec: json: join: %w", err)
	}
	return doc, nil
}

func joinJSON(dst []byte, entries []Entry, l limits) ([]byte, error) {
	if len(entries) > l.elements {
		return nil, errElements(l.elements)
	}
	size := 2
	for _, e := range entries {
		if len(e.Raw) == 0 {
			return nil, errTruncated
		}
		size += len(`"":,`) + len(e.Key) + len(e.Raw)
		if size > l.size+1 { // the last comma is not written
			return nil, errSize(l.size)
		}
	}
	doc := append(slices.Grow(dst, size), '{')
	var keys textKeys
	for i, e := range entries {
		if !utf8.Valid(e.Key) {
			return nil, errUTF8
		}
		if !keys.add(e.Key) {
			return nil, errDuplicate
		}
		if i > 0 {
			doc = append(doc, ',')
		}
		doc = appendJSONText(doc, string(e.Key))
		doc = append(doc, ':')
		doc = append(doc, e.Raw...)
	}
	return append(doc, '}'), nil
}
