package memcachedbackend

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

func flask(t testing.TB, client *memcache.Client, layout backend.FlaskLayout) *Backend {
	t.Helper()
	b, err := NewWithConfig(client, Config{Flask: layout})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFlaskConformance(t *testing.T) {
	client := connect(t)
	open := func(t testing.TB) backend.Backend { return flask(t, connect(t), backend.FlaskSession2) }
	backendtest.Run(t, backendtest.Harness{
		Open:   open,
		Reopen: open,
		Overwrite: func(t testing.TB, key string, data []byte) {
			if err := client.Set(&memcache.Item{Key: key, Value: data}); err != nil {
				t.Fatal(err)
			}
		},
		Resolution:    2 * time.Second,
		MaxSize:       DefaultMaxSize,
		TouchShortens: true,
		Flask:         true,
	})
}

// TestFlaskCaptured has an item that each extension has stored, with the
// expiry that it gave it.
func TestFlaskCaptured(t *testing.T) {
	const month = 31 * 24 * 60 * 60
	for _, capture := range []struct {
		layout  backend.FlaskLayout
		format  backend.FlaskFormat
		value   string
		seconds int
	}{
		{backend.FlaskSession2, backend.FlaskPickle0, "286470300a565f7065726d616e656e740a70310a4930310a7356760a70320a5668656c6c6f0a70330a732e", -1},
		{backend.FlaskSession, backend.FlaskMsgpack, "82aa5f7065726d616e656e74c3a176a568656c6c6f", month},
	} {
		client, ctx := connect(t), context.Background()
		b := flask(t, client, capture.layout)
		if layout, format := b.FlaskLayout(); layout != capture.layout || format != capture.format {
			t.Errorf("layout %v, format %q", layout, format)
		}
		key, value := newKey(), capture.value
		bytes, err := hex.DecodeString(value)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Delete(key) })
		item := &memcache.Item{Key: key, Value: bytes}
		if capture.seconds > 0 {
			item.Expiration = int32(time.Now().Unix() + month)
		}
		if err := client.Set(item); err != nil {
			t.Fatal(err)
		}
		rec := load(t, b, key)
		if hex.EncodeToString(rec.Data) != value || !rec.Expires.IsZero() {
			t.Errorf("the record is %q until %v", rec.Data, rec.Expires)
		}
		if left := secondsLeft(t, key); left > month+5 || left < capture.seconds-10 {
			t.Errorf("%d seconds are left", left)
		}
		stored := func(op, want string, ttl time.Duration) {
			t.Helper()
			item, err := client.Get(key)
			if err != nil {
				t.Fatal(err)
			}
			if string(item.Value) != want || item.Flags != 0 {
				t.Errorf("%s stored %q with flags %d", op, item.Value, item.Flags)
			}
			seconds := int(ttl / time.Second)
			if left := secondsLeft(t, key); left < seconds-10 || left > seconds+5 {
				t.Errorf("after %s %d seconds are left", op, left)
			}
		}
		if err := b.Touch(ctx, key, time.Hour); err != nil {
			t.Fatal(err)
		}
		stored("Touch", string(bytes), time.Hour)
		if _, err := b.Update(ctx, key, []byte("new"), 40*24*time.Hour, rec.Revision); err != nil {
			t.Fatal(err)
		}
		stored("Update", "new", 40*24*time.Hour)
		if err := b.Delete(ctx, key, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Create(ctx, key, bytes, 90*time.Second); err != nil {
			t.Fatal(err)
		}
		stored("Create", string(bytes), 90*time.Second)
	}
}

// flaskSteps is steps with what a touch costs there.
func flaskSteps(b *Backend, key string) []step {
	all := steps(b, key)
	for i := range all {
		if strings.HasPrefix(all[i].name, "Touch") {
			all[i].commands = "touch"
		}
	}
	return all
}

func TestFlaskCommands(t *testing.T) {
	client := connect(t)
	w := tap(client)
	for _, step := range flaskSteps(flask(t, client, backend.FlaskSession), newKey()) {
		if err := step.run(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := w.take(); !slices.Equal(got, strings.Fields(step.commands)) {
			t.Errorf("%s sent %q, want %s", step.name, got, step.commands)
		}
	}
}

// TestFlaskLostReply loses the reply to a write. It has happened, which the
// operation cannot know and must not deny; and a second one never happens.
func TestFlaskLostReply(t *testing.T) {
	client, ctx := connect(t), context.Background()
	w := tap(client)
	b := flask(t, client, backend.FlaskSession2)
	lost := func(op string, err error) {
		t.Helper()
		if !errors.Is(err, errLost) {
			t.Errorf("%s: %v", op, err)
		}
		if w.lose.Load() {
			t.Errorf("%s lost no reply", op)
		}
	}
	key := newKey()
	t.Cleanup(func() { client.Delete(key) })
	w.lose.Store(true)
	_, err := b.Create(ctx, key, []byte("one"), time.Minute)
	lost("Create", err)
	rec := load(t, b, key)
	w.lose.Store(true)
	_, err = b.Update(ctx, key, []byte("two"), time.Minute, rec.Revision)
	lost("Update", err)
	rec = load(t, b, key)
	if string(rec.Data) != "two" {
		t.Errorf("the record is %q", rec.Data)
	}
	w.lose.Store(true)
	lost("Delete", b.Delete(ctx, key, rec.Revision))
	if _, err := b.Load(ctx, key); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Load of what was deleted: %v", err)
	}

	// What may be repeated is.
	key, _ = create(t, b, "data", time.Minute)
	for _, call := range []func() error{
		func() error { _, err := b.Load(ctx, key); return err },
		func() error { return b.Touch(ctx, key, time.Hour) },
		func() error { return b.Delete(ctx, key, nil) },
	} {
		w.lose.Store(true)
		if err := call(); err != nil || w.lose.Load() {
			t.Errorf("a call that may be repeated: %v", err)
		}
	}
}

// TestFlaskIdleConnections has the server close all idle connections before
// each operation, which is no lost reply: the command is sent again.
func TestFlaskIdleConnections(t *testing.T) {
	client, closeAll := throughProxy(t)
	for _, step := range flaskSteps(flask(t, client, backend.FlaskSession), newKey()) {
		closeAll()
		if err := step.run(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
	}
}

func TestFlaskOpen(t *testing.T) {
	for _, value := range []any{connect(t), "127.0.0.1:1"} {
		b, err := openWith(map[string]any{setting: value, "SESSION_FLASK_COMPATIBLE": true, "SESSION_SERIALIZATION_FORMAT": "json"})
		if err != nil {
			t.Fatal(err)
		}
		if layout, _ := b.FlaskLayout(); layout != backend.FlaskSession {
			t.Errorf("the layout is %v", layout)
		}
	}
	if _, err := NewWithConfig(connect(t), Config{Flask: 3}); err == nil {
		t.Error("NewWithConfig takes the Flask layout 3")
	}
	if layout, format := New(connect(t)).FlaskLayout(); layout != 0 || format != "" {
		t.Errorf("without a Flask layout: %v, %q", layout, format)
	}
}
