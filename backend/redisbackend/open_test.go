package redisbackend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

func openSetting(v any) (backend.Backend, error) {
	return backend.Open("redis", backend.NewSettings(map[string]any{setting: v}))
}

// TestOpenURL reads back what a URL was understood as. Nothing is dialled.
func TestOpenURL(t *testing.T) {
	for rawURL, want := range map[any]string{
		nil:                                     "client localhost:6379 db=0",
		"redis://":                              "client localhost:6379 db=0",
		"redis://u:p%40%2C@h:1/3?max_retries=5": "client h:1 db=3 user=u password=p@, retries=5",
		"redis://:p,q@h":                        "client h:6379 db=0 password=p,q",
		"redis://h?client_name=a,b":             "client h:6379 db=0 name=a,b",
		"redis://[::1]:7/1":                     "client [::1]:7 db=1",
		"rediss://h:1":                          "client h:1 db=0 tls=h",
		"unix:///run/r.sock?db=2":               "client /run/r.sock db=2",
		"redis://a:1,b,[::1]:3":                 "cluster [a:1 b:6379 [::1]:3]",
		"redis+cluster://u:p@a":                 "cluster [a:6379] user=u password=p",
		"rediss+cluster://a:1,[::1]?max_retries=2": "cluster [a:1 [::1]:6379] tls= retries=2",
		"redis+sentinel://:p@a,b:2/m/4":            "client FailoverClient db=4 password=p",
		"rediss+sentinel://a/m?read_timeout=1s":    "client FailoverClient db=0 tls=",
	} {
		b, err := openSetting(rawURL)
		if err != nil {
			t.Errorf("%v: %v", rawURL, err)
			continue
		}
		if got := describe(t, b.(*Backend).client); got != want {
			t.Errorf("%v is %q, want %q", rawURL, got, want)
		}
		if err := b.(*Backend).Close(); err != nil {
			t.Error(err)
		}
	}
}

func describe(t *testing.T, client redis.UniversalClient) string {
	o := new(redis.Options)
	var text strings.Builder
	switch c := client.(type) {
	case *redis.Client:
		o = c.Options()
		fmt.Fprintf(&text, "client %s db=%d", o.Addr, o.DB)
	case *redis.ClusterClient:
		co := c.Options()
		fmt.Fprintf(&text, "cluster %v", co.Addrs)
		*o = redis.Options{Username: co.Username, Password: co.Password, TLSConfig: co.TLSConfig, MaxRetries: co.MaxRetries,
			ContextTimeoutEnabled: co.ContextTimeoutEnabled, DialTimeout: co.DialTimeout,
			ReadTimeout: co.ReadTimeout, WriteTimeout: co.WriteTimeout}
	}
	if !o.ContextTimeoutEnabled || o.DialTimeout != timeout || o.WriteTimeout != timeout {
		t.Errorf("%s: ContextTimeoutEnabled %t, timeouts %v %v %v", &text, o.ContextTimeoutEnabled, o.DialTimeout, o.ReadTimeout, o.WriteTimeout)
	}
	for _, field := range []struct{ name, value string }{{"user", o.Username}, {"password", o.Password}, {"name", o.ClientName}} {
		if field.value != "" {
			fmt.Fprintf(&text, " %s=%s", field.name, field.value)
		}
	}
	if o.TLSConfig != nil {
		fmt.Fprintf(&text, " tls=%s", o.TLSConfig.ServerName)
	}
	if o.MaxRetries == 5 || o.MaxRetries == 2 {
		fmt.Fprintf(&text, " retries=%d", o.MaxRetries)
	}
	return text.String()
}

// TestOpenRejects has settings that are no client, with a password where one
// could be.
func TestOpenRejects(t *testing.T) {
	var none *redis.Client
	for _, v := range []any{
		"", "secret", "localhost:6379", "http://u:secret@h", "redis+other://:secret@h", "unix+cluster:///secret", "unix://",
		"redis://u:secret/1@h", "redis://u:1/secret@h", "redis://:secret@h/x", "redis://h?secret=1", "redis://h:secret",
		"redis://:secret@a,,b", "redis://:secret@a:x,b", "redis://a,b:secret", "redis+cluster://:secret@a,b/1", "redis+cluster://",
		"redis+sentinel://:secret@a", "redis+sentinel:///secret", "redis+sentinel://a/m/secret", 6379, none,
	} {
		b, err := openSetting(v)
		if err == nil || b != nil {
			t.Errorf("%v was accepted", v)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error for %v tells the password: %v", v, err)
		} else if v != any(none) && !strings.Contains(err.Error(), setting) {
			t.Errorf("the error for %v does not name the setting: %v", v, err)
		}
	}
}

// TestOpenOwns checks that Close closes the client that was opened, and leaves
// alone the one that was passed in.
func TestOpenOwns(t *testing.T) {
	ctx := context.Background()
	passed := standalone(t, true)
	b, err := openSetting(passed)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.(*Backend).Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(ctx, "key", nil); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("Delete after Close: %v", err)
	}
	if err := passed.Ping(ctx).Err(); err != nil {
		t.Errorf("the client that was passed in: %v", err)
	}

	for _, rawURL := range []string{
		"redis://" + testenv.Need(t, "REDIS_ADDR"),
		"redis+cluster://" + testenv.Need(t, "REDIS_CLUSTER_ADDRS"),
		"redis+sentinel://" + testenv.Need(t, "REDIS_SENTINEL_ADDRS") + "/" + testenv.Need(t, "REDIS_SENTINEL_MASTER"),
	} {
		b, err := openSetting(rawURL)
		if err != nil {
			t.Fatal(err)
		}
		key := "test:" + rand.Text()
		if _, err := b.Create(ctx, key, []byte("data"), time.Minute); err != nil {
			t.Errorf("Create at %s: %v", rawURL, err)
		}
		for range 2 {
			if err := b.(*Backend).Close(); err != nil {
				t.Error(err)
			}
		}
		if err := b.(*Backend).client.Ping(ctx).Err(); !errors.Is(err, redis.ErrClosed) {
			t.Errorf("the client that was opened at %s: %v", rawURL, err)
		}
	}
}
