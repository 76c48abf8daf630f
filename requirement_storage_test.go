package sessions_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/codec"
)

var storageRequirements = []requirement{
	{"ST-1", hashAtRest},
	{"ST-2", dataOnly},
	{"ST-3", boundRecords},
	{"ST-7", noDefaultKeys},
	{"ST-8", keyNamespace},
	{"ST-12", expiredGo},
	{"ST-13", shortened},
	{"ST-14", sizeLimit},
}

// Fails when storeKey returns the ID.
func hashAtRest(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil)
		var issued []string
		for range 50 {
			v := s.visitor()
			for _, target := range []string{"/set?a=1", "/login", "/set?b=2"} {
				v.ok(target)
				issued = append(issued, v.jar["session"])
			}
		}
		var dump strings.Builder
		for key, rec := range s.store.rows(t) {
			dump.WriteString(key)
			dump.Write(rec.Data)
		}
		for _, value := range issued {
			if strings.Contains(dump.String(), value) {
				t.Fatal("the store holds a cookie's value")
			}
		}
	})
}

// The codecs' own tests and fuzz targets go further. Fails when the limit of
// depth is a thousand times as high.
func dataOnly(t *testing.T) {
	raw, err := codec.MessagePack{}.Append(nil, map[string]string{"Command": "rm"})
	if err != nil {
		t.Fatal(err)
	}
	v, err := codec.MessagePack{}.Decode(raw)
	if _, ok := v.(map[string]string); !ok || err != nil {
		t.Errorf("decoded %T, %v", v, err)
	}
	deep := bytes.Repeat([]byte{0x91}, 1000) // [[[[...
	if _, err := (codec.MessagePack{}).Decode(append(deep, 0xC0)); err == nil {
		t.Error("1000 arrays inside one another were decoded")
	}
	for kind := range 256 { // extension types that are nobody's
		if v, err := (codec.MessagePack{}).Decode([]byte{0xC7, 3, byte(kind), 'r', 'u', 'n'}); err == nil {
			switch v.(type) {
			case time.Time, time.Duration, complex64, complex128:
			default:
				t.Errorf("extension %d is a %T", kind, v)
			}
		}
	}
}

// Fails when recordSum leaves the key out.
func boundRecords(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil)
		ada, bob := s.visitor(), s.visitor()
		ada.ok("/set?a=ada")
		bob.ok("/set?a=bob")
		var records [][]byte
		var keys []string
		for key, rec := range s.store.rows(t) {
			keys, records = append(keys, key), append(records, rec.Data)
		}
		swap := func(key string, _ []byte) []byte {
			if key == keys[0] {
				return records[1]
			}
			return records[0]
		}
		s.store.rewrite(t, swap)
		if ada.value("a") != "" || bob.value("a") != "" {
			t.Error("a record works under another's key")
		}
		s.store.rewrite(t, swap) // back
		s.store.rewrite(t, func(key string, _ []byte) []byte {
			if key == keys[0] {
				return records[0]
			}
			return records[1]
		})
		if ada.value("a") != "ada" || bob.value("a") != "bob" {
			t.Error("a record does not work under its own key")
		}
		if len(s.errors) == 0 || !errors.Is(s.errors[0], sessions.ErrCorrupt) {
			t.Errorf("reported: %v", s.errors)
		}
	})
}

// Fails when NewSigner takes short keys, and when SESSION_USE_SIGNER has a
// default key.
func noDefaultKeys(t *testing.T) {
	for _, keys := range [][][]byte{nil, {}, {nil}, {[]byte("")}, {[]byte("secret")}, {make([]byte, 31)}, {make([]byte, 32), []byte("old")}} {
		if _, err := sessions.NewSigner(keys...); err == nil {
			t.Errorf("%q are taken for keys", keys)
		}
	}
	for _, settings := range []map[string]any{
		{"SESSION_USE_SIGNER": true},
		{"SESSION_USE_SIGNER": true, "SECRET_KEY": ""},
		{"SESSION_USE_SIGNER": true, "SECRET_KEY": "dev"},
		{"SESSION_USE_SIGNER": true, "SECRET_KEY": strings.Repeat("k", 32), "SECRET_KEY_FALLBACKS": "dev"},
	} {
		if _, err := sessions.FromSettings(settings); err == nil || !strings.Contains(err.Error(), "SECRET_KEY") {
			t.Errorf("%v: %v", settings, err)
		}
	}
}

