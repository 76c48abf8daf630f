package sessions

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// flaskSalt is what Flask's extensions derive their signing key with.
const flaskSalt = "flask-session"

type flaskSigner struct {
	redacted
	keys [][]byte // derived
}

// NewFlaskSigner returns the Signer of Flask-Session2 and Flask-Session with
// SESSION_USE_SIGNER, for [FlaskCompatible]. It is the Signer of itsdangerous
// with the salt "flask-session" and the key derivation "hmac": a dot and an
// HMAC-SHA1 in base64url are appended to the ID. The cookie's name is not part
// of it. Of the spellings of one signature that itsdangerous accepts, Verify
// accepts the one that it writes.
//
// The keys are what Flask has as SECRET_KEY. The first key signs, all keys
// verify; Flask's extensions know one only, so while they are running the
// first must be theirs. Keys must not be empty, and are copied. Those of
// fewer than 32 bytes are accepted, since Flask's are what they are, but can
// be found out by trying when they are not random.
func NewFlaskSigner(keys ...[]byte) (Signer, error) {
	if len(keys) == 0 {
		return nil, errors.New("sessions: NewFlaskSigner needs a key: Flask's SECRET_KEY")
	}
	s := &flaskSigner{}
	for i, key := range keys {
		if len(key) == 0 {
			return nil, fmt.Errorf("sessions: signing key %d is empty; it must be Flask's SECRET_KEY", i+1)
		}
		s.keys = append(s.keys, hmacSHA1(key, flaskSalt))
	}
	return s, nil
}

func (s *flaskSigner) Sign(_, id string) string {
	return id + "." + base64.RawURLEncoding.EncodeToString(hmacSHA1(s.keys[0], id))
}

func (s *flaskSigner) Verify(_, value string) (string, bool) {
	dot := strings.LastIndexByte(value, '.')
	if dot < 0 || len(value)-dot-1 != base64.RawURLEncoding.EncodedLen(sha1.Size) {
		return "", false
	}
	id := value[:dot]
	got, err := idEncoding.DecodeString(value[dot+1:])
	if err != nil {
		return "", false
	}
	for _, key := range s.keys {
		if hmac.Equal(got, hmacSHA1(key, id)) {
			return id, true
		}
	}
	return "", false
}

func hmacSHA1(key []byte, text string) []byte {
	h := hmac.New(sha1.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
