package backendtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/go-session2/sessions/backend"
)

// brokenWrites are faults of Create, Update and Delete.
func brokenWrites() []fault {
	return []fault{
		{name: "create overwrites",
			want: []string{"create/exists", "create/again", "race/create"},
			spoil: func(f *faulty) {
				create := f.create
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					rev, err := create(ctx, key, data, ttl)
					if errors.Is(err, backend.ErrExists) {
						f.Backend.Delete(ctx, key, nil)
						return create(ctx, key, data, ttl)
					}
					return rev, err
				}
			}},
		{name: "create refuses the bytes that are there",
			want: []string{"create/again"},
			spoil: func(f *faulty) {
				create := f.create
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					if _, err := f.Backend.Load(ctx, key); err == nil {
						return nil, backend.ErrExists
					}
					return create(ctx, key, data, ttl)
				}
			}},
		{name: "create refuses a key that was used before",
			want: []string{"create/deleted", "expiry/create", "update/recreated"},
			spoil: func(f *faulty) {
				var used sync.Map
				create := f.create
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					_, err := f.Backend.Load(ctx, key)
					if _, ok := used.Load(key); ok && errors.Is(err, backend.ErrNotFound) {
						return nil, backend.ErrExists
					}
					rev, err := create(ctx, key, data, ttl)
					if err == nil {
						used.Store(key, true)
					}
					return rev, err
				}
			}},
		{name: "update creates",
			want: []string{"update/missing", "update/deleted", "expiry/update", "race/logout"},
			may:  []string{"race/update-delete"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					rev, err := update(ctx, key, data, ttl, base)
					if errors.Is(err, backend.ErrNotFound) {
						return f.create(ctx, key, data, ttl)
					}
					return rev, err
				}
			}},
		{name: "update ignores the base",
			want: []string{"update/stale", "update/same-length", "update/again", "update/zero-base", "update/recreated", "foreign/update"},
			may:  []string{"race/counter", "race/touch", "race/update-delete"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, _ backend.Revision) (backend.Revision, error) {
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
		{name: "update takes no base for any",
			want: []string{"update/zero-base"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					if base == nil {
						rec, _ := f.Backend.Load(ctx, key)
						base = rec.Revision
					}
					return update(ctx, key, data, ttl, base)
				}
			}},
		{name: "revisions are compared by length",
			want: []string{"update/same-length", "update/again", "update/recreated", "foreign/update"},
			may:  []string{"race/counter", "race/touch"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					rec, err := f.Backend.Load(ctx, key)
					if err == nil && base != nil && len(rec.Data) == len(base) {
						base = rec.Revision
					}
					return update(ctx, key, data, ttl, base)
				}
			}},
		{name: "update does not know its own bytes",
			want: []string{"update/again"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					rec, err := f.Backend.Load(ctx, key)
					if err == nil && bytes.Equal(rec.Data, data) {
						return nil, backend.ErrConflict
					}
					return update(ctx, key, data, ttl, base)
				}
			}},
		{name: "the revision of Create is good for nothing",
			want: []string{"create/exists", "create/again", "update/bases", "update/stores", "load/expires",
				"delete/base", "touch/revision", "size/limit", "size/update", "context/cancelled", "context/deadline"},
			may: []string{"load/stable", "update/stale", "update/same-length", "update/again", "delete/any", "delete/stale",
				"create/deleted", "race/keys", "race/delete", "race/update-delete", "race/load", "expiry/create",
				"expiry/long", "update/extends", "update/shortens", "sweep/expired", "sweep/several"},
			spoil: func(f *faulty) {
				create := f.create
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					rev, err := create(ctx, key, data, ttl)
					if err == nil {
						rev = backend.Revision("none")
					}
					return rev, err
				}
			}},
		{name: "a revision is a counter kept beside the data",
			want:  []string{"foreign/update", "foreign/delete"},
			spoil: countRevisions},
		{name: "delete ignores the base",
			want: []string{"delete/stale", "delete/gone", "foreign/delete", "expiry/delete", "race/delete"},
			may:  []string{"race/update-delete"},
			spoil: func(f *faulty) {
				f.delete = func(ctx context.Context, key string, _ backend.Revision) error {
					return f.Backend.Delete(ctx, key, nil)
				}
			}},
		{name: "delete with a base never works",
			want: []string{"delete/base", "foreign/delete", "touch/revision", "create/deleted", "race/keys", "race/delete"},
			may:  []string{"race/update-delete"},
			spoil: func(f *faulty) {
				f.delete = func(ctx context.Context, key string, base backend.Revision) error {
					if base != nil {
						base = backend.Revision("none")
					}
					return f.Backend.Delete(ctx, key, base)
				}
			}},
		{name: "delete of an absent record is an error",
			want: []string{"delete/any", "expiry/delete"},
			spoil: func(f *faulty) {
				f.delete = func(ctx context.Context, key string, base backend.Revision) error {
					if _, err := f.Backend.Load(ctx, key); err != nil {
						return err
					}
					return f.Backend.Delete(ctx, key, base)
				}
			}},
	}
}

// countRevisions makes a revision a number that only this backend counts.
func countRevisions(f *faulty) {
	var mu sync.Mutex
	var last uint64
	at := make(map[string]uint64)
	number := func(n uint64) backend.Revision { return binary.BigEndian.AppendUint64(nil, n) }
	next := func(key string) backend.Revision {
		last++
		at[key] = last
		return number(last)
	}
	load, create, update := f.load, f.create, f.update
	f.load = func(ctx context.Context, key string) (backend.Record, error) {
		mu.Lock()
		defer mu.Unlock()
		rec, err := load(ctx, key)
		if err == nil {
			rec.Revision = number(at[key])
		}
		return rec, err
	}
	f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
		mu.Lock()
		defer mu.Unlock()
		_, missing := f.Backend.Load(ctx, key)
		rev, err := create(ctx, key, data, ttl)
		if err == nil {
			rev = number(at[key])
			if missing != nil {
				rev = next(key)
			}
		}
		return rev, err
	}
	f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
		mu.Lock()
		defer mu.Unlock()
		rec, err := f.Backend.Load(ctx, key)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(rec.Data, data) {
			return number(at[key]), nil
		}
		if !bytes.Equal(base, number(at[key])) {
			return nil, backend.ErrConflict
		}
		if _, err = update(ctx, key, data, ttl, rec.Revision); err != nil {
			return nil, err
		}
		return next(key), nil
	}
	f.delete = func(ctx context.Context, key string, base backend.Revision) error {
		mu.Lock()
		defer mu.Unlock()
		rec, err := f.Backend.Load(ctx, key)
		if base != nil {
			if err != nil {
				return err
			}
			if !bytes.Equal(base, number(at[key])) {
				return backend.ErrConflict
			}
			base = rec.Revision
		}
		return f.Backend.Delete(ctx, key, base)
	}
}
