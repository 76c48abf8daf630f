package redisbackend

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
	"github.com/go-session2/sessions/internal/testenv"
)

// flaskHarness is harness for the layout of a Flask extension.
func flaskHarness(connect func(t testing.TB) redis.UniversalClient) backendtest.Harness {
	h := harness(connect)
	h.Open = func(t testing.TB) backend.Backend {
		b, err := NewWithConfig(connect(t), Config{MaxSize: maxSize, Flask: backend.FlaskSession2})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	h.Reopen = h.Open
	h.Overwrite = func(t testing.TB, key string, data []byte) {
		if err := connect(t).Set(context.Background(), key, data, redis.KeepTTL).Err(); err != nil {
			t.Fatal(err)
		}
	}
	h.Flask = true
	return h
}

func TestFlaskConformance(t *testing.T) {
	for name, connect := range map[string]func(testing.TB, bool) redis.UniversalClient{
		"Standalone": standalone, "Cluster": cluster, "Sentinel": sentinel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, flaskHarness(func(t testing.TB) redis.UniversalClient { return connect(t, true) }))
		})
	}
}

func flask(t testing.TB, client redis.UniversalClient, layout backend.FlaskLayout) *Backend {
	t.Helper()
	b, err := NewWithConfig(client, Config{Flask: layout})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFlaskCaptured has a value that each extension has stored.
func TestFlaskCaptured(t *testing.T) {
	for _, capture := range []struct {
		layout backend.FlaskLayout
		format backend.FlaskFormat
		value  string
	}{
		{backend.FlaskSession2, backend.FlaskPickle, "8004951f000000000000007d94288c0a5f7065726d616e656e7494888c0176948c0568656c6c6f94752e"},
		{backend.FlaskSession, backend.FlaskMsgpack, "82aa5f7065726d616e656e74c3a176a568656c6c6f"},
	} {
		eachServer(t, func(t *testing.T, client redis.UniversalClient) {
			b, ctx, key := flask(t, client, capture.layout), context.Background(), "test:"+rand.Text()
			if layout, format := b.FlaskLayout(); layout != capture.layout || format != capture.format {
				t.Errorf("layout %v, format %q", layout, format)
			}
			value, err := hex.DecodeString(capture.value)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.SetEx(ctx, key, value, 31*24*time.Hour).Err(); err != nil {
				t.Fatal(err)
			}
			rec, err := b.Load(ctx, key)
			if err != nil || !bytes.Equal(rec.Data, value) || time.Until(rec.Expires) > 31*24*time.Hour || time.Until(rec.Expires) < 30*24*time.Hour {
				t.Errorf("Load: %q until %v, %v", rec.Data, rec.Expires, err)
			}
			stored := func(op string, want []byte, ttl time.Duration, err error) {
				t.Helper()
				got, left := client.Get(ctx, key).Val(), client.PTTL(ctx, key).Val()
				if err != nil || got != string(want) || left > ttl || left < ttl-10*time.Second {
					t.Errorf("%s: %v, stored %q for %v", op, err, got, left)
				}
			}
			_, err = b.Update(ctx, key, []byte("new"), time.Minute, rec.Revision)
			stored("Update", []byte("new"), time.Minute, err)
			stored("Touch", []byte("new"), time.Hour, b.Touch(ctx, key, time.Hour))
			stored("a shorter Touch", []byte("new"), time.Hour, b.Touch(ctx, key, time.Minute))
			if err := b.Delete(ctx, key, dataRevision([]byte("new"))); err != nil {
				t.Error(err)
			}
			_, err = b.Create(ctx, key, value, 90*time.Second+time.Nanosecond)
			stored("Create", value, 90*time.Second+time.Millisecond, err)

			// A value without a time to live, as from a program in between.
			if err := client.Persist(ctx, key).Err(); err != nil {
				t.Fatal(err)
			}
			if rec, err := b.Load(ctx, key); err != nil || !rec.Expires.IsZero() {
				t.Errorf("Load of what has no expiry: until %v, %v", rec.Expires, err)
			}
			if err := b.Touch(ctx, key, time.Minute); err != nil || client.PTTL(ctx, key).Val() != -1 {
				t.Errorf("Touch of what has no expiry: %v", err)
			}
		})
	}
}

// TestFlaskForeign has values that are no strings. None is changed.
func TestFlaskForeign(t *testing.T) {
	client, ctx, key := standalone(t, true), context.Background(), "test:"+rand.Text()
	b := flask(t, client, backend.FlaskSession2)
	if err := client.RPush(ctx, key, "1").Err(); err != nil {
		t.Fatal(err)
	}
	_, err := b.Load(ctx, key)
	wantErr(t, "Load", err, backend.ErrCorrupt)
	_, err = b.Create(ctx, key, nil, time.Minute)
	wantErr(t, "Create", err, backend.ErrExists)
	_, err = b.Update(ctx, key, nil, time.Minute, dataRevision(nil))
	wantErr(t, "Update", err, backend.ErrCorrupt)
	wantErr(t, "Touch", b.Touch(ctx, key, time.Minute), backend.ErrCorrupt)
	wantErr(t, "Delete at a revision", b.Delete(ctx, key, dataRevision(nil)), backend.ErrCorrupt)
	if n := client.LLen(ctx, key).Val(); n != 1 {
		t.Errorf("the list has %d elements", n)
	}
	if err := b.Delete(ctx, key, nil); err != nil {
		t.Error(err)
	}
}

func wantErr(t *testing.T, op string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", op, err, want)
	}
}

