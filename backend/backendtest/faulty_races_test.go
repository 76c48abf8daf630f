package backendtest

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/go-session2/sessions/backend"
)

// pause lets other goroutines go between two steps that should be one.
func pause() { time.Sleep(200 * time.Microsecond) }

// brokenRaces are faults that only show when goroutines race.
func brokenRaces() []fault {
	return []fault{
		{name: "update compares in one step and writes in another",
			want: []string{"race/counter"},
			may:  []string{"race/touch", "race/logout", "race/update-delete"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					rec, err := f.Backend.Load(ctx, key)
					if err != nil || base == nil || !bytes.Equal(rec.Revision, base) {
						return update(ctx, key, data, ttl, base)
					}
					pause()
					for {
						rec, err := f.Backend.Load(ctx, key)
						if err != nil {
							return nil, err
						}
						rev, err := update(ctx, key, data, ttl, rec.Revision)
						if !errors.Is(err, backend.ErrConflict) {
							return rev, err
						}
					}
				}
			}},
		{name: "create looks in one step and writes in another",
			want: []string{"race/create"},
			spoil: func(f *faulty) {
				create := f.create
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					_, err := f.Backend.Load(ctx, key)
					pause()
					rev, createErr := create(ctx, key, data, ttl)
					if errors.Is(err, backend.ErrNotFound) && errors.Is(createErr, backend.ErrExists) {
						f.Backend.Delete(ctx, key, nil)
						return create(ctx, key, data, ttl)
					}
					return rev, createErr
				}
			}},
		{name: "delete compares in one step and removes in another",
			want: []string{"race/delete"},
			may:  []string{"race/update-delete"},
			spoil: func(f *faulty) {
				f.delete = func(ctx context.Context, key string, base backend.Revision) error {
					rec, err := f.Backend.Load(ctx, key)
					if err != nil || !bytes.Equal(rec.Revision, base) {
						return f.Backend.Delete(ctx, key, base)
					}
					pause()
					return f.Backend.Delete(ctx, key, nil)
				}
			}},
		{name: "delete wins over an update in progress, which says that it succeeded",
			want: []string{"race/update-delete"},
			may:  []string{"race/delete"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					rec, err := f.Backend.Load(ctx, key)
					pause()
					rev, updateErr := update(ctx, key, data, ttl, base)
					if err == nil && bytes.Equal(rec.Revision, base) && errors.Is(updateErr, backend.ErrNotFound) {
						return base, nil
					}
					return rev, updateErr
				}
			}},
		{name: "touch writes back what it has read",
			want: []string{"race/touch"},
			may:  []string{"race/logout"},
			spoil: func(f *faulty) {
				f.touch = func(ctx context.Context, key string, ttl time.Duration) error {
					rec, err := f.Backend.Load(ctx, key)
					if err != nil {
						return err
					}
					pause()
					for {
						now, err := f.Backend.Load(ctx, key)
						if err != nil {
							return err
						}
						_, err = f.Backend.Update(ctx, key, rec.Data, max(ttl, rec.Expires.Sub(f.now())), now.Revision)
						if !errors.Is(err, backend.ErrConflict) {
							return err
						}
					}
				}
			}},
		{name: "update removes and creates",
			want: []string{"race/logout"},
			may:  []string{"race/counter", "race/touch", "race/update-delete", "race/load"},
			spoil: func(f *faulty) {
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					if len(data) > maxSize {
						return nil, backend.TooLarge(len(data), maxSize)
					}
					rec, err := f.Backend.Load(ctx, key)
					if err != nil {
						return nil, err
					}
					if bytes.Equal(rec.Data, data) {
						return rec.Revision, nil
					}
					if base == nil || !bytes.Equal(rec.Revision, base) {
						return nil, backend.ErrConflict
					}
					pause()
					if err := f.Backend.Delete(ctx, key, nil); err != nil {
						return nil, err
					}
					rev, err := f.Backend.Create(ctx, key, data, ttl)
					if errors.Is(err, backend.ErrExists) {
						return nil, backend.ErrConflict
					}
					return rev, err
				}
			}},
		{name: "load can see half an update",
			want: []string{"race/load"},
			may:  []string{"race/counter", "race/touch", "race/logout"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					if len(data) < 2 || len(data) > maxSize {
						return update(ctx, key, data, ttl, base)
					}
					if rec, err := f.Backend.Load(ctx, key); err == nil && bytes.Equal(rec.Data, data) {
						return rec.Revision, nil
					}
					rev, err := update(ctx, key, data[:len(data)/2], ttl, base)
					if err != nil {
						return nil, err
					}
					pause()
					return update(ctx, key, data, ttl, rev)
				}
			}},
		{name: "replies to goroutines that load at once are mixed up",
			want: []string{"race/keys"},
			spoil: func(f *faulty) {
				var last atomic.Pointer[backend.Record]
				load := f.load
				f.load = func(ctx context.Context, key string) (backend.Record, error) {
					rec, err := load(ctx, key)
					if err != nil || len(rec.Data) != 200 { // the length that race/keys uses
						return rec, err
					}
					last.Store(&rec)
					pause()
					return *last.Load(), nil
				}
			}},
	}
}
