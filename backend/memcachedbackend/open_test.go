package memcachedbackend

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

func openWith(values map[string]any) (*Backend, error) {
	b, err := backend.Open("memcached", backend.NewSettings(values))
	if err != nil {
		return nil, err
	}
	return b.(*Backend), nil
}

func TestOpen(t *testing.T) {
	addr := testenv.Need(t, "MEMCACHED_ADDR")
	for name, value := range map[string]any{
		"address": addr, "addresses": addr + ", " + addr, "client": connect(t),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := openWith(map[string]any{setting: value})
			if err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			if err := b.Ping(ctx); err != nil {
				t.Fatal(err)
			}
			key, _ := create(t, b, "data", time.Minute)
			if rec := load(t, b, key); string(rec.Data) != "data" {
				t.Errorf("the record holds %q", rec.Data)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			if err := b.Ping(ctx); err == nil {
				t.Error("Ping works after Close")
			}
			if c, ok := value.(*memcache.Client); ok {
				if _, err := c.Get(key); err != nil {
					t.Errorf("the client does not work after Close: %v", err)
				}
			}
		})
	}
}

func TestParseServers(t *testing.T) {
	for list, want := range map[string]string{
		"127.0.0.1:11211":         "tcp 127.0.0.1:11211",
		"a:1,b:2 , c":             "tcp a:1, tcp b:2, tcp c:11211",
		"[::1]:5,::1,[::1]":       "tcp [::1]:5, tcp [::1]:11211, tcp [::1]:11211",
		"/run/memcached.sock,a:1": "unix /run/memcached.sock, tcp a:1",
	} {
		all, ok := parseServers(list)
		var got []string
		for _, a := range all {
			got = append(got, a.Network()+" "+a.String())
		}
		if !ok || strings.Join(got, ", ") != want {
			t.Errorf("%q is %q, want %q", list, got, want)
		}
	}
	for _, bad := range []any{"", ",", "a:1,", ":11211", "user:secret@host:1", "memcached://host:1", 11211, []string{"a:1"}, (*memcache.Client)(nil)} {
		_, err := openWith(map[string]any{setting: bad})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("opening %#v: %v", bad, err)
		}
	}
}

// TestUnknownHost opens a backend before the name of its server is known.
func TestUnknownHost(t *testing.T) {
	b, err := openWith(map[string]any{setting: "no-such-host.invalid:11211"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := b.Ping(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("Ping: %v", err)
	}
}

func TestDefault(t *testing.T) {
	b, err := openWith(nil)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := parseServers(defaultServer); !slices.Equal(want, servers{{"tcp", "127.0.0.1:11211"}}) || !b.owned {
		t.Errorf("the default is %v", want)
	}
}

// TestPickServer compares the server of each key with that of gomemcache, so
// that programs which make their own client find the same records.
func TestPickServer(t *testing.T) {
	list := []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"}
	var theirs memcache.ServerList
	if err := theirs.SetServers(list...); err != nil {
		t.Fatal(err)
	}
	ours, _ := parseServers(strings.Join(list, ","))
	for i := range 1000 {
		key := fmt.Sprint("session:", i)
		want, _ := theirs.PickServer(key)
		if got, _ := ours.PickServer(key); got.String() != want.String() {
			t.Fatalf("key %d belongs to %v, for gomemcache to %v", i, got, want)
		}
	}
}