// TestFlaskLostReply loses the reply to each write, on clients that would
// repeat it. It has happened once, which the operation cannot know and must
// not deny.
func TestFlaskLostReply(t *testing.T) {
	var lose atomic.Bool
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return lossy{conn, &lose}, err
	}
	for name, client := range map[string]redis.UniversalClient{
		"Standalone": redis.NewClient(&redis.Options{Addr: testenv.Need(t, "REDIS_ADDR"), Dialer: dial, MaxRetries: 3}),
		"Cluster":    redis.NewClusterClient(&redis.ClusterOptions{Addrs: list(testenv.Need(t, "REDIS_CLUSTER_ADDRS")), Dialer: dial}),
		"Retrying cluster": redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: list(testenv.Need(t, "REDIS_CLUSTER_ADDRS")), Dialer: dial, MaxRetries: 3, MaxRedirects: 8}),
	} {
		t.Run(name, func(t *testing.T) {
			closing(t, client)
			b, ctx, key := flask(t, client, backend.FlaskSession2), context.Background(), "test:"+rand.Text()
			warm := func() { // the scripts, a connection and the shape of the cluster
				rev, err := b.Create(ctx, key+"w", []byte("1"), time.Minute)
				if err == nil {
					rev, err = b.Update(ctx, key+"w", []byte("2"), time.Minute, rev)
				}
				if err == nil {
					err = b.Delete(ctx, key+"w", rev)
				}
				if err == nil {
					err = client.Set(ctx, key, "x", time.Minute).Err()
				}
				if err == nil {
					err = client.Del(ctx, key).Err()
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			warm()
			lost := func(op string, err error, want string) {
				t.Helper()
				if err == nil || lose.Load() {
					t.Errorf("%s: %v", op, err)
				}
				for _, known := range []error{backend.ErrExists, backend.ErrConflict, backend.ErrNotFound} {
					if errors.Is(err, known) {
						t.Errorf("%s claims to know: %v", op, err)
					}
				}
				got, err := client.Get(ctx, key).Result()
				if got != want || err != nil && !errors.Is(err, redis.Nil) {
					t.Errorf("after %s the record is %q, %v", op, got, err)
				}
			}
			lose.Store(true)
			_, err := b.Create(ctx, key, []byte("one"), time.Minute)
			lost("Create", err, "one")
			lose.Store(true)
			_, err = b.Update(ctx, key, []byte("two"), time.Minute, dataRevision([]byte("one")))
			lost("Update", err, "two")
			lose.Store(true)
			lost("Delete", b.Delete(ctx, key, dataRevision([]byte("two"))), "")

			// What may be repeated is.
			if _, err := b.Create(ctx, key, []byte("one"), time.Minute); err != nil {
				t.Fatal(err)
			}
			for _, call := range []func() error{
				func() error { _, err := b.Load(ctx, key); return err },
				func() error { return b.Touch(ctx, key, time.Hour) },
				func() error { return b.Delete(ctx, key, nil) },
			} {
				lose.Store(true)
				if err := call(); err != nil || lose.Load() {
					t.Errorf("a call that may be repeated: %v", err)
				}
			}
		})
	}
}

// TestFlaskMoved has a client of a cluster that looks for every key at the
// wrong node, which sends it on: that is no lost reply.
func TestFlaskMoved(t *testing.T) {
	addrs := list(testenv.Need(t, "REDIS_CLUSTER_ADDRS"))
	for _, addr := range addrs[:2] {
		b := flask(t, closing(t, redis.NewClusterClient(&redis.ClusterOptions{
			ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
				return []redis.ClusterSlot{{Start: 0, End: 16383, Nodes: []redis.ClusterNode{{Addr: addr}}}}, nil
			},
		})), backend.FlaskSession)
		for range 20 {
			for _, step := range steps(b, "test:"+rand.Text()) {
				if err := step.run(); err != nil {
					t.Fatalf("%s: %v", step.name, err)
				}
			}
		}
	}
}

