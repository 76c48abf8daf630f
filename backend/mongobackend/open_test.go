package mongobackend

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

func openWith(values map[string]any) (*Backend, error) {
	b, err := backend.Open("mongodb", backend.NewSettings(values))
	if err != nil {
		return nil, err
	}
	return b.(*Backend), nil
}

func TestOpen(t *testing.T) {
	client, ctx := connect(t), context.Background()
	for name, value := range map[string]any{"URI": testenv.Need(t, "MONGODB_URI"), "client": client} {
		t.Run(name, func(t *testing.T) {
			coll := "o" + rand.Text()
			t.Cleanup(func() { client.Database(database).Collection(coll).Drop(ctx) })
			b, err := openWith(map[string]any{clientSetting: value, databaseSetting: database, collectionSetting: coll})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Create(ctx, "key", []byte("data"), time.Hour); err != nil {
				t.Fatal(err)
			}
			b.schema.done.Wait()
			if n, err := client.Database(database).Collection(coll).CountDocuments(ctx, b.only("key")); n != 1 || err != nil {
				t.Errorf("%d records are in the collection, %v", n, err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			err = b.coll.Database().Client().Ping(ctx, nil)
			if closed := errors.Is(err, mongo.ErrClientDisconnected); closed != b.owned {
				t.Errorf("after Close the client says: %v", err)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	b, err := openWith(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if b.coll.Name() != "sessions" || b.coll.Database().Name() != "flask_session" || !b.owned {
		t.Errorf("the default is %s in %s", b.coll.Name(), b.coll.Database().Name())
	}
}

func TestRejected(t *testing.T) {
	for _, values := range []map[string]any{
		{clientSetting: 27017},
		{clientSetting: (*mongo.Client)(nil)},
		{clientSetting: ""},
		{clientSetting: "localhost:27017"},
		{clientSetting: "mongodb://user:sec/ret@host:1"},
		{clientSetting: "mongodb://user:secret@host:port"},
		{databaseSetting: "a.b"},
		{databaseSetting: ""},
		{collectionSetting: "system$"},
		{collectionSetting: "9 lives"},
		{collectionSetting: 1},
	} {
		_, err := openWith(values)
		if err == nil || strings.Contains(err.Error(), "sec") {
			t.Errorf("opening %v: %v", values, err)
			continue
		}
		for name := range values {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("opening %v: %v", values, err)
			}
		}
	}
}
