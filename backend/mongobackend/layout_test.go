package mongobackend

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/go-session2/sessions/backend"
)

// TestStored looks at a record as a foreign program sees it.
func TestStored(t *testing.T) {
	coll, ctx := collection(t), context.Background()
	b := newUnindexed(t, coll)
	const ttl = time.Hour
	check := func(what string, start time.Time, data string, ttl time.Duration) {
		t.Helper()
		var doc bson.D
		if err := coll.FindOne(ctx, bson.M{"_id": "key"}).Decode(&doc); err != nil {
			t.Fatal(err)
		}
		if len(doc) != 3 || doc[0].Key != "_id" || doc[1].Key != "data" || doc[2].Key != "expires" {
			t.Fatalf("%s stored %v", what, doc)
		}
		stored, ok := doc[1].Value.(bson.Binary)
		if !ok || stored.Subtype != 0 || string(stored.Data) != data {
			t.Errorf("%s stored the data %#v", what, doc[1].Value)
		}
		expires, ok := doc[2].Value.(bson.DateTime)
		if !ok || expires.Time().Before(start.Add(ttl)) || expires.Time().After(time.Now().Add(ttl+time.Millisecond)) {
			t.Errorf("%s stored the expiry %v, which is not %v from %v", what, doc[2].Value, ttl, start)
		}
	}
	start := time.Now()
	rev, err := b.Create(ctx, "key", nil, ttl)
	if err != nil {
		t.Fatal(err)
	}
	check("Create", start, "", ttl)
	start = time.Now()
	if _, err := b.Update(ctx, "key", []byte("a\x00\xff"), 2*ttl, rev); err != nil {
		t.Fatal(err)
	}
	check("Update", start, "a\x00\xff", 2*ttl)
	if err := b.Touch(ctx, "key", ttl); err != nil {
		t.Fatal(err)
	}
	check("a short Touch", start, "a\x00\xff", 2*ttl)
	start = time.Now()
	if err := b.Touch(ctx, "key", 3*ttl); err != nil {
		t.Fatal(err)
	}
	check("Touch", start, "a\x00\xff", 3*ttl)
}

// TestForeignDocument has documents under a key that are no records.
func TestForeignDocument(t *testing.T) {
	coll, ctx := collection(t), context.Background()
	b := newUnindexed(t, coll)
	later := time.Now().Add(time.Hour)
	for name, doc := range map[string]bson.M{
		"no data":       {"expires": later},
		"null data":     {"data": nil, "expires": later},
		"text":          {"data": "data", "expires": later},
		"other subtype": {"data": bson.Binary{Subtype: bson.TypeBinaryUserDefined, Data: []byte("data")}, "expires": later},
		"no expiry":     {"data": []byte("data")},
		"number":        {"data": []byte("data"), "expires": later.Unix()},
	} {
		doc["_id"] = name
		if _, err := coll.InsertOne(ctx, doc); err != nil {
			t.Fatal(err)
		}
		before, err := coll.FindOne(ctx, bson.M{"_id": name}).Raw()
		if err != nil {
			t.Fatal(err)
		}
		base := backend.Revision("data")
		_, loadErr := b.Load(ctx, name)
		_, createErr := b.Create(ctx, name, base, time.Minute)
		_, updateErr := b.Update(ctx, name, []byte("more"), time.Minute, base)
		for _, test := range []struct {
			op        string
			err, want error
		}{
			{"Load", loadErr, backend.ErrCorrupt},
			{"Create", createErr, backend.ErrExists},
			{"Update", updateErr, backend.ErrConflict},
			{"Delete", b.Delete(ctx, name, base), backend.ErrConflict},
		} {
			if !errors.Is(test.err, test.want) {
				t.Errorf("%s: %s: %v, want %v", name, test.op, test.err, test.want)
			}
		}
		if after, err := coll.FindOne(ctx, bson.M{"_id": name}).Raw(); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the document was changed, %v", name, err)
		}
	}
	if n, err := b.Sweep(ctx, 100); n != 0 || err != nil {
		t.Errorf("Sweep removed %d, %v", n, err)
	}
}

// TestForeignKey has documents whose _id is no string, as Flask's have. They
// are neither listed nor swept.
func TestForeignKey(t *testing.T) {
	coll, ctx := collection(t), context.Background()
	b := newUnindexed(t, coll)
	for _, id := range []any{bson.NewObjectID(), 1, nil} {
		if _, err := coll.InsertOne(ctx, bson.M{"_id": id, "data": []byte{}, "expires": time.Unix(0, 0)}); err != nil {
			t.Fatal(err)
		}
	}
	if keys, next, err := b.List(ctx, "", "", 10); len(keys) != 0 || next != "" || err != nil {
		t.Errorf("List: %q, %q, %v", keys, next, err)
	}
	if n, err := b.Sweep(ctx, 10); n != 0 || err != nil {
		t.Errorf("Sweep: %d, %v", n, err)
	}
}

// TestUniqueIndex has an index that refuses all records but the first.
func TestUniqueIndex(t *testing.T) {
	coll, ctx := collection(t), context.Background()
	index := mongo.IndexModel{Keys: bson.D{{Key: "id", Value: 1}}, Options: options.Index().SetUnique(true)}
	if _, err := coll.Indexes().CreateOne(ctx, index); err != nil {
		t.Fatal(err)
	}
	b := newUnindexed(t, coll)
	if _, err := b.Create(ctx, "first", nil, time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Create(ctx, "second", nil, time.Hour); err == nil || errors.Is(err, backend.ErrExists) {
		t.Errorf("Create: %v", err)
	}
}
