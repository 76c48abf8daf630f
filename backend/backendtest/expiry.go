package backendtest

import (
	"errors"
	"time"

	"github.com/go-session2/sessions/backend"
)

// The rules that wait for records to expire. All of them prepare their
// records, wait once, and then look.
func expiryRules() []rule {
	return []rule{
		{name: "expiry/not-early",
			text: "A record lives for its whole time to live: a store may round it up, never down.",
			run:  expiryNotEarly},
		{name: "expiry/load",
			text:    "A record past its expiry does not exist for Load, whatever the store's own removal does.",
			prepare: expiryLoad},
		{name: "expiry/update",
			text:    "A record past its expiry does not exist for Update: it returns ErrNotFound and brings nothing back, not even the same bytes.",
			prepare: expiryUpdate},
		{name: "expiry/touch",
			text:    "A record past its expiry does not exist for Touch: it returns ErrNotFound and brings nothing back.",
			prepare: expiryTouch},
		{name: "expiry/delete",
			text:    "A record past its expiry does not exist for Delete: with a base it returns ErrNotFound, without one it is no error.",
			prepare: expiryDelete},
		{name: "expiry/create",
			text:    "Create works on a key whose record has expired, also with the bytes of the expired record, and the new record lives for its own time.",
			prepare: expiryCreate},
		{name: "expiry/long",
			text:    "A time to live of 31 days, 60 days, 400 days or ten years is honoured by Create, Update and Touch.",
			prepare: expiryLong},
		{name: "update/extends",
			text:    "Update sets the time to live to a longer one.",
			prepare: updateExtends},
		{name: "update/shortens",
			text:    "Update sets the time to live to a shorter one.",
			prepare: updateShortens},
		{name: "touch/extends",
			text:    "Touch makes the record live for the time to live that it is given, counted from now.",
			prepare: touchExtends},
		{name: "touch/keeps",
			text:    "Touch never shortens: a record that already lives longer keeps its expiry.",
			needs:   touchCompares,
			prepare: touchKeeps},
	}
}

// expiryNotEarly watches a record for as long as it must be there.
func expiryNotEarly(c *check) {
	start := time.Now()
	key, _ := c.create(newData(100), shortTTL)
	if c.Advance != nil {
		c.wait(shortTTL - 100*time.Millisecond)
		start = start.Add(100*time.Millisecond - shortTTL)
	}
	for {
		_, err := c.b.Load(c.ctx, key)
		lived := time.Since(start)
		if lived >= shortTTL {
			return
		}
		if err != nil {
			c.broken("after %v of %v: %v", lived.Round(time.Millisecond), shortTTL, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func expiryLoad(c *check) func(*check) {
	var keys []string
	for _, ttl := range []time.Duration{time.Second, shortTTL} {
		key, _ := c.create(newData(100), ttl)
		keys = append(keys, key)
	}
	return func(c *check) {
		for _, key := range keys {
			c.missing(key)
		}
	}
}

func expiryUpdate(c *check) func(*check) {
	data := newData(100)
	key, rev := c.create(data, shortTTL)
	return func(c *check) {
		for _, d := range [][]byte{newData(100), data} {
			_, err := c.b.Update(c.ctx, key, d, longTTL, rev)
			c.wants("Update", err, backend.ErrNotFound)
			c.missing(key)
		}
	}
}

func expiryTouch(c *check) func(*check) {
	key, _ := c.create(newData(100), shortTTL)
	return func(c *check) {
		c.wants("Touch", c.b.Touch(c.ctx, key, longTTL), backend.ErrNotFound)
		c.missing(key)
	}
}

func expiryDelete(c *check) func(*check) {
	key, rev := c.create(newData(100), shortTTL)
	return func(c *check) {
		c.wants("Delete", c.b.Delete(c.ctx, key, rev), backend.ErrNotFound)
		c.delete(key, nil)
		c.missing(key)
	}
}

func expiryCreate(c *check) func(*check) {
	data := newData(100)
	keys := make([]string, 2)
	for i := range keys {
		keys[i], _ = c.create(data, shortTTL)
	}
	return func(c *check) {
		for i, d := range [][]byte{data, newData(100)} {
			rev := c.createAs(keys[i], d, longTTL)
			c.holds(keys[i], d)
			c.update(keys[i], newData(100), longTTL, rev)
		}
	}
}

func expiryLong(c *check) func(*check) {
	const day = 24 * time.Hour
	kept := make(map[string][]byte)
	keep := func(key string, data []byte, start time.Time, ttl time.Duration) {
		c.holds(key, data)
		c.expires(key, start, ttl)
		kept[key] = data
	}
	for _, ttl := range []time.Duration{30 * day, 31 * day, 60 * day, 400 * day, backend.MaxTTL} {
		start, data := c.now(), newData(100)
		key, _ := c.create(data, ttl)
		keep(key, data, start, ttl)

		data = newData(100)
		key, rev := c.create(newData(100), longTTL)
		start = c.now()
		c.update(key, data, ttl, rev)
		keep(key, data, start, ttl)

		data = newData(100)
		key, _ = c.create(data, longTTL)
		start = c.now()
		c.touch(key, ttl)
		keep(key, data, start, ttl)
	}
	return func(c *check) {
		for key, data := range kept {
			c.holds(key, data)
		}
	}
}

func updateExtends(c *check) func(*check) {
	var key string
	data := newData(100)
	c.alive(func(ttl time.Duration) bool {
		var rev backend.Revision
		key, rev = c.create(newData(100), ttl)
		_, err := c.b.Update(c.ctx, key, data, longTTL, rev)
		return c.alright("Update", err)
	})
	return func(c *check) { c.holds(key, data) }
}

func updateShortens(c *check) func(*check) {
	key, rev := c.create(newData(100), longTTL)
	c.update(key, newData(100), shortTTL, rev)
	return func(c *check) { c.missing(key) }
}

func touchExtends(c *check) func(*check) {
	var key string
	data := newData(100)
	c.alive(func(ttl time.Duration) bool {
		key, _ = c.create(data, ttl)
		return c.alright("Touch", c.b.Touch(c.ctx, key, longTTL))
	})
	return func(c *check) { c.holds(key, data) }
}

// alright reports whether an operation on a record that may have expired
// succeeded.
func (c *check) alright(op string, err error) bool {
	c.t.Helper()
	if errors.Is(err, backend.ErrNotFound) {
		return false
	}
	c.must(op, err)
	return true
}

func touchCompares(s *suite) string {
	if s.Flask && s.TouchShortens {
		return "Harness.TouchShortens"
	}
	return ""
}

func touchKeeps(c *check) func(*check) {
	data := newData(100)
	start := c.now()
	key, _ := c.create(data, longTTL)
	c.touch(key, time.Second)
	c.expires(key, start, longTTL)
	return func(c *check) {
		c.holds(key, data)
		c.expires(key, start, longTTL)
	}
}
