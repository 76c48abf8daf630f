package leaktest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// A needle is a secret in all the spellings in which a dump or a log could
// hold it.
type needle struct {
	name      string
	spellings [][]byte
}

// newNeedle returns the needle for a secret of at least eight bytes. The
// random ones come with a name, as a test's log is a log too.
func newNeedle(name string, secret []byte) needle {
	lower := hex.EncodeToString(secret)
	list := []string{string(secret), lower, strings.ToUpper(lower)}
	// Base64 of data in which the secret begins at any byte of a group of
	// three, without the characters that depend on what is around it.
	for before := range 3 {
		padded := append(make([]byte, before), secret...)
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString(padded)
			list = append(list, text[(before*8+5)/6:len(padded)*8/6])
		}
	}
	// Slices of bytes as %v and %#v print them.
	decimal := strings.Trim(fmt.Sprint(secret), "[]")
	list = append(list, decimal, strings.ReplaceAll(decimal, " ", ","), strings.TrimSuffix(fmt.Sprintf("%#v", secret)[len("[]byte{"):], "}"))
	n := needle{name: name}
	for _, s := range list {
		n.spellings = append(n.spellings, []byte(s))
	}
	return n
}

func (n needle) in(haystack []byte) bool {
	for _, s := range n.spellings {
		if bytes.Contains(haystack, s) {
			return true
		}
	}
	return false
}

// cookieNeedles returns what is secret about a cookie's value: the value, the
// ID in it, and the bytes that the ID stands for.
func cookieNeedles(name, value string) []needle {
	list := []needle{newNeedle(name, []byte(value))}
	id, _, signed := strings.Cut(value, ".")
	if signed {
		list = append(list, newNeedle("the ID of "+name, []byte(id)))
	}
	if raw, err := base64.RawURLEncoding.DecodeString(id); err == nil && len(raw) >= 8 {
		list = append(list, newNeedle("the bytes of "+name, raw))
	}
	return list
}

func TestNeedle(t *testing.T) {
	secret := []byte("a secret \xff\xfe\x00")
	n := newNeedle("n", secret)
	for _, format := range []string{"%s", "%x", "%X", "%v", "%#v"} {
		if !n.in(fmt.Appendf(nil, "before "+format+" after", secret)) {
			t.Errorf("not found in %s", format)
		}
	}
	for before := range 7 {
		data := append(bytes.Repeat([]byte{'x'}, before), append(secret, "after"...)...)
		if !n.in([]byte(base64.StdEncoding.EncodeToString(data))) || !n.in([]byte(base64.URLEncoding.EncodeToString(data))) {
			t.Errorf("not found in base64 at %d", before)
		}
	}
	if n.in([]byte("a secre t")) {
		t.Error("found where it is not")
	}
}