// TestFlaskCommands counts what the server receives.
func TestFlaskCommands(t *testing.T) {
	client := standalone(t, true)
	for range 2 { // the first time, it may have to learn the scripts
		key := "test:" + rand.Text()
		for _, step := range steps(flask(t, client, backend.FlaskSession2), key) {
			if err := step.run(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
		}
	}
	key := "test:" + rand.Text()
	received := monitor(t, client, key)
	for _, step := range steps(flask(t, client, backend.FlaskSession2), key) {
		if err := step.run(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		wants := step.wants
		if step.name == "Load" {
			wants = []string{"get", "pttl"} // in one round trip
		}
		if got := received(); !slices.Equal(got, wants) {
			t.Errorf("%s: the server got %q, want %q", step.name, got, wants)
		}
	}
}

// TestFlaskScripts has a server that knows no script.
func TestFlaskScripts(t *testing.T) {
	b := flask(t, mini(t, true), backend.FlaskSession)
	for _, step := range steps(b, "test:"+rand.Text()) {
		if err := step.run(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
	}
}

func TestOnceIsRedacted(t *testing.T) {
	o := &once{bytes: []byte("secret")}
	if text := fmt.Sprintf("%v %+v %#v %s %d", o, o, o, o, o); strings.Contains(text, "secret") || strings.Contains(text, "115") {
		t.Errorf("an argument shows %s", text)
	}
}

func TestFlaskOpen(t *testing.T) {
	for _, value := range []any{mini(t, true), "redis://127.0.0.1:1", "redis+cluster://127.0.0.1:1"} {
		b, err := backend.Open("redis", backend.NewSettings(map[string]any{
			setting: value, "SESSION_FLASK_COMPATIBLE": "yes", "SESSION_SERIALIZATION_FORMAT": "msgpack"}))
		if err != nil {
			t.Fatal(err)
		}
		defer b.(*Backend).Close()
		if layout, _ := b.(*Backend).FlaskLayout(); layout != backend.FlaskSession {
			t.Errorf("the layout is %v", layout)
		}
	}
	if _, err := NewWithConfig(mini(t, true), Config{Flask: 3}); err == nil {
		t.Error("NewWithConfig takes the Flask layout 3")
	}
	if layout, format := New(mini(t, true)).FlaskLayout(); layout != 0 || format != "" {
		t.Errorf("without a Flask layout: %v, %q", layout, format)
	}
}
