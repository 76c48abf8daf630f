package sessions_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
)

var idRequirements = []requirement{
	{"ID-1", idsAreRandom},
	{"ID-2", idsAreNoUUIDs},
	{"ID-3", noRandomness},
	{"ID-4", unknownIDs},
	{"ID-5", hostileIDs},
	{"ID-6", idsMeanNothing},
	{"ID-7", idsElsewhere},
	{"ID-8", regenerate},
	{"ID-9", signIn},
	{"ID-11", keysAreNoIDs},
	{"ID-12", anotherName},
	{"ID-13", genericName},
}

// newIDs returns IDs of sessions that begin, and what they are made of.
func newIDs(t *testing.T, n int) (ids []string, random [][]byte) {
	t.Helper()
	m := newManager(t, sessions.Config{})
	r := httptest.NewRequest("GET", "/", nil)
	for range n {
		serve(m, r, func(s *sessions.Session) { ids = append(ids, s.ID()) })
		b, err := base64.RawURLEncoding.Strict().DecodeString(ids[len(ids)-1])
		if err != nil || len(b) != 32 {
			t.Fatalf("an ID has %d bytes, %v", len(b), err)
		}
		random = append(random, b)
	}
	return ids, random
}

// Fails when newID leaves the last byte zero.
func idsAreRandom(t *testing.T) {
	const n = 100_000
	ids, random := newIDs(t, n)
	seen := make(map[string]bool, n)
	var values [32][256]int // how often each byte had each value
	for i, b := range random {
		if seen[ids[i]] {
			t.Fatal("an ID was made twice")
		}
		seen[ids[i]] = true
		for at, value := range b {
			values[at][value]++
		}
	}
	// Six standard deviations: once in two million runs by chance.
	limit := 6 * math.Sqrt(n) / 2
	for at := range values {
		for bit := range 8 {
			ones := 0
			for value, times := range values[at] {
				ones += times * (value >> bit & 1)
			}
			if math.Abs(float64(ones)-n/2) > limit {
				t.Errorf("bit %d of byte %d was set %d times of %d", bit, at, ones, n)
			}
		}
	}
}

// Fails when newID makes IDs in the form of a UUID.
func idsAreNoUUIDs(t *testing.T) {
	ids, random := newIDs(t, 100)
	version4 := 0
	for i, id := range ids {
		if regexp.MustCompile(`^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$`).MatchString(id) {
			t.Fatalf("ID %d is a UUID", i)
		}
		if random[i][6]>>4 == 4 {
			version4++
		}
	}
	if version4 > 50 {
		t.Errorf("%d of 100 IDs have the version number of a UUID", version4)
	}
}

// failingReader is a system without randomness.
type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("no randomness") }

// noRandomness ends another process: the Go runtime ends a program whose
// random source fails. Fails when newID makes an ID from the time if
// io.ReadFull(rand.Reader) fails.
func noRandomness(t *testing.T) {
	const role = "SESSIONS_TEST_NO_RANDOMNESS"
	if os.Getenv(role) != "" {
		m := newManager(t, sessions.Config{})
		rand.Reader = failingReader{}
		serve(m, httptest.NewRequest("GET", "/", nil), func(s *sessions.Session) { fmt.Println("made the ID", s.ID()) })
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestRequirement$/^ID-3$")
	cmd.Env = append(os.Environ(), role+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || strings.Contains(string(out), "made the ID") {
		t.Errorf("without randomness: %v, %s", err, out)
	}
	if !strings.Contains(string(out), "failed to read random data") {
		t.Errorf("the program ended for another reason: %s", out)
	}
}

// Fails when find takes the first ID that it is given for that of the fresh
// session.
func unknownIDs(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil)
		known := s.visitor()
		known.ok("/set?a=1")
		destroyed := known.jar["session"]
		known.ok("/logout")
		for name, id := range map[string]string{"unknown": id(1), "destroyed": destroyed} {
			r := s.get("/set?a=1", "session="+id)
			if c := r.cookie(t, "session"); c == nil || c.Value == id {
				t.Errorf("%s ID: cookie %v", name, c)
			}
			if r := s.get("/get?key=a", "session="+id); r.body != "" {
				t.Errorf("the %s ID has a session now", name)
			}
		}
		if n := len(s.store.rows(t)); n != 2 {
			t.Errorf("%d records for two visitors", n)
		}
	})
}

// hostileValues are cookie values that are no ID.
func hostileValues() []string {
	good := id(0)
	values := []string{
		"", " ", "x", good[:42], good + "A", good[:42] + "B", good[:42] + "=", good[:42] + "+", good[:42] + "%41", good + "=",
		`"` + good + `"`, good + ".sig", "../x", "../../../../etc/passwd", "a\r\nb", good[:20] + "\r\n" + good[:21], good[:42] + "\x00", "\x00",
		"\xff\xfe" + good[:41], strings.Repeat("é", 21) + "x", strings.Repeat("A", 1<<20),
		"' OR 1=1 --", `{"$gt":""}`, "*)(uid=*))(|(uid=*", "return redis.call('FLUSHALL')", "${jndi:ldap://x/a}", "%00", "%s%s%n",
		"\u00a0" + good, "\u2000" + good, good[:41] + "\r\n",
	}
	for _, c := range []byte("\"'`\\;<>{}()[]$*?!|&%\x00\x7f\x80\xff .,:/@=+~^") {
		values = append(values, good[:42]+string([]byte{c}), string([]byte{c})+good[:42])
	}
	return values
}

