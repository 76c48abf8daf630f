package sessions

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/codec"
)

// FromEnv returns the Config that the environment variables describe, under
// the names of Flask-Session2's settings: see [FromSettings]. An empty
// variable counts as absent, and so does a variable that only happens to
// begin with SESSION_, unless it looks like a setting that was misspelt. But
// an empty SESSION_ENCRYPTION_KEYS is an error: keys that were lost on their
// way do not turn encryption off.
func FromEnv() (Config, error) {
	values := make(map[string]any)
	var errs []error
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case value == "" && name != "SESSION_ENCRYPTION_KEYS", !isSettingName(name):
		case slices.Contains(knownSettings, name):
			values[name] = value
		case nearest(name) != "":
			errs = append(errs, unknownSetting(name))
		default:
			values[name] = value // for a backend that we do not know
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Config{}, fmt.Errorf("sessions: environment: %w", err)
	}
	cfg, _, err := fromSettings(values)
	if err != nil {
		return Config{}, fmt.Errorf("sessions: environment: %w", err)
	}
	return cfg, nil
}

// FromSettings returns the Config that settings describe, by the names that
// Flask-Session2 and Flask give them. docs/configuration.md lists them all
// with their defaults. Values may be strings, as in the environment, or have
// the fitting Go type; where Flask takes a live client, such as SESSION_REDIS,
// so does this.
//
// SESSION_TYPE names the backend, whose package must be imported: package
// backend/all imports every one. Without it there is no backend. The backend
// is opened but its store not yet asked; if the returned Config.Backend is an
// io.Closer, close it in the end. The error names the setting and what it can
// be. Names that begin with SESSION_ and are no setting are an error too.
func FromSettings(values map[string]any) (Config, error) {
	cfg, s, err := fromSettings(values)
	if err == nil {
		var errs []error
		for name := range values {
			if strings.HasPrefix(name, "SESSION_") && !s.Asked(name) && !slices.Contains(knownSettings, name) {
				errs = append(errs, unknownSetting(name))
			}
		}
		err = errors.Join(errs...)
	}
	if err != nil {
		return Config{}, fmt.Errorf("sessions: settings: %w", err)
	}
	return cfg, nil
}

func fromSettings(values map[string]any) (Config, *backend.Settings, error) {
	s := backend.NewSettings(values)
	cfg := Config{
		Name:             s.String("SESSION_COOKIE_NAME", ""),
		Prefix:           s.String("SESSION_KEY_PREFIX", ""),
		PlainIDs:         s.Bool("SESSION_PLAIN_IDS", false),
		Lifetime:         s.Duration("PERMANENT_SESSION_LIFETIME", DefaultLifetime),
		AbsoluteLifetime: s.Duration("SESSION_ABSOLUTE_LIFETIME", 0),
		RefreshInterval:  s.Duration("SESSION_REFRESH_INTERVAL", 0),
		NonPermanent:     !s.Bool("SESSION_PERMANENT", true),
		Path:             s.String("SESSION_COOKIE_PATH", s.String("APPLICATION_ROOT", "")),
		Domain:           s.String("SESSION_COOKIE_DOMAIN", ""),
		ScriptAccess:     !s.Bool("SESSION_COOKIE_HTTPONLY", true),
		Partitioned:      s.Bool("SESSION_COOKIE_PARTITIONED", false),
		MaxSize:          s.Int("SESSION_MAX_SIZE", 0),
		MaxPerPrincipal:  s.Int("SESSION_MAX_PER_PRINCIPAL", 0),
		Timeout:          s.Duration("SESSION_TIMEOUT", 0),
		SweepInterval:    s.Duration("SESSION_SWEEP_INTERVAL", 0),
		FailOpen:         s.Bool("SESSION_FAIL_OPEN", false),
	}
	if cfg.Lifetime == 0 { // which would be the default in a Config
		s.Reject("PERMANENT_SESSION_LIFETIME", "at least a second")
	}
	flask := s.FlaskLayout() != backend.NoFlask
	if flask {
		flaskSettings(s)
	} else if n := s.Int("SESSION_ID_LENGTH", idBytes); n != idBytes {
		s.Reject("SESSION_ID_LENGTH", fmt.Sprintf("%d, the bytes that every ID has", idBytes))
	}
	refreshSettings(s, &cfg)
	cookieSettings(s, &cfg)
	if !flask {
		codecSettings(s, &cfg)
	}
	signerSettings(s, &cfg, flask)
	if err := s.Err(); err != nil {
		return Config{}, s, err
	}
	// Everything but the backend is checked before it is opened.
	if _, err := cfg.complete(); err != nil {
		return Config{}, s, err
	}
	if typ := strings.ToLower(s.String("SESSION_TYPE", "")); typ != "" {
		b, err := backend.Open(typ, s)
		if err != nil {
			return Config{}, s, fmt.Errorf("SESSION_TYPE: %w", err)
		}
		cfg.Backend = b
	}
	if !flask {
		return cfg, s, nil
	}
	cfg = FlaskCompatible(cfg)
	if strings.EqualFold(s.String("SESSION_SERIALIZATION_FORMAT", ""), "json") {
		// Where Flask-Session has a choice; it pickles into files.
		if store, ok := cfg.Backend.(backend.FlaskStore); ok {
			if _, format := store.FlaskLayout(); format == backend.FlaskMsgpack {
				cfg.Codec = flaskCodec(backend.FlaskJSON)
			}
		}
	}
	if _, err := cfg.complete(); err != nil {
		if c, ok := cfg.Backend.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
		return Config{}, s, err
	}
	return cfg, s, nil
}

