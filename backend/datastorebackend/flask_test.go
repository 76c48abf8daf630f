package datastorebackend

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/datastore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

// flaskOn returns a Backend that shares a kind with Flask-Session2.
func (s server) flaskOn(t testing.TB, client *datastore.Client, kind string) *Backend {
	t.Helper()
	b, err := NewWithConfig(client, Config{Kind: kind, BeginFirst: s.beginFirst, Flask: backend.FlaskSession2})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// flaskWrites stores a session as Flask-Session2 does. The expiry is nil for
// one that is not permanent.
func flaskWrites(t testing.TB, client *datastore.Client, kind, key string, data []byte, expiry any) {
	t.Helper()
	list := datastore.PropertyList{{Name: "data", Value: data, NoIndex: true}, {Name: "expiry", Value: expiry}}
	if _, err := client.Put(context.Background(), datastore.NameKey(kind, key, nil), &list); err != nil {
		t.Fatal(err)
	}
}

func TestFlaskConformance(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		t.Parallel()
		client, kind := s.connect(t), s.kind(t)
		open := func(t testing.TB) backend.Backend { return s.flaskOn(t, s.connect(t), kind) }
		reopen := open
		if s == pessimistic { // see TestConformance
			reopen = nil
		}
		backendtest.Run(t, backendtest.Harness{
			Open:   open,
			Reopen: reopen,
			Overwrite: func(t testing.TB, key string, data []byte) {
				flaskWrites(t, client, kind, key, data, time.Now().UTC().Add(time.Hour))
			},
			Resolution: 50 * time.Millisecond,
			MaxSize:    MaxDataSize,
			Contention: s.contention,
			Flask:      true,
		})
	})
}

// TestFlaskStored looks at a record as Flask-Session2 does.
func TestFlaskStored(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		ctx := context.Background()
		b := s.flaskOn(t, s.connect(t), s.kind(t))
		now := time.Unix(2_000_000_000, 1000)
		b.now = func() time.Time { return now }
		check := func(what, data string, ttl time.Duration) {
			t.Helper()
			properties := stored(t, b, "session:1")
			blob, isBytes := properties["data"].Value.([]byte)
			expiry, isTime := properties["expiry"].Value.(time.Time)
			if len(properties) != 2 || !isBytes || !isTime || string(blob) != data || !expiry.Equal(now.Add(ttl)) {
				t.Errorf("%s stored %v", what, properties)
			}
			if !properties["data"].NoIndex || properties["expiry"].NoIndex {
				t.Errorf("%s indexes the data or not the expiry", what)
			}
		}
		rev, err := b.Create(ctx, "session:1", []byte("\x80\x04}."), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		check("Create", "\x80\x04}.", time.Hour)
		if err := b.Touch(ctx, "session:1", 2*time.Hour); err != nil {
			t.Fatal(err)
		}
		check("Touch", "\x80\x04}.", 2*time.Hour)
		if _, err := b.Update(ctx, "session:1", []byte("\x80\x04N."), time.Hour, rev); err != nil {
			t.Fatal(err)
		}
		check("Update", "\x80\x04N.", time.Hour)
	})
}

// TestFlaskForever has an entity of a session that is not permanent.
func TestFlaskForever(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		ctx, client, kind := context.Background(), s.connect(t), s.kind(t)
		b := s.flaskOn(t, client, kind)
		flaskWrites(t, client, kind, "session:1", []byte("data"), nil)
		flaskWrites(t, client, kind, "session:2", []byte("data"), time.Now().Add(-time.Hour))
		flaskWrites(t, client, kind, "other:1", []byte("data"), nil)
		if err := b.Touch(ctx, "session:1", time.Hour); err != nil {
			t.Errorf("Touch: %v", err)
		}
		rec, err := b.Load(ctx, "session:1")
		if err != nil || string(rec.Data) != "data" || !rec.Expires.IsZero() {
			t.Fatalf("Load: %q until %v, %v", rec.Data, rec.Expires, err)
		}
		if n, err := b.Sweep(ctx, 10); n != 1 || err != nil {
			t.Errorf("Sweep: %d, %v", n, err)
		}
		if keys, _, err := b.List(ctx, "session:", "", 10); err != nil || !slices.Equal(keys, []string{"session:1"}) {
			t.Errorf("List: %q, %v", keys, err)
		}
		if _, err := b.Update(ctx, "session:1", []byte("more"), time.Hour, rec.Revision); err != nil {
			t.Errorf("Update: %v", err)
		}
		if rec, err := b.Load(ctx, "session:1"); err != nil || rec.Expires.IsZero() {
			t.Errorf("Load after Update: until %v, %v", rec.Expires, err)
		}
	})
}

