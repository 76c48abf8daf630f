package backendtest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-session2/sessions/backend"
)

// brokenLives are faults of Touch and of expiry.
func brokenLives() []fault {
	return []fault{
		{name: "touch creates",
			want: []string{"touch/missing", "update/deleted", "expiry/touch", "race/logout"},
			spoil: func(f *faulty) {
				f.touch = func(ctx context.Context, key string, ttl time.Duration) error {
					err := f.Backend.Touch(ctx, key, ttl)
					if errors.Is(err, backend.ErrNotFound) {
						_, err = f.Backend.Create(ctx, key, newData(26), ttl)
					}
					return err
				}
			}},
		{name: "touch says nothing of a missing record",
			want: []string{"touch/missing", "update/deleted", "expiry/touch", "race/logout"},
			spoil: func(f *faulty) {
				f.touch = func(ctx context.Context, key string, ttl time.Duration) error {
					err := f.Backend.Touch(ctx, key, ttl)
					if errors.Is(err, backend.ErrNotFound) {
						return nil
					}
					return err
				}
			}},
		{name: "touch shortens",
			want: []string{"touch/keeps"},
			spoil: func(f *faulty) {
				f.touch = func(ctx context.Context, key string, ttl time.Duration) error {
					rec, err := f.Backend.Load(ctx, key)
					if err == nil {
						_, err = f.Backend.Update(ctx, key, rec.Data, ttl, rec.Revision)
					}
					if errors.Is(err, backend.ErrConflict) {
						return nil
					}
					return err
				}
			}},
		{name: "touch does nothing",
			want: []string{"touch/extends", "load/expires", "expiry/long", "sweep/expired", "sweep/several"},
			spoil: func(f *faulty) {
				f.touch = func(ctx context.Context, key string, _ time.Duration) error {
					_, err := f.Backend.Load(ctx, key)
					return err
				}
			}},
		{name: "touch changes the data",
			want: []string{"touch/data", "touch/revision", "touch/extends", "expiry/long", "touch/keeps", "sweep/expired", "sweep/several"},
			may:  []string{"race/touch", "race/logout"},
			spoil: func(f *faulty) {
				f.touch = func(ctx context.Context, key string, ttl time.Duration) error {
					rec, err := f.Backend.Load(ctx, key)
					if err != nil {
						return err
					}
					data := append(append([]byte(nil), rec.Data...), '.')
					_, err = f.Backend.Update(ctx, key, data, max(ttl, rec.Expires.Sub(f.now())), rec.Revision)
					if errors.Is(err, backend.ErrConflict) {
						return nil
					}
					return err
				}
			}},
		{name: "load shows expired records",
			want: []string{"expiry/load", "expiry/update", "expiry/touch", "update/shortens"},
			spoil: func(f *faulty) {
				var kept sync.Map
				load, delete := f.load, f.delete
				f.load = func(ctx context.Context, key string) (backend.Record, error) {
					rec, err := load(ctx, key)
					if err == nil {
						kept.Store(key, rec)
					} else if old, ok := kept.Load(key); ok && errors.Is(err, backend.ErrNotFound) {
						return old.(backend.Record), nil
					}
					return rec, err
				}
				keep := func(key string, err error) {
					if err == nil {
						f.load(context.Background(), key)
					}
				}
				create, update := f.create, f.update
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					rev, err := create(ctx, key, data, ttl)
					keep(key, err)
					return rev, err
				}
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					rev, err := update(ctx, key, data, ttl, base)
					keep(key, err)
					return rev, err
				}
				f.delete = func(ctx context.Context, key string, base backend.Revision) error {
					err := delete(ctx, key, base)
					if err == nil {
						kept.Delete(key)
					}
					return err
				}
			},
			may: []string{"race/logout", "race/delete", "race/update-delete"}},
		{name: "a time to live of more than 30 days is taken for a date",
			want: []string{"expiry/long"},
			spoil: func(f *faulty) {
				create := f.create
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					if ttl > 30*24*time.Hour {
						ttl = 0
					}
					return create(ctx, key, data, ttl)
				}
			}},
		{name: "a time to live is rounded down to seconds",
			want: []string{"expiry/not-early"},
			spoil: func(f *faulty) {
				create := f.create
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					return create(ctx, key, data, ttl.Truncate(time.Second))
				}
			}},
		{name: "records never expire",
			want: []string{"expiry/load", "expiry/update", "expiry/touch", "expiry/delete", "expiry/create", "update/shortens",
				"load/expires", "expiry/long", "touch/keeps", "sweep/expired", "sweep/several"},
			spoil: func(f *faulty) {
				create, update := f.create, f.update
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					return create(ctx, key, data, ttl+24*time.Hour)
				}
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					return update(ctx, key, data, ttl+24*time.Hour, base)
				}
			}},
		{name: "update keeps the expiry",
			want: []string{"update/extends", "update/shortens", "load/expires", "expiry/long", "sweep/expired", "sweep/several"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					rec, err := f.Backend.Load(ctx, key)
					if err == nil {
						ttl = rec.Expires.Sub(f.now())
					}
					return update(ctx, key, data, ttl, base)
				}
			}},
		{name: "expires is when the record was written",
			want: []string{"load/expires", "expiry/long", "touch/keeps"},
			spoil: func(f *faulty) {
				load := f.load
				f.load = func(ctx context.Context, key string) (backend.Record, error) {
					rec, err := load(ctx, key)
					rec.Expires = time.Now()
					return rec, err
				}
			}},
	}
}
