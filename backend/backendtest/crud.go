package backendtest

import (
	"bytes"
	"time"

	"github.com/go-session2/sessions/backend"
)

func crudRules() []rule {
	return []rule{
		{name: "load/missing",
			text: "Load of a key that was never created returns ErrNotFound.",
			run:  func(c *check) { c.missing(newKey()) }},
		{name: "create/stores",
			text: "What Create stored, Load returns, byte for byte, whatever bytes they are and however many.",
			run:  createStores},
		{name: "update/stores",
			text: "What Update stored, Load returns, byte for byte, also when it is shorter or longer than before.",
			run:  updateStores},
		{name: "create/exists",
			text: "Create never overwrites: on a key that is in use it returns ErrExists and changes nothing.",
			run:  createExists},
		{name: "create/again", needs: hasWriteTokens,
			text: "Create with exactly the bytes that are stored is a success, as the reply of the first attempt was lost, and its revision is good for Update.",
			run:  createAgain},
		{name: "create/equal", needs: noWriteTokens,
			text: "Create with exactly the bytes that are stored is ErrExists: data without a write token does not tell whose write it was.",
			run:  createEqual},
		{name: "update/missing",
			text: "Update never creates: on a key that was never created it returns ErrNotFound and leaves the key missing.",
			run:  updateMissing},
		{name: "load/stable",
			text: "Data that Load returned does not change when the record does.",
			run:  loadStable},
		{name: "load/expires",
			text: "Record.Expires, unless it is zero, is when the record expires: a time to live after the last write.",
			run:  loadExpires},
	}
}

func hasWriteTokens(s *suite) string {
	if s.Flask {
		return "Harness.Flask"
	}
	return ""
}

func noWriteTokens(s *suite) string {
	if !s.Flask {
		return "no Harness.Flask"
	}
	return ""
}

func createEqual(c *check) {
	data := newData(100)
	key, _ := c.create(data, longTTL)
	_, err := c.second.Create(c.ctx, key, bytes.Clone(data), longTTL)
	c.wants("Create", err, backend.ErrExists)
	c.holds(key, data)
}

// payloads returns data that a text column, a C string, a JSON document or a
// small page would spoil.
func payloads(h Harness) [][]byte {
	maxSize := h.MaxSize
	if h.JSON {
		return objects(maxSize)
	}
	var all [256]byte
	for i := range all {
		all[i] = byte(i)
	}
	list := [][]byte{
		{},
		{0},
		[]byte("x"),
		[]byte("a\x00b\x00"),
		[]byte(" leading and trailing space \r\n\t "),
		[]byte("\xff\xfe not UTF-8 \xc3\x28"),
		[]byte(`{"json": "\u0000", 'sql': "%s"} \`),
		all[:],
		bytes.Repeat(all[:], minMaxSize/len(all)),
	}
	if maxSize == 0 || maxSize >= 256<<10 {
		list = append(list, bytes.Repeat(all[:], 256<<10/len(all)))
	}
	return list
}

// objects returns JSON objects that a store would spoil which does not keep
// the text.
func objects(maxSize int) [][]byte {
	list := [][]byte{
		[]byte(`{}`),
		[]byte(`{"z": 1, "a" :2,  "": "\u0000\u00e9\\/"}`),
		[]byte(`{"1": 1.0, "2": 1e2, "3": -0, "4": 12345678901234567890123, "5": 0.1000000000000000055511}`),
		[]byte(`{"html": "<&>\u2028", "text": "\u65e5本 😀\ud83d\ude00"}`),
		[]byte(`{"a": {"a": {"a": [[], {}, null, true, "2026-01-01", [1, "x", {}]]}}, "a.b": {"a.b": []}}`),
		newData(minMaxSize),
	}
	if maxSize == 0 || maxSize >= 256<<10 {
		list = append(list, newData(256<<10))
	}
	return list
}

func createStores(c *check) {
	for _, data := range payloads(c.Harness) {
		key, _ := c.create(data, longTTL)
		c.holds(key, data)
	}
}

func updateStores(c *check) {
	key, rev := c.create(newData(1000), longTTL)
	for _, data := range payloads(c.Harness) {
		rev = c.update(key, data, longTTL, rev)
		c.holds(key, data)
		short := newData(26)
		rev = c.update(key, short, longTTL, rev)
		c.holds(key, short)
	}
}

func createExists(c *check) {
	data := newData(100)
	key, rev := c.create(data, longTTL)
	others := [][]byte{newData(100), newData(50)}
	if !c.JSON {
		others = append(others, data[:99], []byte{})
	}
	for _, other := range others {
		_, err := c.second.Create(c.ctx, key, other, longTTL)
		c.wants("the second Create", err, backend.ErrExists)
		c.holds(key, data)
	}
	c.update(key, newData(100), longTTL, rev)
}

func createAgain(c *check) {
	data := newData(100)
	key, _ := c.create(data, longTTL)
	rev, err := c.second.Create(c.ctx, key, bytes.Clone(data), longTTL)
	c.must("the same Create again", err)
	c.holds(key, data)

	next := newData(100)
	c.update(key, next, longTTL, rev)
	_, err = c.b.Create(c.ctx, key, data, longTTL)
	c.wants("the same Create after an Update", err, backend.ErrExists)
	c.holds(key, next)
}

func updateMissing(c *check) {
	key, data := newKey(), newData(100)
	_, rev := c.create(data, longTTL)
	for _, base := range []backend.Revision{rev, nil} {
		_, err := c.b.Update(c.ctx, key, data, longTTL, base)
		c.wants("Update", err, backend.ErrNotFound)
		c.missing(key)
	}
}

func loadStable(c *check) {
	data := newData(100)
	key, _ := c.create(data, longTTL)
	rec := c.holds(key, data)
	next := newData(100)
	c.update(key, next, longTTL, rec.Revision)
	c.holds(key, next) // reads again, as a buffer used twice would show
	if !bytes.Equal(rec.Data, data) {
		c.broken("data that was loaded before an Update is %s after it, was %s", brief(rec.Data), brief(data))
	}
}

func loadExpires(c *check) {
	start := c.now()
	key, rev := c.create(newData(100), longTTL)
	c.expires(key, start, longTTL)
	start = c.now()
	c.update(key, newData(100), 2*longTTL, rev)
	c.expires(key, start, 2*longTTL)
	start = c.now()
	c.touch(key, 3*longTTL)
	c.expires(key, start, 3*longTTL)
}

// expires checks when the record under key says that it expires: a time to
// live after a write that began at start and is done. It allows for rounding
// up to the resolution twice (on writing and on reading) and for a second
// between the clocks of the store and of this process.
func (c *check) expires(key string, start time.Time, ttl time.Duration) {
	c.t.Helper()
	end := c.now()
	rec, err := c.b.Load(c.ctx, key)
	c.must("Load", err)
	if rec.Expires.IsZero() {
		return
	}
	slack := 2*c.Resolution + time.Second
	if rec.Expires.Before(start.Add(ttl - slack)) {
		c.broken("Expires is %v too early, at a time to live of %v", start.Add(ttl).Sub(rec.Expires), ttl)
	}
	if rec.Expires.After(end.Add(ttl + slack)) {
		c.broken("Expires is %v too late, at a time to live of %v", rec.Expires.Sub(end.Add(ttl)), ttl)
	}
}
