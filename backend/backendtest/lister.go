package backendtest

import (
	"slices"
	"strings"

	"github.com/go-session2/sessions/backend"
)

func listerRules() []rule {
	needs := func(s *suite) string {
		if _, ok := s.main.(backend.Lister); !ok {
			return "no backend.Lister"
		}
		return ""
	}
	return []rule{
		{name: "list/all", needs: needs,
			text: "List shows every record whose key begins with the prefix, in pages of at most limit keys, until the cursor is empty.",
			run:  listAll},
		{name: "list/prefix", needs: needs,
			text: "List shows only keys that begin with the prefix, byte for byte: a prefix is no pattern.",
			run:  listPrefix},
		{name: "list/deleted", needs: needs,
			text: "List shows no record that was deleted before.",
			run:  listDeleted},
		{name: "list/changing", needs: needs,
			text: "A record that exists during the whole enumeration is listed, though others come and go meanwhile.",
			run:  listChanging},
	}
}

// list returns how often each key that begins with prefix was listed. It
// calls between after each page but the last, with what was listed so far.
func (c *check) list(prefix string, limit int, between func(seen map[string]int)) map[string]int {
	c.t.Helper()
	seen := make(map[string]int)
	for cursor := ""; c.ctx.Err() == nil; {
		keys, next, err := c.main.(backend.Lister).List(c.ctx, prefix, cursor, limit)
		c.must("List", err)
		if len(keys) > limit {
			c.broken("List with the limit %d returned %d keys", limit, len(keys))
		}
		for _, key := range keys {
			seen[key]++
		}
		if next == "" {
			return seen
		}
		if next == cursor && len(keys) > 0 {
			c.broken("List returned keys and the cursor that it was given")
		}
		cursor = next
		between(seen)
	}
	c.broken("List found no end after %d keys", len(seen))
	return nil
}

func nothing(map[string]int) {}

// shelve creates n records whose keys begin with prefix.
func (c *check) shelve(prefix string, n int) (keys []string) {
	c.t.Helper()
	for range n {
		key := prefix + newKey()
		c.createAs(key, newData(50), longTTL)
		keys = append(keys, key)
	}
	return keys
}

// lists checks that all keys were seen.
func (c *check) lists(seen map[string]int, keys []string) {
	c.t.Helper()
	var lost int
	for _, key := range keys {
		if seen[key] == 0 {
			lost++
		}
	}
	if lost > 0 {
		c.broken("%d of %d keys were not listed", lost, len(keys))
	}
}

func listAll(c *check) {
	prefix := newKey() + ":"
	keys := c.shelve(prefix, 21)
	for _, limit := range []int{1, 7, 20, 21, 1000} {
		c.lists(c.list(prefix, limit, nothing), keys)
	}
	c.lists(c.list("", 1000, nothing), keys)
	c.lists(c.list(keys[0], 10, nothing), keys[:1])
	if seen := c.list(newKey(), 10, nothing); len(seen) != 0 {
		c.broken("%d keys were listed under a prefix that none has", len(seen))
	}
}

func listPrefix(c *check) {
	prefix := "bt_Aa.:" + newKey() + "_.-"
	keys := c.shelve(prefix, 5)
	for _, decoy := range []string{
		strings.ReplaceAll(prefix, "_", "x"), // any sign in SQL's LIKE
		strings.ReplaceAll(prefix, ".", "x"), // any sign in a regular expression
		strings.ToLower(prefix),
		strings.ToUpper(prefix),
		"x" + prefix,
		prefix[:len(prefix)-1],
	} {
		c.shelve(decoy, 2)
	}
	seen := c.list(prefix, 3, nothing)
	c.lists(seen, keys)
	for key := range seen {
		if !strings.HasPrefix(key, prefix) {
			c.broken("List of %q returned %q", prefix, key)
		}
	}
}

func listDeleted(c *check) {
	prefix := newKey() + ":"
	keys := c.shelve(prefix, 10)
	for _, key := range keys[:5] {
		c.delete(key, nil)
	}
	seen := c.list(prefix, 4, nothing)
	c.lists(seen, keys[5:])
	for _, key := range keys[:5] {
		if seen[key] > 0 {
			c.broken("a deleted key was listed")
		}
	}
}

func listChanging(c *check) {
	prefix := newKey() + ":"
	keys := c.shelve(prefix, 30)
	guests := c.shelve(prefix, 30)
	added := 0
	seen := c.list(prefix, 5, func(seen map[string]int) {
		// Those that go were listed, so that all that follow move up.
		guests = slices.DeleteFunc(guests, func(key string) bool {
			if seen[key] > 0 {
				c.delete(key, nil)
			}
			return seen[key] > 0
		})
		if added < 10 {
			c.shelve(prefix, 1)
			added++
		}
	})
	c.lists(seen, keys)
}
