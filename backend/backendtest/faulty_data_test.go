package backendtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-session2/sessions/backend"
)

// brokenData are faults of how data, keys, sizes, contexts and errors are
// handled.
func brokenData() []fault {
	return []fault{
		{name: "load finds what was never created",
			want: []string{"load/missing", "update/missing", "touch/missing", "size/create", "context/cancelled", "context/deadline"},
			spoil: func(f *faulty) {
				var created sync.Map
				load, create := f.load, f.create
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					rev, err := create(ctx, key, data, ttl)
					if err == nil {
						created.Store(key, true)
					}
					return rev, err
				}
				f.load = func(ctx context.Context, key string) (backend.Record, error) {
					rec, err := load(ctx, key)
					if _, ok := created.Load(key); !ok && errors.Is(err, backend.ErrNotFound) {
						return backend.Record{Revision: backend.Revision("none")}, nil
					}
					return rec, err
				}
			}},
		{name: "equal data is taken for the same write in a Flask layout",
			want:  []string{"create/equal", "update/equal"},
			flask: true,
			spoil: func(*faulty) {}},
		{name: "data ends at the first NUL",
			want: []string{"create/stores", "update/stores"},
			spoil: func(f *faulty) {
				mapData(f, func(data []byte) []byte {
					before, _, _ := bytes.Cut(data, []byte{0})
					return before
				})
			}},
		{name: "data is cut at 64 KiB less one",
			want:  []string{"create/stores", "update/stores", "size/limit", "size/create", "size/update"},
			may:   []string{"race/load"},
			spoil: func(f *faulty) { mapData(f, func(data []byte) []byte { return data[:min(len(data), 1<<16-1)] }) }},
		{name: "empty data is not stored",
			want: []string{"create/stores", "update/stores"},
			spoil: func(f *faulty) {
				mapData(f, func(data []byte) []byte {
					if len(data) == 0 {
						return []byte("null")
					}
					return data
				})
			}},
		{name: "data is made UTF-8",
			want:  []string{"create/stores", "update/stores"},
			may:   []string{"race/counter", "race/touch", "race/logout"},
			spoil: func(f *faulty) { mapData(f, func(data []byte) []byte { return bytes.ToValidUTF8(data, []byte("?")) }) }},
		{name: "keys are compared without case",
			want: []string{"keys/distinct", "keys/delete-one", "list/prefix"},
			spoil: func(f *faulty) {
				mapKeys(f, func(key string) string {
					if strings.Contains(key, "_") { // as the keys of these rules do
						return strings.ToLower(key)
					}
					return key
				})
			}},
		{name: "keys are cut",
			want: []string{"keys/distinct", "keys/delete-one"},
			spoil: func(f *faulty) {
				mapKeys(f, func(key string) string { return key[:min(len(key), 190)] })
			}},
		{name: "delete takes the key for a pattern",
			want: []string{"keys/delete-one"},
			spoil: func(f *faulty) {
				f.delete = func(ctx context.Context, key string, base backend.Revision) error {
					if base == nil {
						f.Backend.Delete(ctx, strings.Replace(key, "_", "-", 1), nil)
					}
					return f.Backend.Delete(ctx, key, base)
				}
			}},
		{name: "load returns a buffer that is used again",
			want: []string{"load/stable"},
			spoil: func(f *faulty) {
				var mu sync.Mutex
				buffers := make(map[string][]byte)
				load := f.load
				f.load = func(ctx context.Context, key string) (backend.Record, error) {
					rec, err := load(ctx, key)
					if len(rec.Data) != 100 { // not in the rules whose goroutines share a key
						return rec, err
					}
					mu.Lock()
					defer mu.Unlock()
					buffers[key] = append(buffers[key][:0], rec.Data...)
					rec.Data = buffers[key]
					return rec, err
				}
			}},
		{name: "update changes what it is given",
			want: []string{"input"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					rev, err := update(ctx, key, data, ttl, base)
					if err == nil && len(data) == 100 {
						data[50] = 0
					}
					return rev, err
				}
			},
			may: []string{"update/stores", "update/bases", "update/stale", "update/again", "touch/revision", "race/update-delete",
				"update/extends", "expiry/long", "load/stable", "foreign/update", "create/again", "create/exists", "delete/stale"}},
		{name: "the revision of Update is nil",
			want: []string{"revision"},
			may: []string{"update/stores", "update/bases", "update/again", "touch/revision", "race/keys", "race/load", "delete/base",
				"load/expires"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					_, err := update(ctx, key, data, ttl, base)
					return nil, err
				}
			}},
		{name: "the context is ignored",
			want: []string{"context/cancelled", "context/deadline"},
			spoil: func(f *faulty) {
				load := f.load
				f.load = func(_ context.Context, key string) (backend.Record, error) {
					return load(context.Background(), key)
				}
			}},
		{name: "a deadline that has passed is reported, after the write",
			want: []string{"context/deadline"},
			spoil: func(f *faulty) {
				f.delete = func(ctx context.Context, key string, base backend.Revision) error {
					if errors.Is(ctx.Err(), context.DeadlineExceeded) {
						f.Backend.Delete(context.Background(), key, base)
					}
					return f.Backend.Delete(ctx, key, base)
				}
			}},
		{name: "a cancelled context is reported as something else",
			want: []string{"context/cancelled"},
			spoil: func(f *faulty) {
				f.touch = func(ctx context.Context, key string, ttl time.Duration) error {
					if errors.Is(ctx.Err(), context.Canceled) {
						return errors.New("connection closed")
					}
					return f.Backend.Touch(ctx, key, ttl)
				}
			}},
		{name: "errors hold the key",
			want: []string{"secret"},
			spoil: func(f *faulty) {
				load := f.load
				f.load = func(ctx context.Context, key string) (backend.Record, error) {
					rec, err := load(ctx, key)
					if err != nil {
						err = fmt.Errorf("key %q: %w", key, err)
					}
					return rec, err
				}
			}},
		{name: "errors hold the data",
			want: []string{"secret"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					rev, err := update(ctx, key, data, ttl, base)
					if err != nil {
						err = fmt.Errorf("%w: UPDATE ... SET data = %x", err, data)
					}
					return rev, err
				}
			}},
		{name: "what is too large is cut",
			want:  []string{"size/create", "size/update"},
			spoil: func(f *faulty) { mapData(f, func(data []byte) []byte { return data[:min(len(data), maxSize)] }) }},
		{name: "what is too large removes the record",
			want: []string{"size/update"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					rev, err := update(ctx, key, data, ttl, base)
					if errors.Is(err, backend.ErrTooLarge) {
						f.Backend.Delete(ctx, key, nil)
					}
					return rev, err
				}
			}},
		{name: "too large is reported without the limit",
			want: []string{"size/create"},
			spoil: func(f *faulty) {
				create := f.create
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					if len(data) > maxSize {
						return nil, backend.ErrTooLarge
					}
					return create(ctx, key, data, ttl)
				}
			}},
	}
}

// mapData stores other data than is given.
func mapData(f *faulty, stored func([]byte) []byte) {
	create, update := f.create, f.update
	f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
		return create(ctx, key, stored(data), ttl)
	}
	f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
		return update(ctx, key, stored(data), ttl, base)
	}
}

// mapKeys stores under other keys than are given.
func mapKeys(f *faulty, stored func(string) string) {
	load, create, update, touch, delete, list := f.load, f.create, f.update, f.touch, f.delete, f.list
	f.load = func(ctx context.Context, key string) (backend.Record, error) {
		return load(ctx, stored(key))
	}
	f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
		return create(ctx, stored(key), data, ttl)
	}
	f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
		return update(ctx, stored(key), data, ttl, base)
	}
	f.touch = func(ctx context.Context, key string, ttl time.Duration) error {
		return touch(ctx, stored(key), ttl)
	}
	f.delete = func(ctx context.Context, key string, base backend.Revision) error {
		return delete(ctx, stored(key), base)
	}
	f.list = func(ctx context.Context, prefix, cursor string, limit int) ([]string, string, error) {
		return list(ctx, stored(prefix), cursor, limit)
	}
}
