package backendtest

import (
	"strings"

	"github.com/go-session2/sessions/backend"
)

func sizeRules() []rule {
	needs := func(s *suite) string {
		if s.MaxSize == 0 {
			return "no Harness.MaxSize"
		}
		return ""
	}
	return []rule{
		{name: "size/limit", needs: needs,
			text: "Data of exactly the limit is stored, by Create and by Update.",
			run:  sizeLimit},
		{name: "size/create", needs: needs,
			text: "Create of more than the store can hold returns ErrTooLarge with the limit in its text, and stores nothing.",
			run:  sizeCreate},
		{name: "size/update", needs: needs,
			text: "Update to more than the store can hold returns ErrTooLarge with the limit in its text, and leaves the record as it was.",
			run:  sizeUpdate},
	}
}

func sizeLimit(c *check) {
	data := newData(c.MaxSize)
	key, rev := c.create(data, longTTL)
	c.holds(key, data)
	data = newData(c.MaxSize)
	c.update(key, data, longTTL, rev)
	c.holds(key, data)
}

func sizeCreate(c *check) {
	for _, n := range []int{c.MaxSize + 1, 2*c.MaxSize + 1} {
		key := newKey()
		_, err := c.b.Create(c.ctx, key, newData(n), longTTL)
		c.tooLarge("Create", err)
		c.missing(key)
	}
}

func sizeUpdate(c *check) {
	data := newData(100)
	key, rev := c.create(data, longTTL)
	for _, n := range []int{c.MaxSize + 1, 2*c.MaxSize + 1} {
		_, err := c.b.Update(c.ctx, key, newData(n), longTTL, rev)
		c.tooLarge("Update", err)
		c.holds(key, data)
	}
	c.update(key, newData(100), longTTL, rev)
}

func (c *check) tooLarge(op string, err error) {
	c.t.Helper()
	c.wants(op, err, backend.ErrTooLarge)
	if !strings.ContainsAny(err.Error(), "0123456789") {
		c.broken("the error of %s names no limit: %q", op, err)
	}
}
