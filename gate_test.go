package sessions_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
)

// TestGate runs the gates of docs/security.md that need neither a server nor
// a process of their own.
func TestGate(t *testing.T) {
	t.Run("G9", garbage)
}

// garbage sends 10,000 malformed cookies, forged ones and unknown ones. Fails
// when validID only looks at the length, when hmacSigner.Verify compares only
// the length of the signature, and when create stores empty documents. The
// other frameworks have no part in it; see TestRequirement/ID-5.
func garbage(t *testing.T) {
	const n = 10_000
	signer, err := sessions.NewSigner(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	forger, err := sessions.NewSigner(bytes.Repeat([]byte("f"), 32))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	s := mount(t)
	v := s.visitor()
	v.ok("/set?a=1")
	real := v.jar["session"]
	rows, before := len(s.store.rows(t)), s.store.calls()
	send := func(s *site, cookie, target string) {
		t.Helper()
		if r := s.get(target, cookie); r.StatusCode != 200 || r.body != "" || len(r.Cookies()) != 0 {
			t.Fatalf("status %d, body %q, cookies %v", r.StatusCode, r.body, r.Cookies())
		}
	}
	for i := range n {
		send(s, "session="+malformed(rng, real, i), "/get?key=a")
	}
	if cost := s.store.calls() - before; cost != 0 {
		t.Errorf("%d malformed cookies cost %d store commands", n, cost)
	}

	// Each unknown one costs the load that finds nothing.
	before = s.store.calls()
	for i := range n {
		send(s, "session="+id(i), "/get?key=a")
	}
	if cost := s.store.calls() - before; cost != n || s.store.creates.Load() != 1 || s.store.updates.Load()+s.store.touches.Load() != 0 {
		t.Errorf("%d unknown cookies cost %d store commands, %d creates", n, cost, s.store.creates.Load())
	}
	if got := len(s.store.rows(t)); got != rows {
		t.Errorf("%d records were made", got-rows)
	}
	if v.value("a") != "1" {
		t.Error("the session is lost")
	}

	signed := mount(t, sessions.Config{Signer: signer})
	for i := range n {
		value := id(i)
		switch i % 4 {
		case 1:
			value = forger.Sign("session", value)
		case 2:
			value = signer.Sign("admin", value)
		case 3:
			value += "." + strings.Repeat("A", 43)
		}
		send(signed, "session="+value, "/get?key=a")
	}
	if cost := signed.store.calls(); cost != 0 {
		t.Errorf("%d forged cookies cost %d store commands", n, cost)
	}
}

// malformed returns a value that is no ID: rubbish, or an ID with one thing
// wrong.
func malformed(rng *rand.Rand, id string, i int) string {
	const other = "!\"#$%&'()*+,./:<=>?@[\\]^`{|}~ \x00\x01\x7f\x80\xc3\xff"
	at := rng.IntN(len(id))
	switch i % 5 {
	case 0: // another character
		return id[:at] + string(other[rng.IntN(len(other))]) + id[at+1:]
	case 1: // too short
		return id[:at]
	case 2: // too long
		return id + id[:1+rng.IntN(200)%len(id)]
	case 3: // bits that no ID has
		return id[:42] + string("BCDFGHJKLNOPRSTVWXZabdefhijlmnpqrtuvxyz1235679-_"[rng.IntN(48)])
	default:
		b := make([]byte, rng.IntN(100))
		for i := range b {
			b[i] = byte(rng.IntN(256))
		}
		return fmt.Sprintf("%.42s", strings.NewReplacer(";", "", "\x00", "0").Replace(string(b)))
	}
}
