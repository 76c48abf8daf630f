package sessions

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend/memorybackend"
)

// wellFormed is an ID that no store knows.
var wellFormed = strings.Repeat("A", idChars)

// FuzzCookieHeader compares the candidates that are taken from two Cookie
// lines with what a reading of RFC 6265bis says, and with net/http.
func FuzzCookieHeader(f *testing.F) {
	good, other := wellFormed, strings.Repeat("Q", idChars-1)+"A"
	for _, seed := range [][2]string{
		{"", ""}, {"session=" + good, ""}, {"a=b; session=" + good + "; c=d", "session=" + other},
		{"session=" + good + "; session=" + good, ""}, {"session =" + good, "session=\t" + good}, {"\tsession=" + good + " ", ";;;"},
		{`session="` + good + `"`, `$Version=1; session=` + good}, {"Session=" + good, "%73ession=" + good},
		{"\u00a0session=" + good, "session\u2000=" + good}, {"=session=" + good, "a, session=" + good},
		{"session=" + good[:42] + "B", "session=" + good + "="}, {"session=" + good + "\x00", "session=" + good + "\r\n"},
		{strings.Repeat("a=;", 4000) + "session=" + good, strings.Repeat("session="+good[:42]+"\n;", 10)},
		{"session=A" + good[1:], "session=Q" + good[1:] + ";session=g" + good[1:] + ";session=w" + good[1:] + ";session=x" + good[1:]},
	} {
		f.Add(seed[0], seed[1])
	}
	m, err := NewManager(Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		r := &http.Request{Header: http.Header{"Cookie": {one, two}}}
		var spec, lax []string
		for _, line := range r.Header["Cookie"] {
			for pair := range strings.SplitSeq(line, ";") {
				value, ours := strings.CutPrefix(strings.Trim(pair, " \t"), "session=")
				raw, err := base64.RawURLEncoding.DecodeString(value)
				if !ours || err != nil || base64.RawURLEncoding.EncodeToString(raw) != value || len(raw) != idBytes {
					continue
				}
				lax = append(lax, value)
				if !slices.Contains(spec, value) && len(spec) < maxCandidates {
					spec = append(spec, value)
				}
			}
		}
		got := m.cookieIDs(r, nil)
		if !slices.Equal(got, spec) {
			t.Errorf("candidates %q, want %q", got, spec)
		}
		theirs := r.CookiesNamed("session")
		if strings.Count(one, ";")+strings.Count(two, ";") > 2900 {
			return // net/http stops at 3000 cookies
		}
		for _, id := range got {
			if !slices.ContainsFunc(theirs, func(c *http.Cookie) bool { return c.Value == id && !c.Quoted }) {
				t.Errorf("net/http does not see %q", id)
			}
		}
		for _, c := range theirs {
			// It trims the name as well, and any white space of ASCII.
			canonical := !c.Quoted && validID(c.Value) && slices.Contains(lax, c.Value)
			if canonical && !slices.Contains(got, c.Value) && len(got) < maxCandidates {
				t.Errorf("net/http sees %q", c.Value)
			}
		}
	})
}

// FuzzToken checks that exactly those strings are IDs that newID could make.
func FuzzToken(f *testing.F) {
	for _, seed := range []string{
		"", wellFormed, wellFormed[1:], wellFormed + "A", wellFormed[1:] + "B", wellFormed[1:] + "_", wellFormed[1:] + "=", wellFormed[1:] + "\n",
		"\r\n" + wellFormed[2:], wellFormed[:40] + "\n\n\n", wellFormed[1:] + "\x00", strings.Repeat("é", 21) + "A", strings.Repeat("-", 42) + "8", newID(),
	} {
		f.Add(seed)
	}
	m, err := NewManager(Config{})
	if err != nil {
		f.Fatal(err)
	}
	signer, err := NewSigner(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		raw, err := base64.RawURLEncoding.DecodeString(s)
		could := err == nil && len(raw) == idBytes && base64.RawURLEncoding.EncodeToString(raw) == s
		if validID(s) != could {
			t.Errorf("validID(%q) is %v", s, !could)
		}
		if key := m.storeKey(s); len(key) != len(DefaultPrefix)+idChars || s != "" && strings.Contains(key, s) && len(s) > 8 {
			t.Errorf("the store key of %q is %q", s, key)
		}
		value := signer.Sign("session", s)
		if id, ok := signer.Verify("session", value); (!ok || id != s) && !strings.Contains(s, ".") {
			t.Errorf("a signature of %q does not verify", s)
		}
		if _, ok := signer.Verify("session", s); ok {
			t.Errorf("%q is a signature", s)
		}
		if _, ok := signer.Verify("sessio", value); ok {
			t.Errorf("the signature of %q is taken under another name", s)
		}
	})
}

