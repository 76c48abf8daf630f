package backendtest

import (
	"crypto/rand"
	"strings"
)

func keyRules() []rule {
	return []rule{
		{name: "keys/distinct",
			text: "Keys are compared byte for byte: keys that differ in case, in one sign, or in that one goes on, are different records.",
			run:  keysDistinct},
		{name: "keys/delete-one",
			text: "Delete removes the record under this very key and no other.",
			run:  keysDeleteOne},
	}
}

// similarKeys returns keys that a store with a collation, with patterns, with
// file names or with a limit on the length could mistake for each other.
func similarKeys() []string {
	base := "bt:Key_" + rand.Text()
	long := base + strings.Repeat("x", 199-len(base))
	return []string{
		base,
		strings.ToLower(base),
		strings.ToUpper(base),
		base[:len(base)-1],
		base + "x",
		base + ".",
		base + "_",
		base + "-",
		base + ":",
		strings.Replace(base, "_", "-", 1), // '_' is any sign in SQL's LIKE
		strings.Replace(base, "_", ".", 1), // '.' is any sign in a regular expression
		strings.Replace(base, ":", "_", 1),
		strings.Replace(base, ":", "::", 1),
		"..:" + base,
		long + "y",
		long + "Y",
		long + "z",
	}
}

func keysDistinct(c *check) {
	keys := similarKeys()
	data := make([][]byte, len(keys))
	for i, key := range keys {
		data[i] = newData(40)
		c.createAs(key, data[i], longTTL)
	}
	for i, key := range keys {
		c.holds(key, data[i])
	}
}

func keysDeleteOne(c *check) {
	keys := similarKeys()
	data := make([][]byte, len(keys))
	for i, key := range keys {
		data[i] = newData(40)
		c.createAs(key, data[i], longTTL)
	}
	for i := range keys {
		c.delete(keys[i], nil)
		c.missing(keys[i])
		for j := i + 1; j < len(keys); j++ {
			c.holds(keys[j], data[j])
		}
	}
}
