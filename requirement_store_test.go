package sessions_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/memorybackend"
)

// A store is a memory store that counts what is asked of it, and can be made
// to answer otherwise.
type store struct {
	*memorybackend.Backend
	loads, creates, updates, touches, deletes atomic.Int64

	// meddle, if set, is called before each operation; an error ends it.
	meddle func(ctx context.Context, op, key string) error
}

func newStore(t testing.TB) *store {
	t.Helper()
	b, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return &store{Backend: b}
}

// calls returns how many operations were asked for.
func (s *store) calls() int64 {
	return s.loads.Load() + s.creates.Load() + s.updates.Load() + s.touches.Load() + s.deletes.Load()
}

func (s *store) note(ctx context.Context, n *atomic.Int64, op, key string) error {
	n.Add(1)
	if s.meddle != nil {
		return s.meddle(ctx, op, key)
	}
	return nil
}

func (s *store) Load(ctx context.Context, key string) (backend.Record, error) {
	if err := s.note(ctx, &s.loads, "load", key); err != nil {
		return backend.Record{}, err
	}
	return s.Backend.Load(ctx, key)
}

func (s *store) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	if err := s.note(ctx, &s.creates, "create", key); err != nil {
		return nil, err
	}
	return s.Backend.Create(ctx, key, data, ttl)
}

func (s *store) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	if err := s.note(ctx, &s.updates, "update", key); err != nil {
		return nil, err
	}
	return s.Backend.Update(ctx, key, data, ttl, base)
}

func (s *store) Touch(ctx context.Context, key string, ttl time.Duration) error {
	if err := s.note(ctx, &s.touches, "touch", key); err != nil {
		return err
	}
	return s.Backend.Touch(ctx, key, ttl)
}

func (s *store) Delete(ctx context.Context, key string, base backend.Revision) error {
	if err := s.note(ctx, &s.deletes, "delete", key); err != nil {
		return err
	}
	return s.Backend.Delete(ctx, key, base)
}

// rows returns everything that the store holds.
func (s *store) rows(t testing.TB) map[string]backend.Record {
	t.Helper()
	all := make(map[string]backend.Record)
	for cursor := ""; ; {
		keys, next, err := s.List(context.Background(), "", cursor, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			rec, err := s.Backend.Load(context.Background(), key)
			if err == nil {
				all[key] = rec
			}
		}
		if cursor = next; cursor == "" {
			return all
		}
	}
}

// rewrite replaces what the store holds under each key.
func (s *store) rewrite(t testing.TB, change func(key string, data []byte) []byte) {
	t.Helper()
	for key, rec := range s.rows(t) {
		data := change(key, append([]byte(nil), rec.Data...))
		if _, err := s.Backend.Update(context.Background(), key, data, time.Hour, rec.Revision); err != nil {
			t.Fatal(err)
		}
	}
}
