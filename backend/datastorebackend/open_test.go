package datastorebackend

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/datastore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

func openWith(values map[string]any) (*Backend, error) {
	b, err := backend.Open("datastore", backend.NewSettings(values))
	if err != nil {
		return nil, err
	}
	return b.(*Backend), nil
}

func TestOpen(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		t.Setenv("DATASTORE_EMULATOR_HOST", testenv.Need(t, s.env))
		client, ctx := s.connect(t), context.Background()
		for name, values := range map[string]map[string]any{
			"client":          {clientSetting: client, projectSetting: "another-project"},
			"project":         {clientSetting: project, projectSetting: "another-project"},
			"project setting": {projectSetting: project},
		} {
			t.Run(name, func(t *testing.T) {
				key := "test:" + rand.Text()
				t.Cleanup(func() { client.Delete(ctx, datastore.NameKey("session", key, nil)) })
				b, err := openWith(values)
				if err != nil {
					t.Fatal(err)
				}
				rev, err := b.Create(ctx, key, []byte("data"), time.Hour)
				if err == nil {
					_, err = b.Update(ctx, key, []byte("more"), time.Hour, rev)
				}
				if err != nil {
					t.Fatal(err)
				}
				var list datastore.PropertyList
				if err := client.Get(ctx, datastore.NameKey("session", key, nil), &list); err != nil {
					t.Errorf("the record is not where it should be: %v", err)
				}
				if err := b.Close(); err != nil {
					t.Error(err)
				}
				err = b.client.Get(ctx, b.name(key), &list)
				if closed := status.Code(err) == codes.Canceled; closed != b.owned || b.owned != (name != "client") {
					t.Errorf("after Close the client says: %v", err)
				}
			})
		}
	})
}

// TestDefaults opens the backend without a server.
func TestDefaults(t *testing.T) {
	t.Setenv("DATASTORE_EMULATOR_HOST", down(t))
	b, err := openWith(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if b.kind != "session" || !b.owned {
		t.Errorf("the default is %s", b.kind)
	}
}

func TestRejected(t *testing.T) {
	t.Setenv("DATASTORE_EMULATOR_HOST", down(t))
	for _, values := range []map[string]any{
		{clientSetting: 1},
		{clientSetting: (*datastore.Client)(nil)},
		{clientSetting: ""},
		{clientSetting: "secret/project"},
		{projectSetting: ""},
		{projectSetting: "secret/project"},
		{projectSetting: 1},
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
