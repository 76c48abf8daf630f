package firestorebackend

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/firestore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-session2/sessions/backend"
)

func openWith(values map[string]any) (*Backend, error) {
	b, err := backend.Open("firestore", backend.NewSettings(values))
	if err != nil {
		return nil, err
	}
	return b.(*Backend), nil
}

func TestOpen(t *testing.T) {
	client, ctx := connect(t), context.Background()
	for name, values := range map[string]map[string]any{
		"client":          {clientSetting: client, projectSetting: "another-project"},
		"project":         {clientSetting: project, projectSetting: "another-project"},
		"project setting": {projectSetting: project},
	} {
		t.Run(name, func(t *testing.T) {
			coll := "o" + rand.Text()
			values[collectionSetting] = coll
			t.Cleanup(func() { client.Collection(coll).Doc("key").Delete(ctx) })
			b, err := openWith(values)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Create(ctx, "key", []byte("data"), time.Hour); err != nil {
				t.Fatal(err)
			}
			if _, err := client.Collection(coll).Doc("key").Get(ctx); err != nil {
				t.Errorf("the record is not in the collection: %v", err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			_, err = b.client.Collection(coll).Doc("key").Get(ctx)
			if closed := status.Code(err) == codes.Canceled; closed != b.owned || b.owned != (name != "client") {
				t.Errorf("after Close the client says: %v", err)
			}
		})
	}
}

// TestDefaults opens the backend without a server.
func TestDefaults(t *testing.T) {
	t.Setenv("FIRESTORE_EMULATOR_HOST", down(t))
	b, err := openWith(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if b.coll.ID != "flask_session" || !b.owned {
		t.Errorf("the default is %s", b.coll.ID)
	}
}

func TestRejected(t *testing.T) {
	t.Setenv("FIRESTORE_EMULATOR_HOST", down(t))
	for _, values := range []map[string]any{
		{clientSetting: 1},
		{clientSetting: (*firestore.Client)(nil)},
		{clientSetting: ""},
		{clientSetting: "secret/project"},
		{projectSetting: ""},
		{projectSetting: "secret/project"},
		{projectSetting: 1},
		{collectionSetting: "a/b"},
		{collectionSetting: "__a__"},
		{collectionSetting: ""},
		{collectionSetting: 1},
	} {
		_, err := openWith(values)
		if err == nil || strings.Contains(err.Error(), "secret") {
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
