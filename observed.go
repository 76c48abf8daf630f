package sessions

import (
	"context"
	"time"

	"github.com/go-session2/sessions/backend"
)

// observed is a backend whose commands are told to Config.OnEvent. It stands
// in for the backend only when somebody listens.
type observed struct {
	backend.Backend
	m *Manager
}

// observe tells of a command of the store that began at a time.
func (m *Manager) observe(ctx context.Context, op, key string, start time.Time, err error) {
	if m.cfg.OnEvent != nil {
		m.emit(ctx, key, Event{Kind: EventStore, Op: op, Duration: time.Since(start), Err: err})
	}
}

func (o observed) Load(ctx context.Context, key string) (backend.Record, error) {
	start := time.Now()
	rec, err := o.Backend.Load(ctx, key)
	o.m.observe(ctx, "load", key, start, err)
	return rec, err
}

func (o observed) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	start := time.Now()
	rev, err := o.Backend.Create(ctx, key, data, ttl)
	o.m.observe(ctx, "create", key, start, err)
	return rev, err
}

func (o observed) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	start := time.Now()
	rev, err := o.Backend.Update(ctx, key, data, ttl, base)
	o.m.observe(ctx, "update", key, start, err)
	return rev, err
}

func (o observed) Touch(ctx context.Context, key string, ttl time.Duration) error {
	start := time.Now()
	err := o.Backend.Touch(ctx, key, ttl)
	o.m.observe(ctx, "touch", key, start, err)
	return err
}

func (o observed) Delete(ctx context.Context, key string, base backend.Revision) error {
	start := time.Now()
	err := o.Backend.Delete(ctx, key, base)
	o.m.observe(ctx, "delete", key, start, err)
	return err
}

// observedIndex is the same for the view of an index.
type observedIndex struct {
	observed
	index backend.Index
}

func (o observedIndex) Owned(ctx context.Context) ([]string, error) {
	start := time.Now()
	keys, err := o.index.Owned(ctx)
	o.m.observe(ctx, "index", "", start, err)
	return keys, err
}
