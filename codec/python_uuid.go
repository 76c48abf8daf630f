package codec

import (
	"encoding/hex"
)

// A UUID is a uuid.UUID.
type UUID [16]byte

// String returns the UUID as text in lower case, with hyphens.
func (u UUID) String() string {
	var b [36]byte
	u.text(&b)
	return string(b[:])
}

func (u UUID) text(b *[36]byte) {
	at := 0
	for i, part := range [][]byte{u[:4], u[4:6], u[6:8], u[8:10], u[10:]} {
		if i > 0 {
			b[at] = '-'
			at++
		}
		at += hex.Encode(b[at:], part)
	}
}

// MarshalText returns the UUID as String does.
func (u UUID) MarshalText() ([]byte, error) {
	var b [36]byte
	u.text(&b)
	return b[:], nil
}

// UnmarshalText reads what MarshalText returns, in upper or lower case.
func (u *UUID) UnmarshalText(text []byte) error {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return errText
	}
	var digits [32]byte
	n := 0
	for _, part := range [][]byte{text[:8], text[9:13], text[14:18], text[19:23], text[24:]} {
		n += copy(digits[n:], part)
	}
	var fresh UUID
	if _, err := hex.Decode(fresh[:], digits[:]); err != nil {
		return errText
	}
	*u = fresh
	return nil
}
