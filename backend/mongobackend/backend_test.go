package mongobackend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
	"github.com/go-session2/sessions/internal/testenv"
)

// database is where the tests keep their collections.
const database = "mongobackend_test"

// connect returns a client for the server of the tests.
func connect(t testing.TB, opts ...*options.ClientOptions) *mongo.Client {
	t.Helper()
	opts = append([]*options.ClientOptions{options.Client().ApplyURI(testenv.Need(t, "MONGODB_URI"))}, opts...)
	client, err := mongo.Connect(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := client.Disconnect(ctx); err != nil {
			t.Error(err)
		}
	})
	return client
}

// collection returns a new collection that goes with the test.
func collection(t testing.TB, opts ...*options.ClientOptions) *mongo.Collection {
	t.Helper()
	coll := connect(t, opts...).Database(database).Collection("c" + rand.Text())
	t.Cleanup(func() {
		if err := coll.Drop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return coll
}

// newUnindexed returns a Backend without the TTL index.
func newUnindexed(t testing.TB, coll *mongo.Collection) *Backend {
	t.Helper()
	b, err := NewWithConfig(coll, Config{SkipSchema: true})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unswept hides Sweep, so that the suite does not count what it removes: the
// TTL index may be faster.
type unswept struct {
	backend.Backend
	backend.Lister
	backend.Pinger
	io.Closer
}

func TestConformance(t *testing.T) {
	const maxSize = 1 << 20
	for name, skip := range map[string]bool{"Indexed": false, "Unindexed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coll := collection(t)
			open := func(t testing.TB) backend.Backend {
				b, err := NewWithConfig(connect(t).Database(database).Collection(coll.Name()), Config{MaxSize: maxSize, SkipSchema: skip})
				if err != nil {
					t.Fatal(err)
				}
				if !skip {
					return unswept{b, b, b, b}
				}
				return b
			}
			backendtest.Run(t, backendtest.Harness{
				Open:   open,
				Reopen: open,
				Overwrite: func(t testing.TB, key string, data []byte) {
					_, err := coll.UpdateOne(context.Background(), bson.M{"_id": key}, bson.M{"$set": bson.M{"data": data}})
					if err != nil {
						t.Fatal(err)
					}
				},
				Resolution: 50 * time.Millisecond,
				MaxSize:    maxSize,
				Contention: 8,
			})
		})
	}
}

// TestLimit replaces the most data that a record can hold by as much, which
// must stay below the size of a document even with both in one command.
func TestLimit(t *testing.T) {
	b, ctx := newUnindexed(t, collection(t)), context.Background()
	key := strings.Repeat("k", 1024)
	data := make([]byte, MaxDataSize)
	rev, err := b.Create(ctx, key, data, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	next := []byte(strings.Repeat("x", MaxDataSize))
	if _, err := b.Update(ctx, key, next, time.Hour, rev); err != nil {
		t.Fatal(err)
	}
	if rec, err := b.Load(ctx, key); err != nil || string(rec.Data) != string(next) {
		t.Errorf("Load: %d bytes, %v", len(rec.Data), err)
	}
	statement, err := bson.Marshal(bson.D{{Key: "q", Value: b.at(key, data, b.now())}, {Key: "u", Value: b.set(next, b.now())}})
	if err != nil || len(statement) > 16<<20 {
		t.Errorf("the statement of an Update has %d bytes, %v", len(statement), err)
	}
	_, err = b.Update(ctx, key, append(next, 0), time.Hour, rev)
	if !errors.Is(err, backend.ErrTooLarge) || !strings.Contains(err.Error(), fmt.Sprint(MaxDataSize)) {
		t.Errorf("Update with more: %v", err)
	}
}

// TestTouchRace has many touch a record at once. The longest must win.
func TestTouchRace(t *testing.T) {
	b, ctx := newUnindexed(t, collection(t)), context.Background()
	if _, err := b.Create(ctx, "key", nil, time.Minute); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if err := b.Touch(ctx, "key", time.Duration(i%20+1)*time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rec, err := b.Load(ctx, "key")
	if left := time.Until(rec.Expires); err != nil || left < 19*time.Hour {
		t.Errorf("%v are left, %v", left, err)
	}
}

// TestTransaction saves a record while the program has a transaction open,
// which is then undone.
func TestTransaction(t *testing.T) {
	client := connect(t)
	coll := client.Database(database).Collection(collection(t).Name())
	b := newUnindexed(t, coll)
	ctx := context.Background()
	rev, err := b.Create(ctx, "old", []byte("data"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	session, err := client.StartSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.EndSession(ctx)
	if err := session.StartTransaction(); err != nil {
		t.Fatal(err)
	}
	inside := mongo.NewSessionContext(ctx, session)
	if _, err := client.Database(database).Collection(coll.Name()).InsertOne(inside, bson.M{"_id": "theirs"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Create(inside, "new", []byte("data"), time.Hour); err != nil {
		t.Error(err)
	}
	if _, err := b.Update(inside, "old", []byte("more"), time.Hour, rev); err != nil {
		t.Error(err)
	}
	if err := session.AbortTransaction(ctx); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"new": "data", "old": "more"} {
		if rec, err := b.Load(ctx, key); err != nil || string(rec.Data) != want {
			t.Errorf("after the transaction %s holds %q, %v", key, rec.Data, err)
		}
	}
	if n, err := coll.CountDocuments(ctx, bson.M{"_id": "theirs"}); err != nil || n != 0 {
		t.Errorf("the transaction was not undone: %d, %v", n, err)
	}
}

func TestInvalid(t *testing.T) {
	if _, err := NewWithConfig(nil, Config{}); err == nil {
		t.Error("NewWithConfig takes a nil collection")
	}
	b := New(nil)
	if _, err := b.Load(context.Background(), "k"); err == nil || !strings.Contains(err.Error(), "nil") {
		t.Errorf("Load: %v", err)
	}
	if err := b.Ping(context.Background()); err == nil {
		t.Error("Ping works on a nil collection")
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	coll := connect(t).Database(database).Collection("unused")
	for _, cfg := range []Config{
		{MaxSize: -1}, {MaxSize: MaxDataSize + 1}, {WriteConcern: writeconcern.Unacknowledged()}, {WriteConcern: &writeconcern.WriteConcern{W: -1}},
	} {
		if _, err := NewWithConfig(coll, cfg); err == nil {
			t.Errorf("NewWithConfig takes %+v", cfg)
		}
	}
	if _, err := NewWithConfig(coll, Config{WriteConcern: writeconcern.W1()}); err != nil {
		t.Errorf("NewWithConfig refuses w: 1: %v", err)
	}
}

func BenchmarkBackend(b *testing.B) {
	backendtest.Benchmark(b, backendtest.Harness{
		Open: func(t testing.TB) backend.Backend { return New(collection(t)) },
	})
}
