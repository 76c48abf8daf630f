package elasticbackend

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

func openSettings(values map[string]any) (*Backend, error) {
	b, err := backend.Open("elasticsearch", backend.NewSettings(values))
	if err != nil {
		return nil, err
	}
	return b.(*Backend), nil
}

// TestOpenHost reads back what a setting was understood as. Nothing is
// dialled.
func TestOpenHost(t *testing.T) {
	for host, want := range map[any]string{
		nil:                        "http://localhost:9200",
		"http://h":                 "http://h",
		"https://h:1/":             "https://h:1",
		"http://h:1/elastic/":      "http://h:1/elastic",
		"http://a:1, https://b":    "http://a:1 https://b",
		"http://[::1]:7":           "http://[::1]:7",
		"http://u:p%40%2C%2F@h:92": "http://u:p%40,%2F@h:92",
	} {
		b, err := openSettings(map[string]any{hostSetting: host})
		if err != nil {
			t.Errorf("%v: %v", host, err)
			continue
		}
		var got []string
		for _, u := range b.client.(*elastictransport.Client).URLs() {
			got = append(got, u.String())
		}
		if text := strings.Join(got, " "); text != want || b.index != "sessions" {
			t.Errorf("%v is %q in %q, want %q", host, text, b.index, want)
		}
		b.Close()
	}
}

// TestOpenRejects has settings that cannot be used, with a password where one
// could be.
func TestOpenRejects(t *testing.T) {
	var none *elastictransport.Client
	for _, values := range []map[string]any{
		{hostSetting: ""}, {hostSetting: "secret"}, {hostSetting: "localhost:9200"}, {hostSetting: "redis://:secret@h"},
		{hostSetting: "http://"}, {hostSetting: "http://u:secret/x@h:1"}, {hostSetting: "http://u:secret@h:port"},
		{hostSetting: "http://h,,http://secret"}, {hostSetting: "http://h?secret"}, {hostSetting: "http://h#secret"}, {hostSetting: "http://:9200"},
		{hostSetting: 9200},
		{indexSetting: "Secret"}, {indexSetting: "secret/x"}, {indexSetting: ""}, {indexSetting: 1},
		{clientSetting: "http://u:secret@h"}, {clientSetting: 1}, {clientSetting: http.DefaultClient}, {clientSetting: none},
	} {
		b, err := openSettings(values)
		if err == nil || b != nil {
			t.Errorf("%v was accepted", values)
			continue
		}
		if strings.Contains(strings.ToLower(err.Error()), "secret") {
			t.Errorf("the error for %v tells the value: %v", values, err)
		}
		for name, v := range values {
			if v != any(none) && !strings.Contains(err.Error(), name) {
				t.Errorf("the error for %v does not name the setting: %v", values, err)
			}
		}
	}
}

// TestOpenPassword checks what is sent to a server with a user.
func TestOpenPassword(t *testing.T) {
	var user, password string
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ = r.BasicAuth()
		w.WriteHeader(http.StatusUnauthorized)
	})
	b, err := openSettings(map[string]any{hostSetting: strings.Replace(addr, "://", "://me:p%40ss%2C@", 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	_, err = b.Load(context.Background(), "key")
	if user != "me" || password != "p@ss," {
		t.Errorf("sent %q, %q", user, password)
	}
	if err == nil || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "ss") && strings.Contains(err.Error(), "me:") {
		t.Errorf("Load: %v", err)
	}
}

// TestOpen uses a backend that its settings have opened, with a URL and with a
// client.
func TestOpen(t *testing.T) {
	ctx := context.Background()
	index := newIndex(t)
	passed := connect(t)
	for _, values := range []map[string]any{
		{indexSetting: index, hostSetting: testenv.Need(t, "ELASTICSEARCH_URL")},
		{indexSetting: index, clientSetting: passed},
		{indexSetting: index, clientSetting: passed, hostSetting: "http://localhost:1"},
	} {
		b, err := openSettings(values)
		if err != nil {
			t.Fatal(err)
		}
		key := newKey()
		must[backend.Revision](t)(b.Create(ctx, key, []byte("data"), time.Minute))
		for range 2 {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := b.Load(ctx, key); !errors.Is(err, backend.ErrClosed) {
			t.Errorf("Load after Close: %v", err)
		}
	}
	// The client that was passed in goes on.
	if err := openOn(t, passed, Config{Index: index}).Ping(ctx); err != nil {
		t.Error(err)
	}
}
