package mongobackend

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

// newFlask returns a Backend in the layout of Flask. The indexes are the
// caller's to create.
func newFlask(t testing.TB, coll *mongo.Collection) *Backend {
	t.Helper()
	b, err := NewWithConfig(coll, Config{Flask: backend.FlaskSession2, SkipSchema: true})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unique returns a new collection with the unique index. The TTL index would
// sweep as well.
func unique(t testing.TB, opts ...*options.ClientOptions) *mongo.Collection {
	t.Helper()
	coll := collection(t, opts...)
	if _, err := coll.Indexes().CreateMany(context.Background(), FlaskSchema()[1:]); err != nil {
		t.Fatal(err)
	}
	return coll
}

// store stores a document by the command of Flask.
func store(t testing.TB, coll *mongo.Collection, key string, fields bson.M) {
	t.Helper()
	fields["id"] = key
	_, err := coll.UpdateOne(context.Background(), bson.M{"id": key}, bson.M{"$set": fields}, options.UpdateOne().SetUpsert(true))
	if err != nil {
		t.Fatal(err)
	}
}

func TestFlaskConformance(t *testing.T) {
	coll := unique(t)
	open := func(t testing.TB) backend.Backend {
		return newFlask(t, connect(t).Database(database).Collection(coll.Name()))
	}
	backendtest.Run(t, backendtest.Harness{
		Open:   open,
		Reopen: open,
		Overwrite: func(t testing.TB, key string, data []byte) {
			store(t, coll, key, bson.M{"val": data})
		},
		Resolution: 50 * time.Millisecond,
		MaxSize:    MaxDataSize,
		Contention: 8,
		Flask:      true,
	})
}

// TestFlaskStored looks at a record as Flask sees it.
func TestFlaskStored(t *testing.T) {
	coll, ctx := unique(t), context.Background()
	b := newFlask(t, coll)
	check := func(data string, ttl time.Duration) {
		t.Helper()
		var doc bson.M
		if err := coll.FindOne(ctx, bson.M{"id": "session:key"}).Decode(&doc); err != nil {
			t.Fatal(err)
		}
		if _, ok := doc["_id"].(bson.ObjectID); !ok || len(doc) != 4 {
			t.Errorf("stored is %v", doc)
		}
		if val, ok := doc["val"].(bson.Binary); !ok || val.Subtype != 0 || string(val.Data) != data {
			t.Errorf("val is %#v", doc["val"])
		}
		until, ok := doc["expiration"].(bson.DateTime)
		if left := time.Until(until.Time()); !ok || left > ttl || left < ttl-time.Minute {
			t.Errorf("expiration is %v", doc["expiration"])
		}
	}
	rev, err := b.Create(ctx, "session:key", []byte("a\x00\xff"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	check("a\x00\xff", time.Hour)
	if _, err := b.Update(ctx, "session:key", nil, 2*time.Hour, rev); err != nil {
		t.Fatal(err)
	}
	check("", 2*time.Hour)
}

// TestFlaskEndless has documents without an expiry, as Flask-Session2 stores a
// session that is not permanent.
func TestFlaskEndless(t *testing.T) {
	coll, ctx := unique(t), context.Background()
	b := newFlask(t, coll)
	for change, f := range map[string]func(key string) error{
		"Touch":  func(key string) error { return b.Touch(ctx, key, time.Hour) },
		"Update": func(key string) error { _, err := b.Update(ctx, key, []byte("e"), time.Hour, []byte("d")); return err },
	} {
		for name, fields := range map[string]bson.M{"null": {"val": []byte("d"), "expiration": nil}, "missing": {"val": []byte("d")}} {
			key := change + name
			store(t, coll, key, fields)
			if n, err := b.Sweep(ctx, 9); n != 0 || err != nil {
				t.Errorf("Sweep: %d, %v", n, err)
			}
			if _, err := b.Create(ctx, key, []byte("other"), time.Hour); !errors.Is(err, backend.ErrExists) {
				t.Errorf("Create: %v", err)
			}
			if rec, err := b.Load(ctx, key); err != nil || !rec.Expires.IsZero() {
				t.Errorf("Load of %s: until %v, %v", name, rec.Expires, err)
			}
			if err := f(key); err != nil {
				t.Errorf("%s of %s: %v", change, name, err)
			}
			if rec, err := b.Load(ctx, key); err != nil || time.Until(rec.Expires.Add(-time.Hour)).Abs() > time.Minute {
				t.Errorf("Load after %s of %s: until %v, %v", change, name, rec.Expires, err)
			}
		}
	}
}

// TestFlaskLostReply loses the reply to each write. A driver that repeats it
// must get the outcome of the first; else it is an error that tells nothing.
func TestFlaskLostReply(t *testing.T) {
	for name, retry := range map[string]bool{"driver repeats": true, "no repeats": false} {
		t.Run(name, func(t *testing.T) {
			var l losing
			b := newFlask(t, unique(t, options.Client().SetDialer(&l).SetRetryWrites(retry)))
			ctx := context.Background()
			for _, step := range []struct {
				op, holds string
				f         func() error
			}{
				{"Create", "old", func() error { _, err := b.Create(ctx, "key", []byte("old"), time.Hour); return err }},
				{"Update", "new", func() error { _, err := b.Update(ctx, "key", []byte("new"), time.Hour, []byte("old")); return err }},
				{"Delete", "", func() error { return b.Delete(ctx, "key", []byte("new")) }},
			} {
				l.lose.Store(true)
				err := step.f()
				if l.lose.Load() {
					t.Fatalf("%s lost no reply", step.op)
				}
				for _, e := range []error{backend.ErrExists, backend.ErrConflict, backend.ErrNotFound} {
					if errors.Is(err, e) {
						t.Errorf("%s: %v", step.op, err)
					}
				}
				if err == nil && !retry {
					t.Errorf("%s succeeded without a reply", step.op)
				}
				if rec, err := b.Load(ctx, "key"); string(rec.Data) != step.holds {
					t.Errorf("after %s the record holds %q, %v", step.op, rec.Data, err)
				}
			}
		})
	}
}

func TestFlaskSettings(t *testing.T) {
	for format, want := range map[string]backend.FlaskFormat{"pickle": backend.FlaskPickle, "msgpack": backend.FlaskMsgpack} {
		b, err := openWith(map[string]any{"SESSION_FLASK_COMPATIBLE": "true", "SESSION_SERIALIZATION_FORMAT": format})
		if err != nil {
			t.Fatal(err)
		}
		if _, got := b.FlaskLayout(); got != want || b.id != "id" {
			t.Errorf("%s: the format is %q, the key in %s", format, got, b.id)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	b, err := openWith(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, layout := range []backend.FlaskLayout{-1, 3} {
		if _, err := NewWithConfig(b.coll, Config{Flask: layout}); err == nil {
			t.Errorf("NewWithConfig takes the layout %d", layout)
		}
	}
	if layout, format := b.FlaskLayout(); layout != backend.NoFlask || format != "" || !strings.HasPrefix(b.id, "_") {
		t.Errorf("without the setting: %v, %q", layout, format)
	}
}