// flaskSettings checks the settings that mean something else, or must not be
// set, when sessions are shared with Flask.
func flaskSettings(s *backend.Settings) {
	if n := s.Int("SESSION_ID_LENGTH", idBytes); n < minFlaskID || n > maxFlaskID {
		s.Reject("SESSION_ID_LENGTH", fmt.Sprintf("from %d to %d bytes", minFlaskID, maxFlaskID))
	}
	if !s.Bool("SESSION_PLAIN_IDS", true) {
		s.Reject("SESSION_PLAIN_IDS", "true or absent with SESSION_FLASK_COMPATIBLE: Flask has plain IDs")
	}
	if s.Duration("SESSION_ABSOLUTE_LIFETIME", 0) != 0 {
		s.Reject("SESSION_ABSOLUTE_LIFETIME", "absent with SESSION_FLASK_COMPATIBLE: Flask's records do not say when a session was created")
	}
	if _, ok := s.Lookup("SESSION_ENCRYPTION_KEYS"); ok {
		s.Reject("SESSION_ENCRYPTION_KEYS", "absent with SESSION_FLASK_COMPATIBLE: Flask cannot read what is encrypted")
	}
	switch strings.ToLower(s.String("SESSION_SERIALIZATION_FORMAT", "pickle")) {
	case "pickle", "msgpack", "json":
	default:
		s.Reject("SESSION_SERIALIZATION_FORMAT", "pickle, msgpack or json")
	}
}

// refreshSettings reads what says when a session is extended and when expired
// ones are removed. In Flask both happen with every request; here the first
// does so only when asked for, and the second goes on in the background.
func refreshSettings(s *backend.Settings, cfg *Config) {
	if _, ok := s.Lookup("SESSION_REFRESH_EACH_REQUEST"); ok {
		cfg.RefreshInterval = RefreshNever
		if s.Bool("SESSION_REFRESH_EACH_REQUEST", true) {
			cfg.RefreshInterval = RefreshAlways
		}
	}
	if !s.Bool("SESSION_AUTODELETE", true) && s.Int("SESSION_CLEANUP_N_REQUESTS", 0) <= 0 {
		cfg.SweepInterval = -time.Second
	}
}

