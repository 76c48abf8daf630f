package dynamobackend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/guregu/dynamo/v2"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
	"github.com/go-session2/sessions/internal/testenv"
)

func TestConformance(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		open := func(t testing.TB) backend.Backend {
			b, err := NewWithConfig(connect(endpoint, nil), Config{Table: table, MaxSize: MaxDataSize})
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		backendtest.Run(t, backendtest.Harness{
			Open:   open,
			Reopen: open,
			Overwrite: func(t testing.TB, key string, data []byte) {
				i := native.itemKey(key)
				i[native.data] = binary(data)
				put(t, connect(endpoint, nil), table, i)
			},
			MaxSize: MaxDataSize,
		})
	})
}

// TestForeignUpdate has another program change the data alone, as Flask-Session
// does, by an UpdateItem that leaves every other attribute as it is.
func TestForeignUpdate(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		ctx, db := context.Background(), connect(endpoint, nil)
		b := on(t, db, table)
		rev, err := b.Create(ctx, "session:1", []byte("ours"), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.Client().UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 &table,
			Key:                       native.itemKey("session:1"),
			UpdateExpression:          aws.String("SET #data = :data"),
			ExpressionAttributeNames:  map[string]string{"#data": "data"},
			ExpressionAttributeValues: item{":data": binary([]byte("theirs"))},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Update(ctx, "session:1", []byte("more of ours"), time.Hour, rev); !errors.Is(err, backend.ErrConflict) {
			t.Errorf("Update: %v", err)
		}
		if err := b.Delete(ctx, "session:1", rev); !errors.Is(err, backend.ErrConflict) {
			t.Errorf("Delete: %v", err)
		}
		rec, err := b.Load(ctx, "session:1")
		if err != nil || string(rec.Data) != "theirs" {
			t.Fatalf("Load: %q, %v", rec.Data, err)
		}
		if _, err := b.Update(ctx, "session:1", []byte("ours"), time.Hour, rec.Revision); err != nil {
			t.Errorf("Update: %v", err)
		}
	})
}

// TestLimit stores the longest data under the longest key, and sends nothing
// for data that is longer.
func TestLimit(t *testing.T) {
	t.Parallel()
	endpoint := testenv.Need(t, "DYNAMODB_ENDPOINT")
	table := newTable(t, endpoint)
	ctx, w := context.Background(), new(wire)
	b := on(t, connect(endpoint, w), table)
	key := strings.Repeat("k", 2048)
	data := make([]byte, MaxDataSize)
	rev, err := b.Create(ctx, key, data, backend.MaxTTL)
	if err != nil {
		t.Fatal(err)
	}
	data = make([]byte, MaxDataSize)
	rand.Read(data)
	if rev, err = b.Update(ctx, key, data, backend.MaxTTL, rev); err != nil {
		t.Fatal(err) // with the old and the new data in one request
	}
	w.take()
	_, creating := b.Create(ctx, "key", make([]byte, MaxDataSize+1), time.Minute)
	_, updating := b.Update(ctx, key, make([]byte, MaxDataSize+1), time.Minute, rev)
	for _, err := range []error{creating, updating} {
		if !errors.Is(err, backend.ErrTooLarge) || !strings.Contains(err.Error(), fmt.Sprint(MaxDataSize)) {
			t.Error(err)
		}
	}
	if got := w.operations(); got != nil {
		t.Errorf("requests were sent: %q", got)
	}
	// The server's own limit is not far from ours.
	i := native.encode(key, make([]byte, 400<<10-2048), time.Now())
	if _, err := b.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: i}); err == nil {
		t.Error("the server takes more than 400 KB")
	}
}

func TestConfig(t *testing.T) {
	db := connect("http://localhost:1", nil)
	for _, cfg := range []Config{
		{Table: "ab"}, {Table: strings.Repeat("t", 256)}, {Table: "a table"}, {Table: "Sessiön"}, {Table: "sessions\n"},
		{MaxSize: -1}, {MaxSize: MaxDataSize + 1},
	} {
		if b, err := NewWithConfig(db, cfg); err == nil || b != nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
	for _, b := range []*Backend{New(db), on(t, db, "")} {
		if b.table != "sessions" || b.maxSize != MaxDataSize || b.schema.ready.Load() {
			t.Errorf("the defaults are %q, %d", b.table, b.maxSize)
		}
	}
	b, err := NewWithConfig(db, Config{Table: "my.table_1-a", MaxSize: 1000, SkipSchema: true})
	if err != nil || b.table != "my.table_1-a" || b.maxSize != 1000 || !b.schema.ready.Load() {
		t.Error("the options were not taken over: ", err)
	}
}

// calls returns a call of every method that needs a server.
func calls(ctx context.Context, b *Backend, key string) map[string]func() error {
	data := []byte("some data")
	return map[string]func() error{
		"load":          func() error { _, err := b.Load(ctx, key); return err },
		"create":        func() error { _, err := b.Create(ctx, key, data, time.Minute); return err },
		"update":        func() error { _, err := b.Update(ctx, key, data, time.Minute, revision(data)); return err },
		"touch":         func() error { return b.Touch(ctx, key, time.Minute) },
		"delete":        func() error { return b.Delete(ctx, key, nil) },
		"list":          func() error { _, _, err := b.List(ctx, key, "", 10); return err },
		"ping":          func() error { return b.Ping(ctx) },
		"ensure schema": func() error { return b.EnsureSchema(ctx) },
	}
}

func TestNilClient(t *testing.T) {
	for name, db := range map[string]*dynamo.DB{"nil": nil, "empty": dynamo.NewFromIface(nil)} {
		for op, call := range calls(context.Background(), New(db), "key") {
			if err := call(); err == nil || err.Error() != "dynamodb: "+op+": the client is nil" {
				t.Errorf("%s with a client that is %s: %v", op, name, err)
			}
		}
		if b, err := NewWithConfig(db, Config{}); err == nil || b != nil {
			t.Errorf("NewWithConfig takes a client that is %s", name)
		}
	}
}
