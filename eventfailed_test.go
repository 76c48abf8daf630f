package sessions

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/memorybackend"
)

// A broken store fails the commands that it is told to.
type broken struct {
	*memorybackend.Backend
	fail map[string]error
}

func (b *broken) Load(ctx context.Context, key string) (backend.Record, error) {
	if err := b.fail["load"]; err != nil {
		return backend.Record{}, err
	}
	return b.Backend.Load(ctx, key)
}

func (b *broken) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	if err := b.fail["update"]; err != nil {
		return nil, err
	}
	return b.Backend.Update(ctx, key, data, ttl, base)
}

func (b *broken) Touch(ctx context.Context, key string, ttl time.Duration) error {
	if err := b.fail["touch"]; err != nil {
		return err
	}
	return b.Backend.Touch(ctx, key, ttl)
}

func (b *broken) Delete(ctx context.Context, key string, base backend.Revision) error {
	if err := b.fail["delete"]; err != nil {
		return err
	}
	return b.Backend.Delete(ctx, key, base)
}

func (b *broken) Sweep(ctx context.Context, limit int) (int, error) {
	if err := b.fail["sweep"]; err != nil {
		return 0, err
	}
	return b.Backend.Sweep(ctx, limit)
}

func TestFailedEvents(t *testing.T) {
	var rec recorder
	var log bytes.Buffer
	b := newBench(t, Config{})
	store := &broken{Backend: b.store.Backend}
	m, err := NewManager(Config{
		Backend: store, OnEvent: rec.record, SweepInterval: -1, RefreshInterval: RefreshAlways,
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	m.now, b.m = b.clock.now, m
	var handle, id string
	b.request(func(s *Session) { s.Set("a", 1); handle, id = s.Handle(), s.ID() })
	rec.take()
	down := errors.New("no answer")
	for _, test := range []struct {
		command, kinds, store string
		use                   func(s *Session)
		silent                bool // no request to report
	}{
		{command: "load", kinds: "failed:load", store: "load", use: func(s *Session) { s.Get("a") }},
		{command: "update", kinds: "loaded failed:save", store: "load update", use: func(s *Session) { s.Set("a", time.Now()) }},
		{command: "touch", kinds: "loaded failed:touch", store: "load touch", use: func(s *Session) { s.Get("a") }},
		{command: "delete", kinds: "failed:destroy", store: "delete", use: func(s *Session) { _ = s.Destroy() }},
		{command: "delete", kinds: "loaded failed:regenerate failed:save", store: "load create delete delete", use: func(s *Session) { _ = s.Regenerate() }},
		{command: "sweep", kinds: "failed:sweep", store: "sweep", use: func(*Session) { _, _ = m.Sweep(t.Context()) }, silent: true},
	} {
		b.clock.advance(time.Minute)
		log.Reset()
		store.fail = map[string]error{test.command: down}
		b.request(test.use)
		for _, e := range rec.want(t, test.kinds, test.store) {
			if e.Kind == EventFailed && (!errors.Is(e.Err, ErrUnavailable) || !errors.Is(e.Err, down)) {
				t.Errorf("%s: %v", test.kinds, e.Err)
			}
			if !test.silent && e.Handle != handle {
				t.Errorf("%s: handle %q, want %q", test.kinds, e.Handle, handle)
			}
		}
		text := log.String()
		if want := "handle=" + handle; strings.Contains(text, want) == test.silent || strings.Contains(text, id) || strings.Contains(text, m.storeKey(id)) {
			t.Errorf("%s: log %q", test.kinds, text)
		}
	}
	store.fail = nil

	// Somebody else ends the session: the changes are dropped.
	b.request(func(s *Session) {
		_ = s.Get("a")
		if err := store.Delete(t.Context(), m.storeKey(id), nil); err != nil {
			t.Fatal(err)
		}
		s.Set("a", 2)
	})
	if e := rec.want(t, "loaded failed:save", "load update"); !errors.Is(e[1].Err, ErrGone) {
		t.Error(e[1].Err)
	}
	var kept *Session
	b.request(func(s *Session) { kept = s })
	kept.Set("a", 1)
	if e := rec.want(t, "rejected:unknown failed:save", "load"); !errors.Is(e[1].Err, ErrCommitted) {
		t.Error(e[1].Err)
	}
}
