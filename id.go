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

// How many bytes an ID made by Flask may have. Those of Flask-Session have 32
// unless SESSION_ID_LENGTH says otherwise; fewer than 16 can be guessed. Those
// of Flask-Session2 are UUIDs, which read as base64url are 27 bytes.
const (
	minFlaskID = 16
	maxFlaskID = 64
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

// validFlaskID tells whether Flask could have made id, or newID.
func validFlaskID(id string) bool {
	n := idEncoding.DecodedLen(len(id))
	if n < minFlaskID || n > maxFlaskID {
		return false
	}
	var in [(maxFlaskID*8 + 5) / 6]byte
	var out [maxFlaskID]byte
	got, err := idEncoding.Decode(out[:], in[:copy(in[:], id)])
	// Without line breaks and a useless last character.
	return err == nil && got == n && idEncoding.EncodedLen(n) == len(id)
}

// knowsID tells whether an ID may be looked up in the store.
func (m *Manager) knowsID(id string) bool {
	if m.cfg.flask {
		return validFlaskID(id)
	}
	return validID(id)
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
