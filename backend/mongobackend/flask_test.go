package mongobackend

import (
	"context"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

// newFlask returns a Backend in the layout of Flask. The indexes are the
// caller's to create.
func newFlask(t testing.TB, coll *mongo.Collection, maxSize int) *Backend {
	t.Helper()
	b, err := NewWithConfig(coll, Config{Flask: backend.FlaskSession2, SkipSchema: true, MaxSize: maxSize})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFlaskConformance(t *testing.T) {
	const maxSize = 1 << 20
	coll, ctx := collection(t), context.Background()
	unique := FlaskSchema()[1:] // the TTL index would sweep as well
	if _, err := coll.Indexes().CreateMany(ctx, unique); err != nil {
		t.Fatal(err)
	}
	open := func(t testing.TB) backend.Backend {
		return newFlask(t, connect(t).Database(database).Collection(coll.Name()), maxSize)
	}
	backendtest.Run(t, backendtest.Harness{
		Open:   open,
		Reopen: open,
		Overwrite: func(t testing.TB, key string, data []byte) {
			res, err := coll.UpdateOne(ctx, bson.M{"id": key}, bson.M{"$set": bson.M{"val": data}})
			if err != nil || res.MatchedCount != 1 {
				t.Fatalf("overwrote %+v, %v", res, err)
			}
		},
		Resolution: 50 * time.Millisecond,
		MaxSize:    maxSize,
		Contention: 8,
		Flask:      true,
	})
}