// FuzzDurations configures with any lengths of time: an error, or a cookie
// and an expiry that make sense.
func FuzzDurations(f *testing.F) {
	const forever = 1<<63 - 1
	for _, seed := range [][4]int64{
		{0, 0, 0, 0}, {int64(time.Second), int64(time.Second), 1, int64(time.Second)}, {-1, -1, -1, -1}, {-1 << 63, -1 << 63, -1 << 63, -1 << 63},
		{forever, forever, forever, forever}, {0, forever, forever, forever}, {int64(400 * day), int64(day), -2, int64(400 * day)},
		{int64(3660 * day), 0, -2, 0}, {int64(3660 * day), 0, -2, int64(time.Hour)}, {int64(3661 * day), 0, 0, int64(401 * day)}, {int64(time.Second) - 1, 0, 0, int64(time.Second) - 1},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], true)
		f.Add(seed[0], seed[1], seed[2], seed[3], false)
	}
	f.Fuzz(func(t *testing.T, lifetime, absolute, refresh, own int64, permanent bool) {
		mem, err := memorybackend.New(memorybackend.Config{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewManager(Config{
			Backend: mem, Lifetime: time.Duration(lifetime), AbsoluteLifetime: time.Duration(absolute),
			RefreshInterval: time.Duration(refresh), NonPermanent: !permanent, SweepInterval: -1,
			OnError: func(_ *http.Request, err error) { t.Errorf("reported: %v", err) },
		})
		if err != nil {
			return
		}
		r := httptest.NewRequest("GET", "/", nil)
		visit := func(h func(s *Session)) *http.Cookie {
			var x Exchange
			w := httptest.NewRecorder()
			m.Begin(&x, r, w.Header(), nil)
			h(&x.session)
			if err := x.Commit(); err != nil {
				t.Fatal(err)
			}
			x.Finish()
			for _, c := range w.Result().Cookies() {
				return c
			}
			return nil
		}
		own = min(max(own, -forever), forever)
		owned := own >= int64(time.Second) && own <= int64(maxCookieAge)
		before := time.Now()
		c := visit(func(s *Session) {
			s.Set("a", 1)
			if owned {
				s.SetLifetime(time.Duration(own))
			}
			s.SetPermanent(true)
		})
		if c == nil || c.MaxAge < 1 || time.Duration(c.MaxAge)*time.Second > maxCookieAge {
			t.Fatalf("cookie %v", c)
		}
		if c.Expires.Before(before.Add(-2*time.Second)) || c.Expires.After(time.Now().Add(maxCookieAge+2*time.Second)) {
			t.Errorf("the cookie expires %v", c.Expires)
		}
		want := m.cfg.Lifetime
		if owned {
			want = time.Duration(own).Truncate(time.Second)
		}
		if m.cfg.AbsoluteLifetime > 0 {
			want = min(want, m.cfg.AbsoluteLifetime)
		}
		rec, err := mem.Load(context.Background(), m.storeKey(c.Value))
		if err != nil {
			t.Fatal(err)
		}
		// The creation time is in milliseconds, and a record lives for a
		// second at least.
		if left := rec.Expires.Sub(before); left < want-2*time.Millisecond || left > want+time.Since(before)+time.Second {
			t.Errorf("the record lives for %v, want %v", left, want)
		}
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		if want > time.Minute {
			visit(func(s *Session) {
				if s.Get("a") != 1 {
					t.Error("the session is gone")
				}
			})
		}
	})
}

// FuzzRecord opens arbitrary bytes as a record: refused, or exactly what this
// package would write.
func FuzzRecord(f *testing.F) {
	m := newFuzzManager(f)
	key := m.storeKey(wellFormed)
	whole := append(appendRecordHeader(nil, time.UnixMilli(1_700_000_000_000)), 0x81, 0xA1, 'a', 1)
	sealRecord(key, whole)
	for _, seed := range [][]byte{
		nil, whole, whole[:recordHeader], whole[:recordHeader-1], append(bytes.Clone(whole), 0), make([]byte, recordHeader),
		bytes.Repeat([]byte{0xFF}, 40), {recordMagic, recordVersion}, {recordMagic, recordVersion + 1}, []byte("\x80\x04."), {0x81, 0xA1, 'a', 1},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// With a checksum that fits as well, so that what comes behind it
		// is tried.
		for _, sealed := range []bool{false, true} {
			data := bytes.Clone(data)
			if sealed {
				if len(data) < recordHeader {
					continue
				}
				data[0], data[1] = recordMagic, recordVersion
				sealRecord(key, data)
			}
			created, rest, err := openRecord(key, data)
			if err != nil {
				if sealed {
					t.Errorf("a sealed record is refused: %v", err)
				}
				continue
			}
			again := append(appendRecordHeader(nil, created), rest...)
			copy(again[10:18], data[10:18]) // the write token
			sealRecord(key, again)
			if created.UnixMilli() != time.UnixMilli(created.UnixMilli()).UnixMilli() || !bytes.Equal(again, data) {
				t.Errorf("%x is read as %x", data, again)
			}
			if _, _, err := openRecord(key+"x", data); err == nil {
				t.Error("the record is taken under another key")
			}
			useRecord(t, m, key, data)
		}
	})
}

func newFuzzManager(f *testing.F) *Manager {
	mem, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		f.Fatal(err)
	}
	m, err := NewManager(Config{Backend: mem, AbsoluteLifetime: day, SweepInterval: -1, OnError: func(*http.Request, error) {}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	return m
}

// useRecord lets a request read and write a session whose record somebody has
// planted.
func useRecord(t *testing.T, m *Manager, key string, data []byte) {
	b := m.cfg.Backend
	ctx := context.Background()
	if err := b.Delete(ctx, key, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Create(ctx, key, data, time.Hour); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "session="+wellFormed)
	var x Exchange
	m.Begin(&x, r, make(http.Header), nil)
	s := &x.session
	for range s.All() {
		continue
	}
	s.Flashes()
	s.Set("new", 1)
	Update(s, "a", func(n int) int { return n + 1 })
	_ = x.Commit()
	x.Finish()
}
