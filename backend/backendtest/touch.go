package backendtest

import (
	"errors"

	"github.com/go-session2/sessions/backend"
)

func touchRules() []rule {
	return []rule{
		{name: "touch/missing",
			text: "Touch never creates: on a key that was never created it returns ErrNotFound and leaves the key missing.",
			run:  touchMissing},
		{name: "touch/data",
			text: "Touch changes no data.",
			run:  touchData},
		{name: "touch/revision",
			text: "Touch keeps the revision: an Update or Delete on a revision from before it still succeeds (or, where Harness.TouchMovesRevision says so, is a conflict that loading again resolves).",
			run:  touchRevision},
	}
}

func touchMissing(c *check) {
	key := newKey()
	c.wants("Touch", c.b.Touch(c.ctx, key, longTTL), backend.ErrNotFound)
	c.missing(key)
}

func touchData(c *check) {
	for _, data := range [][]byte{newData(100), newData(20_000)} {
		key, _ := c.create(data, longTTL)
		c.touch(key, 2*longTTL)
		c.touch(key, longTTL)
		c.holds(key, data)
	}
}

func touchRevision(c *check) {
	key, rev := c.create(newData(100), longTTL)
	c.touch(key, 2*longTTL)
	data := newData(100)
	_, err := c.b.Update(c.ctx, key, data, 2*longTTL, rev)
	if c.TouchMovesRevision && errors.Is(err, backend.ErrConflict) {
		rec, err := c.b.Load(c.ctx, key)
		c.must("Load", err)
		c.update(key, data, 2*longTTL, rec.Revision)
	} else {
		c.must("Update", err)
	}

	rev = c.holds(key, data).Revision
	c.touch(key, 3*longTTL)
	err = c.b.Delete(c.ctx, key, rev)
	if c.TouchMovesRevision && errors.Is(err, backend.ErrConflict) {
		err = c.b.Delete(c.ctx, key, c.holds(key, data).Revision)
	}
	c.must("Delete", err)
	c.missing(key)
}
