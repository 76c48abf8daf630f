package sessions

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// A Signer signs the ID in the session cookie. Its methods may be called by
// any number of goroutines at once.
type Signer interface {
	// Sign returns the cookie value for an ID under a cookie name.
	Sign(name, id string) string

	// Verify returns the ID in a cookie value, and whether its signature is
	// right. It compares in constant time.
	Verify(name, value string) (id string, ok bool)
}

// minKeyBytes is the length of a SHA-256 digest: RFC 2104, section 3, advises
// against shorter HMAC keys.
const minKeyBytes = sha256.Size

type hmacSigner struct {
	redacted
	keys [][]byte
}

// NewSigner returns a Signer that appends a dot and the HMAC-SHA256 (RFC
// 2104) of the cookie's name and the ID, in base64url, to the ID.
//
// The first key signs, all keys verify. To rotate, put the new key first,
// deploy, and remove the old one when its cookies have expired. Keys must be
// random and have at least 32 bytes each; they are copied.
func NewSigner(keys ...[]byte) (Signer, error) {
	if len(keys) == 0 {
		return nil, errors.New("sessions: NewSigner needs a key; make one with 32 bytes from crypto/rand")
	}
	s := &hmacSigner{}
	for i, key := range keys {
		if len(key) < minKeyBytes {
			return nil, fmt.Errorf("sessions: signing key %d has %d bytes; it needs at least %d random bytes", i+1, len(key), minKeyBytes)
		}
		s.keys = append(s.keys, append([]byte(nil), key...))
	}
	return s, nil
}

func (s *hmacSigner) Sign(name, id string) string {
	return id + "." + base64.RawURLEncoding.EncodeToString(mac(s.keys[0], name, id))
}

func (s *hmacSigner) Verify(name, value string) (string, bool) {
	id, sig, ok := strings.Cut(value, ".")
	if !ok || len(sig) != base64.RawURLEncoding.EncodedLen(sha256.Size) {
		return "", false
	}
	got, err := idEncoding.DecodeString(sig)
	if err != nil {
		return "", false
	}
	for _, key := range s.keys {
		if hmac.Equal(got, mac(key, name, id)) {
			return id, true
		}
	}
	return "", false
}

func mac(key []byte, name, id string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(name))
	h.Write([]byte{0}) // ends the name, which has no zero byte
	h.Write([]byte(id))
	return h.Sum(nil)
}
