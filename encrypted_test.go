package sessions

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/codec"
)

func newEncrypted(t *testing.T, keys ...[]byte) codec.Codec {
	t.Helper()
	c, err := codec.NewEncrypted(codec.MessagePack{}, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newEncryptionKey() []byte {
	key := make([]byte, codec.KeySize)
	_, _ = rand.Read(key)
	return key
}

// sharing returns a bench with another Config on the store, and with the
// cookies, of this one.
func (b *bench) sharing(cfg Config) *bench {
	b.t.Helper()
	other := newBench(b.t, cfg)
	other.m.cfg.Backend, other.store, other.cookies, other.clock = b.store, b.store, b.cookies, b.clock
	other.m.now = b.clock.now
	return other
}

// stored returns the key and the bytes of the session that the browser has.
func (b *bench) stored() (key string, data []byte) {
	b.t.Helper()
	key = b.m.storeKey(b.cookies[b.m.cfg.Name].Value)
	rec, err := b.store.Backend.Load(context.Background(), key)
	if err != nil {
		b.t.Fatal(err)
	}
	return key, bytes.Clone(rec.Data)
}

// put replaces a stored record, with a checksum that is right for its key.
func (b *bench) put(key string, data []byte) {
	b.t.Helper()
	sealRecord(key, data)
	if err := b.store.Backend.Delete(context.Background(), key, nil); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.store.Backend.Create(context.Background(), key, data, time.Hour); err != nil {
		b.t.Fatal(err)
	}
}

// wantRefused checks that the browser's record is not read: that its visitor
// gets a fresh session under a new ID, and that the record stays.
func (b *bench) wantRefused(what string) {
	b.t.Helper()
	id := b.cookies[b.m.cfg.Name].Value
	key, before := b.stored()
	b.errs = nil
	b.request(func(s *Session) {
		if s.Get("colour") != nil || !s.IsNew() || s.Len() != 0 {
			b.t.Errorf("%s: the session was read", what)
		}
		s.Set("fresh", true)
	})
	if len(b.errs) != 1 || !errors.Is(b.errs[0], ErrCorrupt) {
		b.t.Errorf("%s: errors %v", what, b.errs)
	}
	if c := b.cookies[b.m.cfg.Name]; c == nil || c.Value == id {
		b.t.Errorf("%s: no session under a new ID", what)
	}
	rec, err := b.store.Backend.Load(context.Background(), key)
	if err != nil || !bytes.Equal(rec.Data, before) {
		b.t.Errorf("%s: the record did not stay as it was: %v", what, err)
	}
}

// Requirement ST-3. Fails when the binding leaves out the store key, the
// cookie's name or the record's header.
func TestRequirementEncryptedRecords(t *testing.T) {
	key := newEncryptionKey()
	cfg := Config{Codec: newEncrypted(t, key), AbsoluteLifetime: 24 * time.Hour}

	t.Run("ST-3/swapped", func(t *testing.T) {
		alice := newBench(t, cfg)
		alice.request(set("colour", "blue"))
		bob := alice.sharing(cfg)
		bob.cookies = make(map[string]*http.Cookie)
		bob.request(set("colour", "red"))
		aliceKey, aliceData := alice.stored()
		bobKey, bobData := bob.stored()
		alice.put(aliceKey, bobData)
		alice.put(bobKey, aliceData)
		alice.wantRefused("alice")
		bob.wantRefused("bob")
	})
	t.Run("ST-3/another name", func(t *testing.T) {
		// With plain IDs both names have the same store key.
		user := newBench(t, Config{Codec: cfg.Codec, PlainIDs: true, Name: "user"})
		user.request(set("colour", "blue"))
		admin := user.sharing(Config{Codec: cfg.Codec, PlainIDs: true, Name: "admin"})
		stolen := *user.cookies["user"]
		stolen.Name = "admin"
		admin.cookies = map[string]*http.Cookie{"admin": &stolen}
		admin.wantRefused("the cookie of another name")
	})
	t.Run("TO-5/creation time", func(t *testing.T) {
		b := newBench(t, cfg)
		b.request(set("colour", "blue"))
		at, data := b.stored()
		binary.BigEndian.PutUint64(data[2:], uint64(time.Now().Add(time.Hour).UnixMilli()))
		b.put(at, data)
		b.wantRefused("a younger session")
	})
	t.Run("ST-3/flipped", func(t *testing.T) {
		b := newBench(t, cfg)
		b.request(set("colour", "blue"))
		at, data := b.stored()
		for i := range data {
			if 18 <= i && i < recordHeader { // the checksum, which put restores
				continue
			}
			flipped := bytes.Clone(data)
			flipped[i] ^= 1
			b.put(at, flipped)
			_, err := b.m.fetch(context.Background(), "", at)
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("byte %d: %v", i, err)
			}
		}
	})
	t.Run("ST-4/plaintext", func(t *testing.T) {
		b := newBench(t, Config{})
		b.request(set("colour", "blue"))
		b.sharing(cfg).wantRefused("plaintext")
	})
	t.Run("ST-4/JSON", func(t *testing.T) {
		b := newBench(t, Config{Codec: codec.JSON{}})
		b.request(set("colour", "blue"))
		b.sharing(cfg).wantRefused("plaintext")
	})
	t.Run("ST-4/encryption turned off", func(t *testing.T) {
		b := newBench(t, cfg)
		b.request(set("colour", "blue"))
		b.sharing(Config{}).wantRefused("ciphertext")
	})
	t.Run("ST-4/another key", func(t *testing.T) {
		b := newBench(t, cfg)
		b.request(set("colour", "blue"))
		b.sharing(Config{Codec: newEncrypted(t, newEncryptionKey())}).wantRefused("another key")
	})
	t.Run("ST-5/rotation", func(t *testing.T) {
		newer := newEncryptionKey()
		b := newBench(t, cfg)
		b.request(set("colour", "blue"))
		during := b.sharing(Config{Codec: newEncrypted(t, newer, key)})
		after := b.sharing(Config{Codec: newEncrypted(t, newer)})

		_, before := b.stored()
		during.request(func(s *Session) {
			if s.Get("colour") != "blue" {
				t.Error("the old key does not read")
			}
		})
		if _, now := b.stored(); !bytes.Equal(now, before) {
			t.Error("reading has written")
		}
		during.request(set("n", 1))
		after.request(func(s *Session) {
			if s.Get("colour") != "blue" || s.Get("n") != 1 {
				t.Error("the save was not under the new key")
			}
		})
		if during.errs != nil || after.errs != nil {
			t.Error(during.errs, after.errs)
		}
		b.wantRefused("a removed key")
	})
}

// The life of a session does not change when it is encrypted: conflicts
// merge, IDs change, sizes are limited as before.
func TestEncryptedLife(t *testing.T) {
	b := newBench(t, Config{Codec: newEncrypted(t, newEncryptionKey()), MaxSize: 300})
	b.request(set("a", 1))
	b.request(func(s *Session) {
		s.Get("a")
		b.request(set("b", 2)) // a conflict
		s.Set("c", 3)
		if err := s.Save(); err != nil {
			t.Error(err)
		}
		if err := s.Regenerate(); err != nil {
			t.Error(err)
		}
	})
	b.request(func(s *Session) {
		if s.Len() != 3 || s.Get("a") != 1 || s.Get("b") != 2 || s.Get("c") != 3 {
			t.Errorf("keys %v", s.Keys())
		}
	})
	if b.errs != nil {
		t.Error(b.errs)
	}
	b.request(set("big", strings.Repeat("x", 210))) // fits without the 70 bytes of the envelope
	if len(b.errs) != 1 || !errors.Is(b.errs[0], ErrTooLarge) {
		t.Errorf("errors %v", b.errs)
	}
}

// hiding is a Codec that hides what else its Codec can do.
type hiding struct{ codec.Codec }

// Nothing is stored when the core cannot see that a Codec encrypts.
func TestEncryptedBehindAnotherCodec(t *testing.T) {
	b := newBench(t, Config{Codec: hiding{newEncrypted(t, newEncryptionKey())}})
	b.request(set("a", 1))
	if b.store.writes != 0 || len(b.errs) != 1 {
		t.Errorf("%d writes, errors %v", b.store.writes, b.errs)
	}
}

func TestEncryptionSettings(t *testing.T) {
	older, newer := newEncryptionKey(), newEncryptionKey()
	text := base64.StdEncoding.EncodeToString
	for what, value := range map[string]any{
		"a string": text(newer) + ", " + text(older),
		"strings":  []string{text(newer), text(older)},
		"bytes":    [][]byte{newer, older},
	} {
		cfg, err := FromSettings(map[string]any{"SESSION_TYPE": "memory", "SESSION_ENCRYPTION_KEYS": value, "SESSION_SERIALIZATION_FORMAT": "json"})
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		sealed, ok := cfg.Codec.(codec.Sealer)
		if !ok {
			t.Fatalf("%s: %T", what, cfg.Codec)
		}
		mine, err := sealed.Seal(nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		first, err := newEncrypted(t, newer).(codec.Sealer).Seal(nil, nil, nil)
		if err != nil || !bytes.Equal(mine[:10], first[:10]) {
			t.Errorf("%s: it is not the first key that encrypts", what)
		}
		old, err := newEncrypted(t, older).(codec.Sealer).Seal(nil, []codec.Entry{{Key: []byte("k"), Raw: []byte("1")}}, nil)
		if err == nil {
			err = sealed.Open(old, nil, func(codec.Entry) error { return errors.New("opened") })
		}
		// The inner codecs differ, so that it was opened is all to be seen.
		if err == nil || strings.Contains(err.Error(), "encrypted:") {
			t.Errorf("%s: the second key does not decrypt: %v", what, err)
		}
	}
	for what, value := range map[string]any{
		"empty": "", "no base64": "not a key!", "short": text(older[:31]), "text": strings.Repeat("k", 32), "one missing": text(older) + ",",
		"twice": text(older) + "," + text(older), "zero": text(make([]byte, 32)), "no keys": []string{}, "number": 5,
	} {
		_, err := FromSettings(map[string]any{"SESSION_ENCRYPTION_KEYS": value})
		if err == nil || !strings.Contains(err.Error(), "SESSION_ENCRYPTION_KEYS must be") || strings.Contains(err.Error(), text(older)[:8]) {
			t.Errorf("%s: %v", what, err)
		}
	}
	t.Setenv("SESSION_ENCRYPTION_KEYS", "")
	if _, err := FromEnv(); err == nil || !strings.Contains(err.Error(), "SESSION_ENCRYPTION_KEYS") {
		t.Errorf("an empty variable: %v", err)
	}
}
