package firestorebackend

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/firestore"
	"google.golang.org/grpc/codes"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
	"github.com/go-session2/sessions/internal/testenv"
)

// flaskOn returns a Backend that shares a collection with Flask-Session2.
func flaskOn(t testing.TB, client *firestore.Client, name string) *Backend {
	t.Helper()
	b, err := NewWithConfig(client, Config{Collection: name, Flask: backend.FlaskSession2})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// flaskWrites stores a session as Flask-Session2 would.
func flaskWrites(t testing.TB, coll *firestore.CollectionRef, key string, data []byte, expiration any) {
	t.Helper()
	_, err := coll.Doc(key).Set(context.Background(), map[string]any{"id": key, "val": data, "expiration": expiration})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFlaskConformance(t *testing.T) {
	client, name := connect(t), collection(t)
	open := func(t testing.TB) backend.Backend { return flaskOn(t, connect(t), name) }
	backendtest.Run(t, backendtest.Harness{
		Open:   open,
		Reopen: open,
		Overwrite: func(t testing.TB, key string, data []byte) {
			flaskWrites(t, client.Collection(name), key, data, time.Now().Add(time.Hour))
		},
		Resolution:         50 * time.Millisecond,
		MaxSize:            MaxDataSize,
		TouchMovesRevision: true,
		Contention:         8,
		Flask:              true,
	})
}

// TestFlaskStored looks at a record as Flask-Session2 would.
func TestFlaskStored(t *testing.T) {
	ctx := context.Background()
	b := flaskOn(t, connect(t), collection(t))
	now := time.Unix(2_000_000_000, 1000)
	b.now = func() time.Time { return now }
	check := func(what, data string, expiration time.Time) {
		t.Helper()
		snap, err := b.coll.Doc("session:1").Get(ctx)
		if err != nil {
			t.Fatal(err)
		}
		fields := snap.Data()
		val, isBytes := fields["val"].([]byte)
		at, isTime := fields["expiration"].(time.Time)
		if len(fields) != 3 || fields["id"] != "session:1" || !isBytes || !isTime || string(val) != data || !at.Equal(expiration) {
			t.Errorf("%s stored %v", what, fields)
		}
	}
	rev, err := b.Create(ctx, "session:1", []byte("\x80\x04}."), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	check("Create", "\x80\x04}.", now.Add(time.Hour))
	if _, err := b.Update(ctx, "session:1", []byte("\x80\x04N."), time.Minute, rev); err != nil {
		t.Fatal(err)
	}
	check("Update", "\x80\x04N.", now.Add(time.Minute))
	if err := b.Touch(ctx, "session:1", 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	check("Touch", "\x80\x04N.", now.Add(2*time.Hour))
	now = now.Add(3 * time.Hour)
	if _, err := b.Create(ctx, "session:1", []byte("new"), time.Hour); err != nil {
		t.Fatal(err)
	}
	check("Create over an expired record", "new", now.Add(time.Hour))
}

// TestFlaskForever has a document of a session that is not permanent.
func TestFlaskForever(t *testing.T) {
	ctx := context.Background()
	b := flaskOn(t, connect(t), collection(t))
	flaskWrites(t, b.coll, "session:1", []byte("data"), nil)
	flaskWrites(t, b.coll, "session:2", []byte("data"), time.Now().Add(-time.Hour))
	flaskWrites(t, b.coll, "other:1", []byte("data"), nil)
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
	if _, err := b.coll.Doc("session:3").Set(ctx, map[string]any{"val": "text", "expiration": nil}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Load(ctx, "session:3"); !errors.Is(err, backend.ErrCorrupt) {
		t.Errorf("Load of a document that is no record: %v", err)
	}
}

// TestFlaskLostReply loses the reply to each commit. Whether the client repeats
// it or not, that is an error.
func TestFlaskLostReply(t *testing.T) {
	for name, code := range map[string]codes.Code{"client repeats": codes.Unavailable, "client gives up": codes.Unknown} {
		t.Run(name, func(t *testing.T) {
			l := &lossy{code: code}
			ctx, b := context.Background(), flaskOn(t, dial(t, testenv.Need(t, "FIRESTORE_EMULATOR_HOST"), l.options()...), collection(t))
			base, err := b.Create(ctx, "update", []byte("one"), time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range []struct {
				name  string
				run   func() error
				after error
			}{
				{"Create", func() error { _, err := b.Create(ctx, "key", []byte("one"), time.Hour); return err }, backend.ErrExists},
				{"Update", func() error { _, err := b.Update(ctx, "update", []byte("two"), time.Hour, base); return err }, backend.ErrConflict},
			} {
				l.lose.Store(true)
				err := step.run()
				if l.lose.Load() {
					t.Fatalf("%s lost no reply", step.name)
				}
				if err == nil || errors.Is(err, backend.ErrExists) || errors.Is(err, backend.ErrConflict) {
					t.Errorf("%s whose reply was lost: %v", step.name, err)
				}
				if err := step.run(); !errors.Is(err, step.after) {
					t.Errorf("%s again: %v, want %v", step.name, err, step.after)
				}
			}
		})
	}
}

func TestFlaskConfig(t *testing.T) {
	client := dial(t, down(t))
	for _, flask := range []backend.FlaskLayout{-1, backend.FlaskSession, 3} {
		if _, err := NewWithConfig(client, Config{Flask: flask}); err == nil || !strings.Contains(err.Error(), "FlaskSession2") {
			t.Errorf("the layout %d: %v", flask, err)
		}
	}
	if flask, format := New(client).FlaskLayout(); flask != backend.NoFlask || format != "" {
		t.Errorf("the layout is %d, %q", flask, format)
	}
	if got := flaskOn(t, client, "").coll.ID; got != "flask_session" {
		t.Errorf("the default collection is %s", got)
	}
	shared := map[string]any{clientSetting: client, "SESSION_FLASK_COMPATIBLE": true}
	for want, more := range map[string]map[string]any{"flask_session": {}, "mine": {collectionSetting: "mine"}} {
		maps.Copy(more, shared)
		opened, err := backend.Open("firestore", backend.NewSettings(more))
		if err != nil {
			t.Fatal(err)
		}
		b := opened.(*Backend)
		if flask, format := b.FlaskLayout(); flask != backend.FlaskSession2 || format != backend.FlaskPickle || b.coll.ID != want {
			t.Errorf("the layout is %d, %q, in %s", flask, format, b.coll.ID)
		}
	}
	shared["SESSION_SERIALIZATION_FORMAT"] = "msgpack"
	if _, err := backend.Open("firestore", backend.NewSettings(shared)); !errors.Is(err, errNoFlask) {
		t.Errorf("Flask-Session: %v", err)
	}
	want := "gcloud firestore indexes fields update val --collection-group=flask_session --disable-indexes\n" +
		"gcloud firestore fields ttls update expiration --collection-group=flask_session --enable-ttl"
	if got := strings.Join(FlaskSchema("flask_session"), "\n"); got != want {
		t.Errorf("the schema is %s", got)
	}
}
