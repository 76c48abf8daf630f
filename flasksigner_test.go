package sessions_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
)

// TestFlaskSigner signs and verifies what itsdangerous has signed.
func TestFlaskSigner(t *testing.T) {
	type fixture struct{ key, id, signed string }
	var all []fixture
	captures := loadCaptures(t)
	for _, s := range captures.Signer {
		key, err := hex.DecodeString(s.Key)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fixture{string(key), s.ID, s.Signed})
	}
	for _, stack := range captures.Stacks {
		for _, c := range stack.Cookies {
			all = append(all, fixture{c.Key, c.ID, c.Value})
		}
	}
	if len(all) < 19 {
		t.Fatalf("%d fixtures", len(all))
	}
	for _, f := range all {
		signer, err := sessions.NewFlaskSigner([]byte(f.key))
		if err != nil {
			t.Fatal(err)
		}
		if got := signer.Sign("session", f.id); got != f.signed {
			t.Errorf("%q is signed as %q, want %q", f.id, got, f.signed)
		}
		// A key that signed before verifies; Flask's salt has no cookie name.
		rotated, err := sessions.NewFlaskSigner([]byte("the next key"), []byte(f.key))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []sessions.Signer{signer, rotated} {
			if id, ok := s.Verify("another", f.signed); !ok || id != f.id {
				t.Errorf("%q verifies as %q, %t", f.signed, id, ok)
			}
		}
		if rotated.Sign("", f.id) == f.signed {
			t.Error("the second key signs")
		}
		dot := strings.LastIndexByte(f.signed, '.')
		sig := f.signed[dot+1:]
		for _, bad := range []string{
			"", ".", f.id, f.id + ".", "." + sig, sig, f.signed + "=", f.signed + "A", f.signed[:len(f.signed)-1],
			f.id + ".." + sig, f.id + "x." + sig, "x" + f.signed, f.signed + ".", f.signed + "." + sig, f.id + ":" + sig,
			f.signed[:len(f.signed)-1] + spare(sig), f.id + "." + standard(sig), f.id + ".\n" + sig[1:], f.id + "." + strings.Repeat("A", 27),
			f.id + "." + strings.ToUpper(sig), `"` + f.signed + `"`, f.signed + " ", f.id + "." + sig[:26] + "\n" + sig[26:],
		} {
			if id, ok := signer.Verify("session", bad); ok && bad != f.signed {
				t.Errorf("%q verifies as %q", bad, id)
			}
		}
	}
}

// spare returns another last character that itsdangerous decodes to the same
// signature: two of its bits mean nothing.
func spare(sig string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, sig[len(sig)-1])^1])
}

// standard returns the signature in the other alphabet of base64, or one that
// is wrong.
func standard(sig string) string {
	if other := strings.NewReplacer("-", "+", "_", "/").Replace(sig); other != sig {
		return other
	}
	return "+" + sig[1:]
}

func TestFlaskSignerKeys(t *testing.T) {
	for _, keys := range [][][]byte{nil, {{}}, {[]byte("key"), nil}} {
		if _, err := sessions.NewFlaskSigner(keys...); err == nil {
			t.Errorf("the keys %q are taken", keys)
		}
	}
	key := []byte("key")
	signer, err := sessions.NewFlaskSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	signed := signer.Sign("", "id")
	key[0] = 'x'
	if _, ok := signer.Verify("", signed); !ok {
		t.Error("the key is not copied")
	}
}