// Fails when storeKey leaves the prefix out.
func keyNamespace(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		s := mount(nil, sessions.Config{Prefix: "app:"})
		form := regexp.MustCompile(`^app:[A-Za-z0-9_-]{43}$`)
		s.store.meddle = func(_ context.Context, op, key string) error {
			if !form.MatchString(key) {
				t.Errorf("%s of the key %q", op, key)
			}
			return nil
		}
		v := s.visitor()
		v.ok("/set?app:x=1&../../y=2&user=admin")
		v.ok("/login")
		for _, value := range append(hostileValues(), id(1)) {
			s.get("/set?a=1", "session="+value)
		}
		v.ok("/logout")
	})
}

// The rules sweep/* of backendtest hold for every backend that sweeps. Fails
// when the sweeper is not started.
func expiredGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &sweepCounter{store: newStore(t)}
		m := newManager(t, sessions.Config{Backend: store, SweepInterval: time.Hour, Lifetime: 10 * time.Hour})
		var pairs []string
		for range 2500 {
			line := serve(m, request(""), func(s *sessions.Session) { s.Set("a", 1) }).Get("Set-Cookie")
			pairs = append(pairs, strings.Split(line, ";")[0])
		}
		time.Sleep(9 * time.Hour)
		serve(m, request(pairs[0]), func(s *sessions.Session) { s.Get("a") }) // extends it
		time.Sleep(3 * time.Hour)
		if n := store.removed.Load(); n != 2499 || store.sweeps.Load() < 10 {
			t.Errorf("%d records were removed in %d sweeps", n, store.sweeps.Load())
		}
		var v any
		serve(m, request(pairs[0]), func(s *sessions.Session) { v = s.Get("a") })
		if v != 1 {
			t.Error("a live session was swept")
		}
		if err := m.Close(); err != nil { // the sweeper is in the bubble
			t.Error(err)
		}
	})
}

// Fails when openRecord does not look at the length. That the checksum finds
// what the codec would not is TestRecords.
func shortened(t *testing.T) {
	s := mount(t)
	v := s.visitor()
	v.ok("/set?a=1&b=two")
	var whole []byte
	for _, rec := range s.store.rows(t) {
		whole = rec.Data
	}
	for n := range len(whole) {
		s.store.rewrite(t, func(string, []byte) []byte { return whole[:n:n] })
		if v.value("a") != "" || v.value("b") != "" {
			t.Fatalf("%d of %d bytes were decoded", n, len(whole))
		}
	}
	s.store.rewrite(t, func(string, []byte) []byte { return whole })
	if v.value("a") != "1" {
		t.Error("the whole record was not decoded")
	}
}

// Fails when encode does not look at MaxSize.
func sizeLimit(t *testing.T) {
	inEach(t, func(t *testing.T, mount func(routes, ...sessions.Config) *site) {
		for limit, cfg := range map[int]sessions.Config{1 << 20: {}, 1000: {MaxSize: 1000}} {
			s := mount(routes{"/big": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
				sessions.Default(c).Set("big", make([]byte, limit))
				return text(w, "saved")
			}, "/fits": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
				sessions.Default(c).Set("big", make([]byte, limit-100))
				return text(w, "saved")
			}}, cfg)
			v := s.visitor()
			v.ok("/set?a=1")
			writes := s.store.creates.Load() + s.store.updates.Load()
			for range 2 {
				if r := v.get("/big"); r.StatusCode != http.StatusServiceUnavailable {
					t.Errorf("status %d", r.StatusCode)
				}
				s.get("/big") // a new visitor
			}
			if n := s.store.creates.Load() + s.store.updates.Load() - writes; n != 0 {
				t.Errorf("limit %d: %d writes", limit, n)
			}
			for _, err := range s.errors {
				if !errors.Is(err, sessions.ErrTooLarge) || !errors.Is(err, backend.ErrTooLarge) {
					t.Errorf("reported: %v", err)
				}
			}
			if len(s.errors) != 4 || v.value("a") != "1" {
				t.Errorf("limit %d: %d reports, stored %q", limit, len(s.errors), v.value("a"))
			}
			v.ok("/fits")
		}
	})
}
