package backendtest

import (
	"bytes"

	"github.com/go-session2/sessions/backend"
)

func casRules() []rule {
	return []rule{
		{name: "update/bases",
			text: "The revisions that Create, Load and Update return are all good as the base of an Update.",
			run:  updateBases},
		{name: "update/stale",
			text: "Update on a revision from before somebody else's Update returns ErrConflict and changes nothing.",
			run:  updateStale},
		{name: "update/same-length",
			text: "A change is noticed whatever the data: also when it is as long as before and differs in one bit.",
			run:  updateSameLength},
		{name: "update/again", needs: hasWriteTokens,
			text: "Update with exactly the bytes that are stored is a success, as the reply of the first attempt was lost, and its revision is good for the next Update; but once others have written, it is ErrConflict.",
			run:  updateAgain},
		{name: "update/equal", needs: noWriteTokens,
			text: "Update with exactly the bytes that somebody else has stored meanwhile is ErrConflict: data without a write token does not tell whose write it was.",
			run:  updateEqual},
		{name: "update/zero-base",
			text: "The zero revision identifies no state: an Update based on it changes nothing.",
			run:  updateZeroBase},
		{name: "update/recreated",
			text: "A revision of a deleted record is none of the record that is created later under the same key.",
			run:  updateRecreated},
	}
}

func foreignRules() []rule {
	needs := func(s *suite) string {
		if s.Overwrite == nil {
			return "no Harness.Overwrite"
		}
		return ""
	}
	return []rule{
		{name: "foreign/update", needs: needs,
			text: "Update notices that a program that knows nothing of revisions has overwritten the record: it returns ErrConflict and changes nothing.",
			run:  foreignUpdate},
		{name: "foreign/delete", needs: needs,
			text: "Delete with a base notices that a program that knows nothing of revisions has overwritten the record: it returns ErrConflict and changes nothing.",
			run:  foreignDelete},
	}
}

func updateBases(c *check) {
	key, rev := c.create(newData(100), longTTL)
	rev = c.update(key, newData(100), longTTL, rev)
	next := newData(100)
	c.update(key, next, longTTL, rev)
	rec := c.holds(key, next)
	last := newData(100)
	_, err := c.second.Update(c.ctx, key, last, longTTL, rec.Revision)
	c.must("Update on the revision of Load", err)
	c.holds(key, last)
}

func updateStale(c *check) {
	key, base := c.create(newData(100), longTTL)
	data := newData(120)
	_, err := c.second.Update(c.ctx, key, data, longTTL, base)
	c.must("Update", err)
	c.conflicts(key, base, data)
}

// conflicts checks that base is not the revision of the record under key,
// which holds data.
func (c *check) conflicts(key string, base backend.Revision, data []byte) {
	c.t.Helper()
	_, err := c.b.Update(c.ctx, key, newData(len(data)+1), longTTL, base)
	c.wants("Update on a revision of an earlier state", err, backend.ErrConflict)
	c.holds(key, data)
}

func updateSameLength(c *check) {
	for _, n := range []int{26, 1000, 20_000} {
		data := newData(n)
		key, base := c.create(data, longTTL)
		other := bytes.Clone(data)
		other[n/2] ^= 1
		c.update(key, other, longTTL, base)
		c.conflicts(key, base, other)
	}
}

func updateAgain(c *check) {
	key, base := c.create(newData(100), longTTL)
	data := newData(100)
	c.update(key, data, longTTL, base)
	rev, err := c.second.Update(c.ctx, key, bytes.Clone(data), longTTL, base)
	c.must("the same Update again", err)
	c.holds(key, data)

	next := newData(100)
	c.update(key, next, longTTL, rev)
	_, err = c.b.Update(c.ctx, key, data, longTTL, base)
	c.wants("the same Update after another", err, backend.ErrConflict)
	c.holds(key, next)
}

func updateEqual(c *check) {
	key, base := c.create(newData(100), longTTL)
	data := newData(100)
	c.update(key, data, longTTL, base)
	_, err := c.second.Update(c.ctx, key, bytes.Clone(data), longTTL, base)
	c.wants("Update with the bytes that are stored, on an earlier revision", err, backend.ErrConflict)
	c.holds(key, data)
}

func updateZeroBase(c *check) {
	data := newData(100)
	key, _ := c.create(data, longTTL)
	if _, err := c.b.Update(c.ctx, key, newData(100), longTTL, nil); err == nil {
		c.broken("Update succeeded")
	}
	c.holds(key, data)
}

func updateRecreated(c *check) {
	key, base := c.create(newData(100), longTTL)
	c.delete(key, nil)
	data := newData(100)
	c.createAs(key, data, longTTL)
	c.conflicts(key, base, data)
}

func foreignUpdate(c *check) {
	for _, n := range []int{100, 50} {
		key, base := c.create(newData(100), longTTL)
		data := newData(n)
		c.Overwrite(c.t, key, data)
		c.conflicts(key, base, data)

		next := newData(100)
		c.update(key, next, longTTL, c.holds(key, data).Revision)
		c.holds(key, next)
	}
}

func foreignDelete(c *check) {
	key, base := c.create(newData(100), longTTL)
	data := newData(100)
	c.Overwrite(c.t, key, data)
	c.wants("Delete", c.b.Delete(c.ctx, key, base), backend.ErrConflict)
	c.delete(key, c.holds(key, data).Revision)
	c.missing(key)
}
