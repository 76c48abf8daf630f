package codec

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func newKey() []byte {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key)
	return key
}

func encrypted(t testing.TB, keys ...[]byte) *Encrypted {
	t.Helper()
	c, err := NewEncrypted(MessagePack{}, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// secretEntries returns a document's entries whose key and value are easily
// found in bytes.
func secretEntries(t testing.TB, inner Codec) []Entry {
	t.Helper()
	var entries []Entry
	for _, key := range []string{"favourite-colour", "other"} {
		raw, err := inner.Append(nil, "ultramarine of "+key)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, Entry{Key: []byte(key), Raw: raw})
	}
	return entries
}

func sealFor(t testing.TB, c *Encrypted, binding string) []byte {
	t.Helper()
	sealed, err := c.Seal(nil, secretEntries(t, MessagePack{}), []byte(binding))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// openAll returns what Open yields, together with its error.
func openAll(c *Encrypted, sealed []byte, binding string) (entries []Entry, err error) {
	err = c.Open(sealed, []byte(binding), func(e Entry) error {
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

func mustOpen(t testing.TB, c *Encrypted, sealed []byte, binding string) {
	t.Helper()
	got, err := openAll(c, sealed, binding)
	want := secretEntries(t, MessagePack{})
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d entries, %v", len(got), err)
	}
	for i := range want {
		if !bytes.Equal(got[i].Key, want[i].Key) || !bytes.Equal(got[i].Raw, want[i].Raw) {
			t.Errorf("entry %d differs", i)
		}
	}
}

// mustRefuse checks that nothing is yielded, and an error returned that holds
// no part of anything.
func mustRefuse(t testing.TB, what string, c *Encrypted, sealed []byte, binding string) {
	t.Helper()
	entries, err := openAll(c, sealed, binding)
	if err == nil || entries != nil {
		t.Fatalf("%s: %d entries were read, error %v", what, len(entries), err)
	}
	if !errors.Is(err, errForeign) && !errors.Is(err, errNoKey) && !errors.Is(err, errOpen) {
		t.Fatalf("%s: %v", what, err)
	}
}

func TestEncrypted(t *testing.T) {
	c := encrypted(t, newKey())
	sealed := sealFor(t, c, "here")
	mustOpen(t, c, sealed, "here")
	for _, plain := range []string{"favourite", "colour", "ultramarine"} {
		if bytes.Contains(sealed, []byte(plain)) {
			t.Errorf("the sealed document holds %q", plain)
		}
	}

	// Single values, which are never stored as such, are the inner codec's.
	raw, err := c.Append(nil, 42)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if v, err := c.Decode(raw); v != 42 || err != nil {
		t.Errorf("Decode: %v, %v", v, err)
	}
	if err := c.DecodeInto(raw, &n); n != 42 || err != nil {
		t.Errorf("DecodeInto: %v, %v", n, err)
	}

	// Seal appends; what is there stays.
	appended, err := c.Seal([]byte("before"), secretEntries(t, MessagePack{}), []byte("here"))
	if err != nil || !bytes.HasPrefix(appended, []byte("before")) {
		t.Fatalf("%v", err)
	}
	mustOpen(t, c, appended[len("before"):], "here")
	plain, err := MessagePack{}.Join(nil, secretEntries(t, MessagePack{}))
	if err != nil || len(sealed) != len(plain)+70 {
		t.Errorf("%d bytes more than the plain document, %v", len(sealed)-len(plain), err)
	}
	if empty, err := c.Seal(nil, nil, nil); err != nil {
		t.Error(err)
	} else if entries, err := openAll(c, empty, ""); entries != nil || err != nil {
		t.Errorf("the empty document: %d entries, %v", len(entries), err)
	}
}

// Fails when Join or Split does as if it had succeeded.
func TestEncryptedNeverJoins(t *testing.T) {
	c := encrypted(t, newKey())
	dst, err := c.Join([]byte("x"), secretEntries(t, MessagePack{}))
	if dst != nil || !errors.Is(err, errUnsealed) {
		t.Errorf("Join: %d bytes, %v", len(dst), err)
	}
	plain, err := MessagePack{}.Join(nil, secretEntries(t, MessagePack{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range [][]byte{plain, sealFor(t, c, "")} {
		if entries, err := split(c, doc); entries != nil || !errors.Is(err, errUnsealed) {
			t.Errorf("Split: %d entries, %v", len(entries), err)
		}
	}
}

// Fails when Open falls back to Split, for what is foreign or for what does not
// decrypt, and when all documents have one salt.
func TestEncryptedRefusesEveryChange(t *testing.T) {
	first, second := newKey(), newKey()
	c := encrypted(t, first, second)
	sealed := sealFor(t, c, "here")
	for i := range len(sealed) * 8 {
		flipped := bytes.Clone(sealed)
		flipped[i/8] ^= 1 << (i % 8)
		mustRefuse(t, fmt.Sprintf("bit %d flipped", i), c, flipped, "here")
	}
	for n := range sealed {
		mustRefuse(t, fmt.Sprintf("cut to %d bytes", n), c, sealed[:n], "here")
	}
	mustRefuse(t, "a byte more", c, append(bytes.Clone(sealed), 0), "here")
	mustRefuse(t, "twice", c, slices.Concat(sealed, sealed), "here")

	// The ID of another key of the ring, which is public.
	other := bytes.Clone(sealed)
	copy(other[2:], c.ring[1].id[:])
	mustRefuse(t, "another key's ID", c, other, "here")

	for _, binding := range []string{"", "her", "heree", "Here", "there"} {
		mustRefuse(t, "bound to "+binding, c, sealed, binding)
	}
	mustOpen(t, c, sealed, "here")

	// Two documents of one key, their parts exchanged.
	more := sealFor(t, c, "here")
	for _, at := range []int{sealedHeader, sealedHeader + 12, len(sealed) - 16} {
		mustRefuse(t, fmt.Sprintf("joined at %d", at), c, slices.Concat(sealed[:at], more[at:]), "here")
	}
}

func TestEncryptedReadsNoPlaintext(t *testing.T) {
	c := encrypted(t, newKey())
	for _, inner := range []Codec{MessagePack{}, JSON{}} {
		plain, err := inner.Join(nil, secretEntries(t, inner))
		if err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, fmt.Sprintf("%T", inner), c, plain, "here")

		// Nor is what is sealed read without the key.
		if entries, err := split(inner, sealFor(t, c, "here")); err == nil || entries != nil {
			t.Errorf("%T has read %d entries of a sealed document", inner, len(entries))
		}
	}
	// The plain document where the encrypted one should be.
	plain, err := MessagePack{}.Join(nil, secretEntries(t, MessagePack{}))
	if err != nil {
		t.Fatal(err)
	}
	sealed := sealFor(t, c, "here")
	mustRefuse(t, "plaintext in the envelope", c, append(sealed[:sealedHeader+12:sealedHeader+12], plain...), "here")
	mustRefuse(t, "nothing", c, nil, "")
}

// Fails when Open looks at the first key only, and when Seal takes the last.
func TestEncryptedRotation(t *testing.T) {
	older, newer := newKey(), newKey()
	before, during, after := encrypted(t, older), encrypted(t, newer, older), encrypted(t, newer)
	old := sealFor(t, before, "here")
	mustOpen(t, during, old, "here")
	mustRefuse(t, "a removed key", after, old, "here")
	fresh := sealFor(t, during, "here")
	mustOpen(t, after, fresh, "here")
	mustRefuse(t, "a key that is not known yet", before, fresh, "here")
	if _, err := openAll(after, old, "here"); !errors.Is(err, errNoKey) {
		t.Errorf("a removed key: %v", err)
	}
}

func TestNewEncrypted(t *testing.T) {
	key := newKey()
	for what, test := range map[string]struct {
		inner Codec
		keys  [][]byte
		want  string
	}{
		"no codec":         {nil, [][]byte{key}, "MessagePack"},
		"twice encrypted":  {encrypted(t, key), [][]byte{newKey()}, "already"},
		"no key":           {JSON{}, nil, "32"},
		"an empty key":     {JSON{}, [][]byte{{}}, "0 bytes"},
		"a short key":      {JSON{}, [][]byte{key, key[:31]}, "key 2 has 31 bytes"},
		"a long key":       {JSON{}, [][]byte{append(bytes.Clone(key), 1)}, "33 bytes"},
		"a zero key":       {JSON{}, [][]byte{make([]byte, 32)}, "one byte repeated"},
		"an easy key":      {JSON{}, [][]byte{bytes.Repeat([]byte("k"), 32)}, "one byte repeated"},
		"a key in hex":     {JSON{}, [][]byte{fmt.Appendf(nil, "%x", key)}, "64 bytes"},
		"a key twice":      {JSON{}, [][]byte{key, newKey(), key}, "key 3 is in the ring twice"},
		"a key in base 64": {JSON{}, [][]byte{[]byte("8mJ0mxNqXbYQGE3kXlJt3hI6cM6QyNJqBVT1bqB5m3c=")}, "44 bytes"},
	} {
		c, err := NewEncrypted(test.inner, test.keys...)
		if c != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", what, err)
		}
	}

	mine := bytes.Clone(key)
	c := encrypted(t, mine)
	sealed := sealFor(t, c, "here")
	clear(mine) // the keys are copied
	mustOpen(t, c, sealed, "here")
	mustOpen(t, encrypted(t, key), sealed, "here")
	if bytes.Contains(sealed, key[:8]) || bytes.Contains(sealed, key[24:]) {
		t.Error("the document holds a part of the key")
	}
}

// No two documents have the same salt, or the same nonce: fails when either
// is a constant.
func TestEncryptedNoncesDiffer(t *testing.T) {
	c := encrypted(t, newKey())
	salts, nonces := make(map[string]bool), make(map[string]bool)
	const n = 20_000
	for range n {
		sealed, err := c.Seal(nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		salts[string(sealed[2+keyIDSize:sealedHeader])] = true
		nonces[string(sealed[sealedHeader:sealedHeader+12])] = true
	}
	if len(salts) != n || len(nonces) != n {
		t.Errorf("%d salts and %d nonces for %d documents", len(salts), len(nonces), n)
	}
}

// FuzzEnvelope changes a sealed document and its binding, at one place each
// and in length; whatever differs from the original is refused.
func FuzzEnvelope(f *testing.F) {
	c := encrypted(f, newKey(), newKey())
	const binding = "the binding"
	sealed := sealFor(f, c, binding)
	plain, err := MessagePack{}.Join(nil, secretEntries(f, MessagePack{}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, 0, []byte(nil), binding)
	f.Add(0, 1<<20, []byte(nil), binding)
	f.Add(0, 1<<20, plain, binding)
	f.Add(0, 2, []byte{sealedMagic, sealedVersion}, binding)
	f.Add(1, 1, []byte{2}, binding)
	f.Add(2, 8, []byte("other ID"), binding)
	f.Add(10, 1, []byte{0}, binding)
	f.Add(sealedHeader, 12, make([]byte, 12), binding)
	f.Add(sealedHeader+12, 1<<20, plain, binding)
	f.Add(len(sealed)-16, 16, []byte(nil), binding)
	f.Add(len(sealed), 0, []byte{0}, binding)
	f.Add(0, 0, []byte(nil), "the  binding")
	f.Fuzz(func(t *testing.T, at, drop int, insert []byte, bound string) {
		at = min(max(at, 0), len(sealed))
		drop = min(max(drop, 0), len(sealed)-at)
		changed := slices.Concat(sealed[:at], insert, sealed[at+drop:])
		if bytes.Equal(changed, sealed) && bound == binding {
			mustOpen(t, c, changed, bound)
			return
		}
		mustRefuse(t, "changed", c, changed, bound)
	})
}

func BenchmarkEncrypted(b *testing.B) {
	c := encrypted(b, newKey())
	binding := make([]byte, 100)
	for _, size := range []int{100, 4 << 10, 64 << 10} {
		raw, err := c.Append(nil, strings.Repeat("x", size))
		if err != nil {
			b.Fatal(err)
		}
		entries := []Entry{{Key: []byte("key"), Raw: raw}}
		sealed, err := c.Seal(nil, entries, binding)
		if err != nil {
			b.Fatal(err)
		}
		buf := make([]byte, 0, 2*len(sealed))
		b.Run(fmt.Sprintf("Seal/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := c.Seal(buf, entries, binding); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("Open/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if err := c.Open(sealed, binding, func(Entry) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