func cookieSettings(s *backend.Settings, cfg *Config) {
	if _, ok := s.Lookup("SESSION_COOKIE_SECURE"); ok {
		cfg.Secure = SecureNever
		if s.Bool("SESSION_COOKIE_SECURE", false) {
			cfg.Secure = SecureAlways
		}
	}
	switch strings.ToLower(s.String("SESSION_COOKIE_SAMESITE", "lax")) {
	case "lax":
		cfg.SameSite = http.SameSiteLaxMode
	case "strict":
		cfg.SameSite = http.SameSiteStrictMode
	case "none":
		cfg.SameSite = http.SameSiteNoneMode
	default:
		s.Reject("SESSION_COOKIE_SAMESITE", "Lax, Strict or None")
	}
}

func codecSettings(s *backend.Settings, cfg *Config) {
	switch strings.ToLower(s.String("SESSION_SERIALIZATION_FORMAT", "msgpack")) {
	case "msgpack":
		cfg.Codec = codec.MessagePack{}
	case "json":
		cfg.Codec = codec.JSON{}
	default:
		s.Reject("SESSION_SERIALIZATION_FORMAT", "msgpack or json, or pickle with SESSION_FLASK_COMPATIBLE")
	}
	if keys, ok := encryptionKeys(s); ok {
		encrypted, err := codec.NewEncrypted(cfg.Codec, keys...)
		if err != nil {
			rejectEncryptionKeys(s)
			return
		}
		cfg.Codec = encrypted
	}
}

// encryptionKeys returns the keys that are set, and whether there are any. A
// setting that cannot be read is rejected: it never turns encryption off.
func encryptionKeys(s *backend.Settings) (keys [][]byte, ok bool) {
	var texts []string
	switch v, _ := s.Lookup("SESSION_ENCRYPTION_KEYS"); v := v.(type) {
	case nil:
		return nil, false
	case [][]byte:
		return v, true
	case []string:
		texts = v
	case string:
		texts = strings.Split(v, ",")
	}
	for _, text := range texts {
		key, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(text))
		if err != nil {
			rejectEncryptionKeys(s)
			return nil, false
		}
		keys = append(keys, key)
	}
	return keys, true // with none, of whatever type, NewEncrypted returns an error
}

func rejectEncryptionKeys(s *backend.Settings) {
	s.Reject("SESSION_ENCRYPTION_KEYS", fmt.Sprintf("different keys of exactly %d random bytes each, in base64, separated by commas; openssl rand -base64 %[1]d makes one", codec.KeySize))
}

func signerSettings(s *backend.Settings, cfg *Config, flask bool) {
	if !s.Bool("SESSION_USE_SIGNER", false) {
		return
	}
	keys := [][]byte{[]byte(s.String("SECRET_KEY", ""))}
	switch fallbacks, _ := s.Lookup("SECRET_KEY_FALLBACKS"); fallbacks := fallbacks.(type) {
	case nil:
	case []string:
		for _, key := range fallbacks {
			keys = append(keys, []byte(key))
		}
	case string:
		for key := range strings.SplitSeq(fallbacks, ",") {
			keys = append(keys, []byte(strings.TrimSpace(key)))
		}
	default:
		s.Reject("SECRET_KEY_FALLBACKS", "a list of keys, or keys separated by commas")
	}
	if flask {
		var err error
		if cfg.Signer, err = NewFlaskSigner(keys...); err != nil {
			s.Reject("SECRET_KEY", "set, as SESSION_USE_SIGNER is, to that of the Flask application; none of SECRET_KEY_FALLBACKS may be empty")
		}
		return
	}
	for _, key := range keys {
		if len(key) < minKeyBytes {
			s.Reject("SECRET_KEY", fmt.Sprintf("set, as SESSION_USE_SIGNER is, to at least %d random bytes; so must every one of SECRET_KEY_FALLBACKS", minKeyBytes))
			return
		}
	}
	cfg.Signer, _ = NewSigner(keys...)
}
