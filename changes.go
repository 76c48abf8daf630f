package sessions

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/go-session2/sessions/codec"
)

// changes are what one request has done to its session since it was last
// saved: operations by key, which can be made again on fresher data. For each
// key the last Set or Delete counts, with the Updates after it.
type changes struct {
	cleared bool // all earlier keys but the policy keys are gone
	list    []change
}

// A change is what a request has done to one key.
type change struct {
	key     string
	value   any      // the outcome as the request sees it; absent{} when deleted
	updates []update // when the outcome derives from the stored value: how
	raw     []byte   // the encoded outcome, once it was needed and if it is final
}

// absent as the value of a change means that the key is deleted.
type absent struct{}

// An update computes a key's new value from its current one. It may be called
// again, on fresher data.
type update func(current slot) (any, error)

func (c *changes) find(key string) *change {
	for i := range c.list {
		if c.list[i].key == key {
			return &c.list[i]
		}
	}
	return nil
}

func (c *changes) none() bool { return !c.cleared && len(c.list) == 0 }

// derived tells whether an outcome depends on what was stored before.
func (c *changes) derived() bool {
	return slices.ContainsFunc(c.list, func(ch change) bool { return ch.updates != nil })
}

// set records that a key has a value, or absent{}, whatever it was before.
func (c *changes) set(key string, value any) {
	if old := c.find(key); old != nil {
		*old = change{key: key, value: value}
		return
	}
	c.list = append(c.list, change{key: key, value: value})
}

// update records that a key's value was computed from the one before.
func (c *changes) update(key string, value any, up update) {
	old := c.find(key)
	switch {
	case old == nil && c.cleared && !policyKey(key):
		c.list = append(c.list, change{key: key, value: value})
	case old == nil:
		c.list = append(c.list, change{key: key, value: value, updates: []update{up}})
	case old.updates == nil: // computed from what this request itself has set
		*old = change{key: key, value: value}
	default:
		old.value = value
		old.updates = append(old.updates, up)
	}
}

// clear records that everything is gone but the policy keys.
func (c *changes) clear() {
	kept := c.list[:0]
	for _, ch := range c.list {
		if policyKey(ch.key) {
			kept = append(kept, ch)
		}
	}
	*c = changes{cleared: true, list: kept}
}

// append makes later changes follow these.
func (c *changes) append(later changes) {
	if later.cleared {
		c.clear()
	}
	for _, ch := range later.list {
		if len(ch.updates) == 0 {
			c.set(ch.key, ch.value)
			continue
		}
		for _, up := range ch.updates {
			c.update(ch.key, ch.value, up)
		}
	}
}

// apply makes the changes on a document and returns the outcome, and whether
// it differs. When replay is set the document is not the one on which the
// changes were first made, so updates are computed again.
func (c *changes) apply(base *document, cdc codec.Codec, replay bool) (*document, bool, error) {
	entries := make([]codec.Entry, 0, base.len()+len(c.list))
	differs := false
	if c.cleared {
		for i := range base.len() {
			if policyKey(string(base.key(i))) {
				entries = append(entries, base.at(i))
			}
		}
		differs = len(entries) != base.len()
	} else {
		entries = base.appendTo(entries)
	}

	deleted := false
	for i := range c.list {
		ch := &c.list[i]
		if replay && ch.updates != nil {
			if err := ch.replay(slot{codec: cdc, raw: base.raw(ch.key)}); err != nil {
				return nil, false, err
			}
		}
		raw, err := ch.encoded(cdc)
		if err != nil {
			return nil, false, err
		}
		at := -1
		if !c.cleared {
			at = base.find(ch.key)
		} else if policyKey(ch.key) {
			at = (&document{entries: entries}).find(ch.key)
		}
		switch {
		case at < 0 && raw == nil:
		case at < 0:
			entries = append(entries, codec.Entry{Key: []byte(ch.key), Raw: raw})
			differs = true
		case raw == nil:
			entries[at].Raw = nil
			deleted, differs = true, true
		case !bytes.Equal(entries[at].Raw, raw):
			entries[at].Raw = raw
			differs = true
		}
	}
	if deleted {
		kept := entries[:0]
		for _, e := range entries {
			if e.Raw != nil {
				kept = append(kept, e)
			}
		}
		entries = kept
	}
	return &document{entries: entries}, differs, nil
}

// replay computes the outcome again from a fresher value.
func (ch *change) replay(current slot) error {
	for _, up := range ch.updates {
		v, err := up(current)
		if err != nil {
			return err
		}
		current = slot{codec: current.codec, value: v, isValue: true}
	}
	ch.value, ch.raw = current.value, nil
	return nil
}

// encoded returns the encoded outcome, or nil when the key is deleted.
func (ch *change) encoded(cdc codec.Codec) ([]byte, error) {
	if _, ok := ch.value.(absent); ok {
		return nil, nil
	}
	if ch.raw == nil {
		raw, err := cdc.Append(nil, ch.value)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrValue, err)
		}
		if len(raw) == 0 {
			return nil, errors.New("codec returned an empty encoding")
		}
		ch.raw = raw
	}
	return ch.raw, nil
}
