package sessions

import (
	"fmt"
	"sync"

	"github.com/go-session2/sessions/codec"
)

// The reserved keys. Their names and meaning are Flask's, but for the
// lifetime, which Flask does not have.
const (
	keyPermanent = "_permanent" // bool
	keyLifetime  = "_lifetime"  // int, seconds
	keyFlashes   = "_flashes"   // list of [category, message]
)

// policyKey tells whether a key says how the session is kept. Such keys alone
// do not make a session worth storing, and Clear leaves them.
func policyKey(key string) bool { return key == keyPermanent || key == keyLifetime }

// hiddenKey tells whether Keys, All and Len pass over a key.
func hiddenKey(key string) bool { return policyKey(key) || key == keyFlashes }

// A document is the content of a stored session, its values still encoded. It
// never changes, so that one goroutine may read it while another saves.
type document struct {
	entries []codec.Entry // or, in their place,
	data    []byte        // what the codec wrote, and
	spans   []codec.Span  // where its entries are

	once  sync.Once
	index map[string]int
}

// indexFrom is the number of entries from which a map is made to find one.
const indexFrom = 32

// parseDocument takes the codec's bytes behind a record's header apart. The
// document refers to them.
func (m *Manager) parseDocument(key string, header, data []byte) (*document, error) {
	if c, ok := m.cfg.Codec.(codec.MessagePack); ok { // and no codec with one in it
		var d struct {
			document
			few [16]codec.Span // so that a small one is one allocation
		}
		var err error
		if d.spans, err = c.Index(data, d.few[:0]); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		d.data = data
		return &d.document, nil
	}
	d := &document{}
	if err := m.split(key, header, data, func(e codec.Entry) error {
		d.entries = append(d.entries, e)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return d, nil
}

// len returns the number of entries.
func (d *document) len() int { return len(d.entries) + len(d.spans) }

// at returns an entry.
func (d *document) at(i int) codec.Entry {
	if d.spans == nil {
		return d.entries[i]
	}
	return d.spans[i].Of(d.data)
}

// key returns the key of an entry.
func (d *document) key(i int) []byte {
	if d.spans == nil {
		return d.entries[i].Key
	}
	return d.data[d.spans[i].Key:d.spans[i].Raw]
}

// appendTo appends the entries.
func (d *document) appendTo(entries []codec.Entry) []codec.Entry {
	for i := range d.spans {
		entries = append(entries, d.spans[i].Of(d.data))
	}
	return append(entries, d.entries...)
}

// find returns the position of a key, or -1.
func (d *document) find(key string) int {
	n := d.len()
	if n < indexFrom {
		for i := range n {
			if string(d.key(i)) == key {
				return i
			}
		}
		return -1
	}
	d.once.Do(func() {
		d.index = make(map[string]int, n)
		for i := range n {
			d.index[string(d.key(i))] = i
		}
	})
	if i, ok := d.index[key]; ok {
		return i
	}
	return -1
}

// raw returns a key's encoded value, or nil: an encoding has at least a byte.
func (d *document) raw(key string) []byte {
	if i := d.find(key); i >= 0 {
		return d.at(i).Raw
	}
	return nil
}

// empty tells whether there is nothing that is worth storing.
func (d *document) empty() bool {
	for i := range d.len() {
		if !policyKey(string(d.key(i))) {
			return false
		}
	}
	return true
}
