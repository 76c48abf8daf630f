package mongobackend

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// ttlIndexes counts the TTL indexes on expires as they should be.
func ttlIndexes(t *testing.T, coll *mongo.Collection) (n int) {
	t.Helper()
	specs, err := coll.Indexes().ListSpecifications(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range specs {
		key := s.KeysDocument.Lookup("expires")
		if _, ok := key.AsInt64OK(); ok && s.ExpireAfterSeconds != nil && *s.ExpireAfterSeconds == 0 {
			n++
		}
	}
	return n
}

func TestSchemaConcurrently(t *testing.T) {
	coll := collection(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var backends [8]*Backend
	for i := range backends {
		backends[i] = New(connect(t).Database(database).Collection(coll.Name()))
	}
	// First the index and then the records, as SecantusDB can stop answering
	// those who create both in a new collection at once.
	all := func(f func(i int, b *Backend) error) {
		var wg sync.WaitGroup
		for i, b := range backends {
			wg.Go(func() {
				if err := f(i, b); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	all(func(_ int, b *Backend) error { return b.EnsureSchema(ctx) })
	all(func(i int, b *Backend) error {
		_, err := b.Create(ctx, string(rune('a'+i)), nil, time.Hour)
		b.schema.done.Wait()
		return err
	})
	if n := ttlIndexes(t, coll); n != 1 {
		t.Errorf("there are %d TTL indexes", n)
	}
}

// TestSchemaOnce counts when the index is created.
func TestSchemaOnce(t *testing.T) {
	for _, skip := range []bool{false, true} {
		sent := new(commands)
		coll := collection(t, sent.monitor())
		b, err := NewWithConfig(coll, Config{SkipSchema: skip})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		if _, err := b.Load(ctx, "a"); err == nil {
			t.Error("Load found something")
		}
		for _, key := range []string{"a", "b", "c"} {
			if _, err := b.Create(ctx, key, nil, time.Hour); err != nil {
				t.Fatal(err)
			}
			b.schema.done.Wait()
		}
		created := 0
		for _, name := range sent.take() {
			if name == "createIndexes" {
				created++
			}
		}
		want := map[bool]int{false: 1, true: 0}[skip]
		if created != want*len(Schema()) || ttlIndexes(t, coll) != want {
			t.Errorf("with SkipSchema %v an index was created %d times, %d are there", skip, created, ttlIndexes(t, coll))
		}
	}
}

// TestSchemaFails has an index in the way: EnsureSchema says so, and the store
// works without.
func TestSchemaFails(t *testing.T) {
	coll, ctx := collection(t), context.Background()
	if _, err := coll.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "expires", Value: 1}}}); err != nil {
		t.Fatal(err)
	}
	b := New(coll)
	if err := b.EnsureSchema(ctx); err == nil {
		t.Error("EnsureSchema succeeded")
	}
	rev, err := b.Create(ctx, "key", []byte("data"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	b.schema.done.Wait()
	if _, err := b.Update(ctx, "key", []byte("more"), time.Second, rev); err != nil {
		t.Error(err)
	}
	b.now = func() time.Time { return time.Now().Add(time.Minute) }
	if n, err := b.Sweep(ctx, 10); n != 1 || err != nil {
		t.Errorf("Sweep: %d, %v", n, err)
	}
}

// TestCloseStopsSchema closes a backend whose index cannot be created as its
// server does not answer.
func TestCloseStopsSchema(t *testing.T) {
	b := New(deaf(t))
	b.prepare()
	if err := b.Close(); err != nil { // returns only when the creation has ended
		t.Error(err)
	}
	b.prepare()
	if b.schema.cancel == nil {
		t.Error("nothing was started")
	}
}