// Fails when validID only checks the length.
func hostileIDs(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil)
		for _, value := range hostileValues() {
			r := s.get("/get?key=a", "session="+value)
			if r.StatusCode != 200 || r.body != "" || len(r.Cookies()) != 0 {
				t.Errorf("value %.50q: status %d, body %q, cookies %v", value, r.StatusCode, r.body, r.Cookies())
			}
			if n := s.store.calls(); n != 0 {
				t.Fatalf("value %.50q reached the store", value)
			}
		}
	})
}

// Fails when the cookie's value has the session's data appended.
func idsMeanNothing(t *testing.T) {
	s := mount(t)
	host, _ := os.Hostname()
	for _, data := range []string{"ada", strings.Repeat("ada", 1000)} {
		v := s.visitor()
		v.ok("/set?user=" + data)
		value := v.jar["session"]
		raw, err := base64.RawURLEncoding.DecodeString(value)
		if err != nil || len(raw) != 32 {
			t.Errorf("a session of %d bytes has the cookie value %q", len(data), value)
		}
		for _, told := range []string{"ada", host} {
			if len(told) > 2 && (strings.Contains(value, told) || bytes.Contains(raw, []byte(told))) {
				t.Errorf("the cookie tells %q", told)
			}
		}
	}
}

// Fails when cookieIDs falls back to the query.
func idsElsewhere(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil)
		v := s.visitor()
		v.ok("/set?a=1")
		id := v.jar["session"]
		before := s.store.calls()
		form := httptest.NewRequest("POST", "/get?key=a", strings.NewReader(url.Values{"session": {id}}.Encode()))
		form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		query := httptest.NewRequest("GET", "/get?key=a&session="+id, nil)
		path := httptest.NewRequest("GET", "/get;session="+id+"?key=a", nil)
		header := httptest.NewRequest("GET", "/get?key=a", nil)
		for _, name := range []string{"Session", "X-Session", "X-Session-Id", "Authorization", "Set-Cookie", "Cookie2"} {
			header.Header.Set(name, "session="+id)
		}
		for _, r := range []reply{s.do(form), s.do(query), s.do(path), s.do(header)} {
			if r.body == "1" || len(r.Cookies()) != 0 {
				t.Errorf("body %q, cookies %v", r.body, r.Cookies())
			}
		}
		if n := s.store.calls() - before; n != 0 {
			t.Errorf("%d store commands", n)
		}
	})
}

// Fails when rotate does not delete the old record.
func regenerate(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil)
		v := s.visitor()
		v.ok("/set?a=1&b=2")
		old := v.pair()
		v.ok("/login")
		if v.pair() == old {
			t.Error("the ID is the same")
		}
		if v.value("a") != "1" || v.value("b") != "2" || v.value("user") != "ada" {
			t.Error("data is missing")
		}
		if r := s.get("/get?key=a", old); r.body != "" {
			t.Error("the old ID still works")
		}
		if n := len(s.store.rows(t)); n != 1 {
			t.Errorf("%d records", n)
		}
	})
}

// Fails when storeKey returns the ID. Signatures are compared by hmac.Equal.
func keysAreNoIDs(t *testing.T) {
	signer, err := sessions.NewSigner(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []sessions.Config{{}, {Signer: signer}} {
		s := mount(t, cfg)
		v := s.visitor()
		v.ok("/set?a=1")
		id, sig, _ := strings.Cut(v.jar["session"], ".")
		for key, rec := range s.store.rows(t) {
			if strings.Contains(key, id) || bytes.Contains(rec.Data, []byte(id)) {
				t.Error("the store holds the ID")
			}
			// What the store holds is no cookie either, although it looks like one.
			if r := s.get("/get?key=a", "session="+strings.TrimPrefix(key, "session:")); r.body != "" {
				t.Error("the store key works as a cookie")
			}
		}
		for i := range sig {
			if _, ok := signer.Verify("session", id+"."+sig[:i]); ok {
				t.Errorf("%d characters of the signature are enough", i)
			}
		}
	}
}

// Fails when storeKey and mac leave the name out.
func anotherName(t *testing.T) {
	signer, err := sessions.NewSigner(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		for _, signer := range []sessions.Signer{nil, signer} {
			store := newStore(t)
			user := mount(nil, sessions.Config{Backend: store, Signer: signer}).visitor()
			user.ok("/set?a=1")
			admin := mount(nil, sessions.Config{Backend: store, Signer: signer, Name: "admin"})
			before := store.calls()
			if r := admin.get("/get?key=a", "admin="+user.jar["session"]); r.body != "" {
				t.Error("the cookie of one name opens a session under another")
			}
			if signer != nil && store.calls() != before {
				t.Error("the signature of one name is taken under another")
			}
		}
	})
}

// Fails when DefaultName is "gosessions".
func genericName(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		c := mount(nil).get("/set?a=1").Cookies()
		if len(c) != 1 || c[0].Name != "session" {
			t.Errorf("cookies %v", c)
		}
	})
}
