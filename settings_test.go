package sessions

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/codec"
)

func TestFromSettings(t *testing.T) {
	key := strings.Repeat("k", 32)
	cfg, err := FromSettings(map[string]any{
		"SESSION_TYPE": "memory", "SESSION_PERMANENT": false, "SESSION_USE_SIGNER": true, "SECRET_KEY": key,
		"SECRET_KEY_FALLBACKS": []string{key}, "SESSION_KEY_PREFIX": "p:", "SESSION_COOKIE_NAME": "sid",
		"SESSION_COOKIE_DOMAIN": "example.com", "APPLICATION_ROOT": "/app", "SESSION_COOKIE_HTTPONLY": false,
		"SESSION_COOKIE_SECURE": true, "SESSION_COOKIE_SAMESITE": "None", "SESSION_COOKIE_PARTITIONED": "yes",
		"SESSION_REFRESH_EACH_REQUEST": true, "PERMANENT_SESSION_LIFETIME": 3600, "SESSION_AUTODELETE": false,
		"SESSION_SERIALIZATION_FORMAT": "json", "SESSION_ID_LENGTH": 32, "SESSION_ABSOLUTE_LIFETIME": "24h",
		"SESSION_REDIS": nil, "SESSION_FILE_THRESHOLD": 500, "DEBUG": true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Backend == nil || !cfg.NonPermanent || cfg.Signer == nil || cfg.Prefix != "p:" || cfg.Name != "sid" ||
		cfg.Domain != "example.com" || cfg.Path != "/app" || !cfg.ScriptAccess || cfg.Secure != SecureAlways ||
		cfg.SameSite != http.SameSiteNoneMode || !cfg.Partitioned || cfg.RefreshInterval != RefreshAlways ||
		cfg.Lifetime != time.Hour || cfg.SweepInterval >= 0 || cfg.Codec != (codec.JSON{}) || cfg.AbsoluteLifetime != 24*time.Hour {
		t.Errorf("%+v", cfg)
	}

	cfg, err = FromSettings(nil)
	if err != nil || cfg.Backend != nil || cfg.NonPermanent || cfg.Lifetime != 31*day || cfg.Secure != SecureAuto || cfg.RefreshInterval != 0 {
		t.Errorf("defaults: %+v, %v", cfg, err)
	}
}

func TestFromSettingsErrors(t *testing.T) {
	for name, test := range map[string]struct {
		settings map[string]any
		want     []string
	}{
		"type":          {map[string]any{"SESSION_TYPE": "reddis"}, []string{"SESSION_TYPE", "reddis", "memory", "null"}},
		"name":          {map[string]any{"SESSION_TYP": "redis"}, []string{"SESSION_TYP ", "SESSION_TYPE"}},
		"unknown":       {map[string]any{"SESSION_NONSENSE": 1}, []string{"SESSION_NONSENSE", "SESSION_KEY_PREFIX"}},
		"SameSite":      {map[string]any{"SESSION_COOKIE_SAMESITE": "lux"}, []string{"SESSION_COOKIE_SAMESITE", "Lax, Strict or None"}},
		"bool":          {map[string]any{"SESSION_PERMANENT": "perhaps"}, []string{"SESSION_PERMANENT", "true or false"}},
		"lifetime":      {map[string]any{"PERMANENT_SESSION_LIFETIME": 0}, []string{"PERMANENT_SESSION_LIFETIME"}},
		"half a second": {map[string]any{"PERMANENT_SESSION_LIFETIME": 0.5}, []string{"Lifetime", "1s"}},
		"no duration":   {map[string]any{"SESSION_TIMEOUT": "soon"}, []string{"SESSION_TIMEOUT", "90m"}},
		"codec":         {map[string]any{"SESSION_SERIALIZATION_FORMAT": "pickle"}, []string{"msgpack or json"}},
		"no key":        {map[string]any{"SESSION_USE_SIGNER": true}, []string{"SECRET_KEY", "32"}},
		"short key":     {map[string]any{"SESSION_USE_SIGNER": true, "SECRET_KEY": "dev"}, []string{"SECRET_KEY", "32"}},
		"ID length":     {map[string]any{"SESSION_ID_LENGTH": 16}, []string{"SESSION_ID_LENGTH", "32"}},
		"cookie":        {map[string]any{"SESSION_COOKIE_SAMESITE": "None"}, []string{"SecureAlways"}},
		"two at once":   {map[string]any{"SESSION_PERMANENT": "x", "SESSION_MAX_SIZE": "y"}, []string{"SESSION_PERMANENT", "SESSION_MAX_SIZE"}},
	} {
		_, err := FromSettings(test.settings)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is missing in: %v", name, want, err)
			}
		}
	}
}

func TestFromEnv(t *testing.T) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); isSettingName(name) {
			t.Setenv(name, "")
		}
	}
	t.Setenv("SESSION_TYPE", "memory")
	t.Setenv("SESSION_MEMORY_MAX", "10")
	t.Setenv("SESSION_MANAGER", "local/desktop:@/tmp/.ICE-unix/1") // of X11
	t.Setenv("SESSION_COOKIE_NAME", "sid")
	cfg, err := FromEnv()
	if err != nil || cfg.Name != "sid" || cfg.Backend == nil {
		t.Errorf("%+v, %v", cfg, err)
	}
	t.Setenv("SESSION_COKIE_NAME", "sid")
	if _, err := FromEnv(); err == nil || !strings.Contains(err.Error(), "SESSION_COOKIE_NAME") {
		t.Errorf("a misspelt variable: %v", err)
	}
}
