package backendtest

import (
	"context"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/memorybackend"
)

// A faulty backend is a sound one whose methods can be replaced.
type faulty struct {
	*memorybackend.Backend
	now    func() time.Time
	load   func(ctx context.Context, key string) (backend.Record, error)
	create func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error)
	update func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error)
	touch  func(ctx context.Context, key string, ttl time.Duration) error
	delete func(ctx context.Context, key string, base backend.Revision) error
	sweep  func(ctx context.Context, limit int) (int, error)
	list   func(ctx context.Context, prefix, cursor string, limit int) ([]string, string, error)
	ping   func(ctx context.Context) error
	close  func() error
	view   func(v *faultyView)
}

// limited returns a backend that is sound and has a limit on the size.
func limited(m *memorybackend.Backend, now func() time.Time) *faulty {
	return &faulty{
		Backend: m,
		now:     now,
		load:    m.Load,
		create: func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
			if len(data) > maxSize {
				return nil, backend.TooLarge(len(data), maxSize)
			}
			return m.Create(ctx, key, data, ttl)
		},
		update: func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
			if len(data) > maxSize {
				return nil, backend.TooLarge(len(data), maxSize)
			}
			return m.Update(ctx, key, data, ttl, base)
		},
		touch:  m.Touch,
		delete: m.Delete,
		sweep:  m.Sweep,
		list:   m.List,
		ping:   m.Ping,
		close:  m.Close,
		view:   func(*faultyView) {},
	}
}

func (f *faulty) Load(ctx context.Context, key string) (backend.Record, error) {
	return f.load(ctx, key)
}

func (f *faulty) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	return f.create(ctx, key, data, ttl)
}

func (f *faulty) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	return f.update(ctx, key, data, ttl, base)
}

func (f *faulty) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return f.touch(ctx, key, ttl)
}

func (f *faulty) Delete(ctx context.Context, key string, base backend.Revision) error {
	return f.delete(ctx, key, base)
}

func (f *faulty) Sweep(ctx context.Context, limit int) (int, error) { return f.sweep(ctx, limit) }

func (f *faulty) List(ctx context.Context, prefix, cursor string, limit int) ([]string, string, error) {
	return f.list(ctx, prefix, cursor, limit)
}

func (f *faulty) Ping(ctx context.Context) error { return f.ping(ctx) }

func (f *faulty) Close() error { return f.close() }

func (f *faulty) Indexed(owner string) (backend.Index, error) {
	ix, err := f.Backend.Indexed(owner)
	v := &faultyView{faulty: f, owner: owner, owned: ix.Owned}
	v.own = func(key string) { _ = ix.Touch(context.Background(), key, 1) } // which extends nothing
	v.created, v.updated, v.touched = v.own, v.own, v.own
	v.touch = func(ctx context.Context, key string, ttl time.Duration) error { return f.Touch(ctx, key, ttl) }
	f.view(v)
	return v, err
}

// A faultyView is a sound view of a faulty backend, whose parts can be
// replaced.
type faultyView struct {
	*faulty
	owner                     string
	own                       func(key string)
	created, updated, touched func(key string) // after success
	touch                     func(ctx context.Context, key string, ttl time.Duration) error
	owned                     func(ctx context.Context) ([]string, error)
}

func (v *faultyView) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	rev, err := v.faulty.Create(ctx, key, data, ttl)
	if err == nil {
		v.created(key)
	}
	return rev, err
}

func (v *faultyView) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	rev, err := v.faulty.Update(ctx, key, data, ttl, base)
	if err == nil {
		v.updated(key)
	}
	return rev, err
}

func (v *faultyView) Touch(ctx context.Context, key string, ttl time.Duration) error {
	err := v.touch(ctx, key, ttl)
	if err == nil {
		v.touched(key)
	}
	return err
}

func (v *faultyView) Owned(ctx context.Context) ([]string, error) { return v.owned(ctx) }

// A fault is one way to break a sound backend.
type fault struct {
	name  string
	want  []string // the rules that must be found broken
	may   []string // rules that this may break as well, by chance
	spoil func(*faulty)

	flask         bool // it claims to be in the layout of a Flask extension
	touchShortens bool // and that it does not know how long a record lives
}
