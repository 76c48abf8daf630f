package sessions

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// An ID is 256 bits from crypto/rand in base64url without padding (RFC 4648,
// section 5).
const (
	idBytes = 32
	idChars = 43
)

// idEncoding refuses the spellings that differ only in the spare bits of the
// last character, so that every ID has one spelling.
var idEncoding = base64.RawURLEncoding.Strict()

// newID returns a fresh ID. crypto/rand does not fail: it ends the program
// when the system has no randomness to give.
func newID() string {
	var b [idBytes]byte
	_, _ = rand.Read(b[:])
	return idEncoding.EncodeToString(b[:])
}

// validID tells whether newID could have made id. Nothing else is ever looked
// up in a store.
func validID(id string) bool {
	if len(id) != idChars {
		return false
	}
	var in [idChars]byte
	var out [idBytes]byte
	copy(in[:], id)
	n, err := idEncoding.Decode(out[:], in[:])
	// The decoder skips line breaks, which leaves too few bytes.
	return err == nil && n == idBytes
}

// storeKey returns the key under which the store holds the session id.
func (m *Manager) storeKey(id string) string {
	if m.cfg.PlainIDs {
		return m.cfg.Prefix + id
	}
	// The name is part of the hash so that the cookie of one session name
	// opens nothing under another. A cookie name has no zero byte, so the
	// two parts cannot run into one another.
	buf := make([]byte, 0, 128)
	buf = append(buf, m.cfg.Name...)
	buf = append(buf, 0)
	buf = append(buf, id...)
	sum := sha256.Sum256(buf)
	key := append(buf[:0], m.cfg.Prefix...)
	return string(base64.RawURLEncoding.AppendEncode(key, sum[:]))
}
