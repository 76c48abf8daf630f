package nullbackend_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/nullbackend"
)

func TestBackend(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b, err := backend.Open("null", backend.NewSettings(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := b.(*nullbackend.Backend); !ok {
		t.Fatalf("Open returned a %T", b)
	}
	calls := []struct {
		name string
		want error
		f    func() error
	}{
		{"Load", backend.ErrNotFound, func() error { _, err := b.Load(ctx, "k"); return err }},
		{"Create", backend.ErrNotConfigured, func() error { _, err := b.Create(ctx, "k", []byte("d"), time.Hour); return err }},
		{"Update", backend.ErrNotConfigured, func() error { _, err := b.Update(ctx, "k", []byte("d"), time.Hour, []byte("r")); return err }},
		{"Touch", backend.ErrNotFound, func() error { return b.Touch(ctx, "k", time.Hour) }},
		{"Delete", nil, func() error { return b.Delete(ctx, "k", nil) }},
		{"Delete with a base", backend.ErrNotFound, func() error { return b.Delete(ctx, "k", []byte("r")) }},
	}
	for _, c := range calls {
		err := c.f()
		if !errors.Is(err, c.want) {
			t.Errorf("%s returned %v, want %v", c.name, err, c.want)
		}
		if c.want == backend.ErrNotConfigured && !strings.Contains(err.Error(), "set Config.Backend") {
			t.Errorf("%s does not say what to configure: %v", c.name, err)
		}
	}
	cancel()
	for _, c := range calls {
		if err := c.f(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s on a cancelled context returned %v", c.name, err)
		}
	}
}
