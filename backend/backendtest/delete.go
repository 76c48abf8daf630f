package backendtest

import "github.com/go-session2/sessions/backend"

func deleteRules() []rule {
	return []rule{
		{name: "delete/any",
			text: "Delete without a base removes whatever is there, and an absent record is no error.",
			run:  deleteAny},
		{name: "delete/base",
			text: "Delete with the record's revision removes it, whether Create, Update or Load returned it.",
			run:  deleteBase},
		{name: "delete/stale",
			text: "Delete with a revision from before somebody else's Update returns ErrConflict and removes nothing.",
			run:  deleteStale},
		{name: "delete/gone",
			text: "Delete with a base returns ErrNotFound when there is no record.",
			run:  deleteGone},
		{name: "update/deleted",
			text: "A deleted record stays dead: Update and Touch return ErrNotFound and leave the key missing.",
			run:  updateDeleted},
		{name: "create/deleted",
			text: "Create works on a key whose record was deleted.",
			run:  createDeleted},
	}
}

func deleteAny(c *check) {
	key, rev := c.create(newData(100), longTTL)
	c.update(key, newData(100), longTTL, rev)
	for range 2 {
		c.delete(key, nil)
		c.missing(key)
	}
	c.delete(newKey(), nil)
}

func deleteBase(c *check) {
	key, rev := c.create(newData(100), longTTL)
	c.delete(key, rev)
	c.missing(key)

	key, rev = c.create(newData(100), longTTL)
	rev = c.update(key, newData(100), longTTL, rev)
	c.delete(key, rev)
	c.missing(key)

	data := newData(100)
	key, _ = c.create(data, longTTL)
	rec := c.holds(key, data)
	c.must("Delete with the revision of Load", c.second.Delete(c.ctx, key, rec.Revision))
	c.missing(key)
}

func deleteStale(c *check) {
	key, base := c.create(newData(100), longTTL)
	data := newData(100)
	_, err := c.second.Update(c.ctx, key, data, longTTL, base)
	c.must("Update", err)
	c.wants("Delete", c.b.Delete(c.ctx, key, base), backend.ErrConflict)
	c.holds(key, data)
}

func deleteGone(c *check) {
	key, rev := c.create(newData(100), longTTL)
	c.delete(key, nil)
	c.wants("Delete", c.b.Delete(c.ctx, key, rev), backend.ErrNotFound)
	c.wants("Delete of a key never used", c.b.Delete(c.ctx, newKey(), rev), backend.ErrNotFound)
}

func updateDeleted(c *check) {
	data := newData(100)
	key, rev := c.create(data, longTTL)
	_, err := c.b.Load(c.ctx, key)
	c.must("Load", err)
	c.must("Delete", c.second.Delete(c.ctx, key, nil))
	for _, d := range [][]byte{newData(100), data} {
		_, err := c.b.Update(c.ctx, key, d, longTTL, rev)
		c.wants("Update", err, backend.ErrNotFound)
		c.missing(key)
	}
	c.wants("Touch", c.b.Touch(c.ctx, key, longTTL), backend.ErrNotFound)
	c.missing(key)
}

func createDeleted(c *check) {
	for _, conditional := range []bool{false, true} {
		key, rev := c.create(newData(100), longTTL)
		if !conditional {
			rev = nil
		}
		c.delete(key, rev)
		data := newData(100)
		c.createAs(key, data, longTTL)
		c.holds(key, data)
	}
}