// TestFlaskLostReply loses the reply to each commit. Whether the client repeats
// it or not, that is an error.
func TestFlaskLostReply(t *testing.T) {
	for name, repeat := range map[string]bool{"client repeats": true, "client gives up": false} {
		t.Run(name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, s server) {
				lose := false
				client := s.connect(t, grpc.WithUnaryInterceptor(func(ctx context.Context, full string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
					if lose && path.Base(full) == "Commit" {
						lose = false
						_ = invoke(ctx, full, req, reply, cc, opts...)
						if !repeat {
							return status.Error(codes.Unavailable, "the reply was lost")
						}
					}
					return invoke(ctx, full, req, reply, cc, opts...)
				}))
				ctx, b := context.Background(), s.flaskOn(t, client, s.kind(t))
				one, two := []byte("one"), []byte("two")
				for _, step := range []struct {
					name  string
					run   func() error
					after error
				}{
					{"Create", func() error { _, err := b.Create(ctx, "key", one, time.Hour); return err }, backend.ErrExists},
					{"Update", func() error { _, err := b.Update(ctx, "key", two, time.Hour, one); return err }, backend.ErrConflict},
					{"Delete", func() error { return b.Delete(ctx, "key", two) }, backend.ErrNotFound},
				} {
					lose = true
					err := step.run()
					if lose {
						t.Fatalf("%s lost no reply", step.name)
					}
					if err == nil || errors.Is(err, backend.ErrExists) || errors.Is(err, backend.ErrConflict) || errors.Is(err, backend.ErrNotFound) {
						t.Errorf("%s whose reply was lost: %v", step.name, err)
					}
					if err := step.run(); !errors.Is(err, step.after) {
						t.Errorf("%s again: %v, want %v", step.name, err, step.after)
					}
				}
			})
		})
	}
}

func TestFlaskConfig(t *testing.T) {
	client := dial(t, "localhost:1")
	for _, flask := range []backend.FlaskLayout{-1, backend.FlaskSession, 3} {
		if _, err := NewWithConfig(client, Config{Flask: flask}); err == nil || !strings.Contains(err.Error(), "FlaskSession2") {
			t.Errorf("the layout %d: %v", flask, err)
		}
	}
	if flask, format := New(client).FlaskLayout(); flask != backend.NoFlask || format != "" {
		t.Errorf("the layout is %d, %q", flask, format)
	}
	values := map[string]any{clientSetting: client, "SESSION_FLASK_COMPATIBLE": true}
	b, err := openWith(values)
	if err != nil {
		t.Fatal(err)
	}
	if flask, format := b.FlaskLayout(); flask != backend.FlaskSession2 || format != backend.FlaskPickle || b.kind != "session" {
		t.Errorf("the layout is %d, %q, of kind %s", flask, format, b.kind)
	}
	values["SESSION_SERIALIZATION_FORMAT"] = "msgpack"
	if _, err := openWith(values); !errors.Is(err, errNoFlask) {
		t.Errorf("Flask-Session: %v", err)
	}
	want := "gcloud firestore fields ttls update expiry --collection-group=session --enable-ttl"
	if got := strings.Join(FlaskSchema("session"), "\n"); got != want {
		t.Errorf("the schema is %s", got)
	}
}
