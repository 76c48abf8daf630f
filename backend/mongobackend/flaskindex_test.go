package mongobackend

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/go-session2/sessions/backend"
)

// TestFlaskTwice has two documents of one key, as Flask can store them without
// a unique index. The first counts, and the other must not come to light.
func TestFlaskTwice(t *testing.T) {
	coll, ctx := collection(t), context.Background()
	b := newFlask(t, coll)
	until := time.Now().Add(time.Hour)
	twice := func(key string) {
		for _, val := range []string{"first", "second"} {
			if _, err := coll.InsertOne(ctx, bson.M{"id": key, "val": []byte(val), "expiration": until}); err != nil {
				t.Fatal(err)
			}
		}
	}
	twice("loaded")
	store(t, coll, "loaded", bson.M{"val": []byte("newer")})
	rec, err := b.Load(ctx, "loaded")
	if err != nil || string(rec.Data) != "newer" {
		t.Fatalf("Load: %q, %v", rec.Data, err)
	}
	if err := b.Delete(ctx, "loaded", rec.Revision); err != nil {
		t.Error(err)
	}
	twice("deleted")
	if err := b.Delete(ctx, "deleted", nil); err != nil {
		t.Error(err)
	}
	for _, key := range []string{"loaded", "deleted"} {
		if _, err := b.Load(ctx, key); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("%s has come to light: %v", key, err)
		}
	}
	store(t, coll, "single", bson.M{"val": []byte("d"), "expiration": until})
	if _, err := b.Create(ctx, "single", []byte("e"), time.Hour); !errors.Is(err, backend.ErrExists) {
		t.Errorf("Create without an index: %v", err)
	}
	twice("refused")
	if err := b.EnsureSchema(ctx); err == nil {
		t.Error("EnsureSchema made a unique index of two documents with one key")
	}
	if specs, err := coll.Indexes().ListSpecifications(ctx); err != nil || len(specs) != 2 {
		t.Errorf("the TTL index was not made: %d, %v", len(specs), err)
	}
}

// TestFlaskIndexes creates the indexes beside the one of Flask-Session, by the
// first Update as by the first Create.
func TestFlaskIndexes(t *testing.T) {
	for op, f := range map[string]func(ctx context.Context, b *Backend) error{
		"Create": func(ctx context.Context, b *Backend) error {
			_, err := b.Create(ctx, "new", []byte("d"), time.Hour)
			return err
		},
		"Update": func(ctx context.Context, b *Backend) error {
			_, err := b.Update(ctx, "key", []byte("e"), time.Hour, []byte("d"))
			return err
		},
	} {
		coll, ctx := collection(t), context.Background()
		theirs := mongo.IndexModel{Keys: bson.D{{Key: "expiration", Value: 1}}, Options: options.Index().SetExpireAfterSeconds(0)}
		if _, err := coll.Indexes().CreateOne(ctx, theirs); err != nil {
			t.Fatal(err)
		}
		store(t, coll, "key", bson.M{"val": []byte("d"), "expiration": time.Now().Add(time.Hour)})
		b, err := NewWithConfig(coll, Config{Flask: backend.FlaskSession})
		if err != nil {
			t.Fatal(err)
		}
		if err := f(ctx, b); err != nil {
			t.Fatal(err)
		}
		b.schema.done.Wait()
		specs, err := coll.Indexes().ListSpecifications(ctx)
		if err != nil || len(specs) != 3 || specs[1].Name != "expiration_1" || specs[2].Name != "id_1" || specs[2].Unique == nil {
			t.Errorf("after %s the indexes are %+v, %v", op, specs, err)
		}
		if err := b.EnsureSchema(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestFlaskCreateRace has many create one record at once.
func TestFlaskCreateRace(t *testing.T) {
	b, ctx := newFlask(t, unique(t)), context.Background()
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 16 {
		wg.Go(func() {
			_, err := b.Create(ctx, "key", []byte("the same"), time.Hour)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, backend.ErrExists) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d have created the record", won)
	}
}
