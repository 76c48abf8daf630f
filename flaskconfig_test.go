package sessions

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/filebackend"
	"github.com/go-session2/sessions/backend/memcachedbackend"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/codec"
)

// onRedis returns a backend whose server is not there.
func onRedis(t *testing.T, layout backend.FlaskLayout) backend.Backend {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { client.Close() })
	b, err := redisbackend.NewWithConfig(client, redisbackend.Config{Flask: layout})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFlaskConfig has Configs that cannot be kept, each with what the error
// must say.
func TestFlaskConfig(t *testing.T) {
	memory, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	flask := onRedis(t, backend.FlaskSession2)
	encrypted, err := codec.NewEncrypted(codec.Pickle{}, []byte("0123456789abcdefghijklmnopqrstuv"))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	for want, cfg := range map[string]Config{
		"pass the Config through FlaskCompatible": {Backend: flask},
		"needs a Backend that Flask's":            FlaskCompatible(Config{}),
		"extensions know":                         FlaskCompatible(Config{Backend: memory}),
		"NewWithConfig with Flask":                FlaskCompatible(Config{Backend: onRedis(t, backend.NoFlask)}),
		"AbsoluteLifetime must be 0":              FlaskCompatible(Config{Backend: flask, AbsoluteLifetime: time.Hour}),
		"cannot read what the Codec encrypts":     FlaskCompatible(Config{Backend: flask, Codec: encrypted}),
		"codec.MessagePack writes":                FlaskCompatible(Config{Backend: flask, Codec: codec.MessagePack{}}),
		"codec.JSON writes":                       FlaskCompatible(Config{Backend: flask, Codec: codec.JSON{}}),
		"NewFlaskSigner":                          FlaskCompatible(Config{Backend: flask, Signer: signer}),
	} {
		if _, err := NewManager(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}

	// The backend may be set before or after.
	cfg := FlaskCompatible(Config{})
	cfg.Backend = flask
	m, err := NewManager(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if m.cfg.Codec != (codec.Pickle{}) || m.storeKey("id") != "session:id" || m.cfg.RefreshInterval != 0 {
		t.Errorf("%#v, key %q", m.cfg.Codec, m.storeKey("id"))
	}
}

// TestFlaskCodec has each extension's format, where the backend says it.
func TestFlaskCodec(t *testing.T) {
	type settings = map[string]any
	pickle, pickle0 := codec.Codec(codec.Pickle{}), codec.Codec(codec.Pickle{Protocol: codec.PickleProtocol0})
	msgpack, json := flaskCodec(backend.FlaskMsgpack), flaskCodec(backend.FlaskJSON)
	for name, c := range map[string]struct {
		settings settings
		want     codec.Codec
	}{
		"redis":              {settings{"SESSION_TYPE": "redis"}, pickle},
		"redis pickle":       {settings{"SESSION_TYPE": "redis", "SESSION_SERIALIZATION_FORMAT": "Pickle"}, pickle},
		"redis msgpack":      {settings{"SESSION_TYPE": "redis", "SESSION_SERIALIZATION_FORMAT": "msgpack"}, msgpack},
		"redis json":         {settings{"SESSION_TYPE": "redis", "SESSION_SERIALIZATION_FORMAT": "JSON"}, json},
		"memcached":          {settings{"SESSION_TYPE": "memcached"}, pickle0},
		"memcached msgpack":  {settings{"SESSION_TYPE": "memcached", "SESSION_SERIALIZATION_FORMAT": "msgpack"}, msgpack},
		"filesystem":         {settings{"SESSION_TYPE": "filesystem"}, pickle},
		"filesystem msgpack": {settings{"SESSION_TYPE": "filesystem", "SESSION_SERIALIZATION_FORMAT": "msgpack"}, pickle},
		"filesystem json":    {settings{"SESSION_TYPE": "filesystem", "SESSION_SERIALIZATION_FORMAT": "json"}, pickle},
	} {
		c.settings["SESSION_FLASK_COMPATIBLE"] = "true"
		c.settings["SESSION_FILE_DIR"] = t.TempDir()
		c.settings["SESSION_ID_LENGTH"] = 64
		c.settings["SESSION_FILE_THRESHOLD"] = 500
		c.settings["SESSION_USE_SIGNER"] = true
		c.settings["SECRET_KEY"] = "dev"
		cfg, err := FromSettings(c.settings)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, err := NewManager(cfg)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		defer m.Close()
		if got, want := sample(t, m.cfg.Codec), sample(t, c.want); got != want {
			t.Errorf("%s: it writes %q, want %q", name, got, want)
		}
		if _, ok := m.cfg.Signer.(*flaskSigner); !ok {
			t.Errorf("%s: the signer is a %T", name, m.cfg.Signer)
		}
		switch b := m.cfg.Backend.(type) {
		case *filebackend.Backend:
			b.Close()
		case *redisbackend.Backend:
			b.Close()
		case *memcachedbackend.Backend:
			b.Close()
		}
	}
}

// sample returns a session as a codec writes it.
func sample(t *testing.T, cdc codec.Codec) string {
	t.Helper()
	raw, err := cdc.Append(nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := cdc.Join(nil, []codec.Entry{{Key: []byte("a"), Raw: raw}})
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// TestFlaskCodecReads has the formats of Flask-Session read what the other
// ones have written, as Flask-Session does.
func TestFlaskCodecReads(t *testing.T) {
	for _, format := range []backend.FlaskFormat{backend.FlaskMsgpack, backend.FlaskJSON} {
		for _, other := range []codec.Codec{codec.FlaskMessagePack{}, codec.FlaskJSON{}, codec.Pickle{}, codec.Pickle{Protocol: codec.PickleProtocol0}} {
			reader, n := flaskCodec(format), 0
			err := reader.Split([]byte(sample(t, other)), func(e codec.Entry) error {
				n++
				if v, err := reader.Decode(e.Raw); string(e.Key) != "a" || v != "x" || err != nil {
					t.Errorf("%s: %q is %v, %v", format, e.Key, v, err)
				}
				return nil
			})
			if n != 1 || err != nil {
				t.Errorf("%s: %d keys, %v", format, n, err)
			}
		}
	}
}

func TestFlaskSettingsErrors(t *testing.T) {
	for want, settings := range map[string]map[string]any{
		"msgpack or json":            {"SESSION_FLASK_COMPATIBLE": false, "SESSION_SERIALIZATION_FORMAT": "pickle"},
		"pickle, msgpack or json":    {"SESSION_SERIALIZATION_FORMAT": "gob"},
		"SESSION_PLAIN_IDS":          {"SESSION_PLAIN_IDS": false},
		"SESSION_ABSOLUTE_LIFETIME":  {"SESSION_ABSOLUTE_LIFETIME": "24h"},
		"SESSION_ENCRYPTION_KEYS":    {"SESSION_ENCRYPTION_KEYS": base64.StdEncoding.EncodeToString(make([]byte, codec.KeySize))},
		"from 16 to 64 bytes":        {"SESSION_ID_LENGTH": 15},
		"from 16":                    {"SESSION_ID_LENGTH": 65},
		"SECRET_KEY must be":         {"SESSION_USE_SIGNER": true},
		"none of SECRET_KEY":         {"SESSION_USE_SIGNER": true, "SECRET_KEY": "a", "SECRET_KEY_FALLBACKS": "b,,c"},
		"needs a Backend that Flask": {"SESSION_TYPE": "memory"},
		"redis, memcached":           {},
		"true or false":              {"SESSION_FLASK_COMPATIBLE": "perhaps"},
	} {
		if _, ok := settings["SESSION_FLASK_COMPATIBLE"]; !ok {
			settings["SESSION_FLASK_COMPATIBLE"] = true
		}
		if _, err := FromSettings(settings); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

// FuzzFlaskID checks that exactly those strings are IDs that Flask can have
// made, or newID.
func FuzzFlaskID(f *testing.F) {
	for _, seed := range []string{
		"", wellFormed, wellFormed[1:], wellFormed + "A", wellFormed[1:] + "B", "7784546d-81b0-4c1a-a337-92bbeb8d175e", "7784546d-81b0-4c1a-a337-92bbeb8d175\n",
		strings.Repeat("A", 21), strings.Repeat("A", 22), strings.Repeat("A", 25), strings.Repeat("A", 24) + "\n", strings.Repeat("A", 86), strings.Repeat("A", 87),
		strings.Repeat("A", 84) + "\r\n", strings.Repeat("é", 20), "a.b.c",
	} {
		f.Add(seed)
	}
	signer, err := NewFlaskSigner([]byte("key"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		raw, err := base64.RawURLEncoding.DecodeString(s)
		could := err == nil && len(raw) >= minFlaskID && len(raw) <= maxFlaskID && base64.RawURLEncoding.EncodeToString(raw) == s
		if validFlaskID(s) != could {
			t.Errorf("validFlaskID(%q) is %v", s, !could)
		}
		if id, ok := signer.Verify("", signer.Sign("", s)); !ok || id != s {
			t.Errorf("a signature of %q does not verify", s)
		}
		if _, ok := signer.Verify("", s); ok {
			t.Errorf("%q is a signature", s)
		}
	})
}
