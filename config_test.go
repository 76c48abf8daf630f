package sessions

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestConfigErrors(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  Config
		want string // part of the error; empty: valid
	}{
		"zero":                  {Config{}, ""},
		"half a second":         {Config{Lifetime: time.Second / 2}, "Lifetime"},
		"negative":              {Config{Lifetime: -time.Hour}, "Lifetime"},
		"401 days":              {Config{Lifetime: 401 * day}, "400 days"},
		"401 days, transient":   {Config{Lifetime: 401 * day, NonPermanent: true}, ""},
		"short absolute":        {Config{AbsoluteLifetime: time.Millisecond}, "AbsoluteLifetime"},
		"negative absolute":     {Config{AbsoluteLifetime: -1}, "AbsoluteLifetime"},
		"refresh":               {Config{RefreshInterval: -time.Minute}, "RefreshInterval"},
		"timeout":               {Config{Timeout: -1}, "Timeout"},
		"size":                  {Config{MaxSize: -1}, "MaxSize"},
		"cookie name":           {Config{Name: "my session"}, "Name"},
		"cookie path":           {Config{Path: "/a;b"}, "Path"},
		"cookie domain":         {Config{Domain: "exa mple.com"}, "Domain"},
		"SameSite default":      {Config{SameSite: http.SameSiteDefaultMode}, "SameSite"},
		"SameSite None":         {Config{SameSite: http.SameSiteNoneMode}, "SecureAlways"},
		"SameSite None, secure": {Config{SameSite: http.SameSiteNoneMode, Secure: SecureAlways}, ""},
		"Partitioned":           {Config{Partitioned: true, Secure: SecureNever}, "SecureAlways"},
		"unknown policy":        {Config{Secure: 7}, "Secure"},
		"__Host-":               {Config{Name: "__Host-s", Secure: SecureAlways}, ""},
		"__Host-, not secure":   {Config{Name: "__Host-s"}, "SecureAlways"},
		"__Host-, path":         {Config{Name: "__Host-s", Secure: SecureAlways, Path: "/app"}, `Path "/"`},
		"__Host-, domain":       {Config{Name: "__Host-s", Secure: SecureAlways, Domain: "example.com"}, "no Domain"},
		"__HOST-":               {Config{Name: "__HOST-s", Secure: SecureAlways}, "__Host- exactly"},
		"__Secure-":             {Config{Name: "__Secure-s"}, "SecureAlways"},
		"__Secure-, path":       {Config{Name: "__Secure-s", Secure: SecureAlways, Path: "/app"}, ""},
	} {
		m, err := NewManager(test.cfg)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.want != "" && err == nil:
			t.Errorf("%s: accepted", name)
		case test.want != "" && !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: the error does not speak of %s: %v", name, test.want, err)
		}
		if m != nil {
			m.Close()
		}
	}
}

func TestSignerKeys(t *testing.T) {
	for _, keys := range [][][]byte{nil, {nil}, {make([]byte, 31)}, {make([]byte, 32), []byte("short")}} {
		if _, err := NewSigner(keys...); err == nil {
			t.Errorf("%d keys were accepted", len(keys))
		}
	}
}

func TestIDs(t *testing.T) {
	seen := make(map[string]bool)
	for range 10_000 {
		id := newID()
		if !validID(id) || seen[id] {
			t.Fatal("an ID is invalid or was made twice")
		}
		seen[id] = true
	}
	good := newID()
	for _, bad := range []string{"", good[:42], good + "A", good[:42] + "=", good[:42] + "\n", good[:41] + "\r\n", good[:42] + "B", strings.Repeat("é", 21) + "x"} {
		if validID(bad) {
			t.Errorf("%q is taken for an ID", bad)
		}
	}
}
