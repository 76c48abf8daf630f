package backendtest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-session2/sessions/backend"
)

// brokenExtras are faults of the optional interfaces.
func brokenExtras() []fault {
	return []fault{
		{name: "sweep removes live records",
			want: []string{"sweep/expired", "sweep/none", "sweep/several"},
			spoil: func(f *faulty) {
				f.sweep = func(ctx context.Context, limit int) (int, error) {
					n, err := f.Backend.Sweep(ctx, limit)
					if err != nil || n == limit {
						return n, err
					}
					keys, _, err := f.Backend.List(ctx, "", "", limit-n)
					for _, key := range keys {
						f.Backend.Delete(ctx, key, nil)
					}
					return n + len(keys), err
				}
			}},
		{name: "sweep ignores the limit",
			want: []string{"sweep/expired", "sweep/several"},
			spoil: func(f *faulty) {
				f.sweep = func(ctx context.Context, limit int) (int, error) { return f.Backend.Sweep(ctx, 10*limit) }
			}},
		{name: "sweep finds nothing",
			want: []string{"sweep/expired", "sweep/several"},
			spoil: func(f *faulty) {
				f.sweep = func(ctx context.Context, limit int) (int, error) { return 0, ctx.Err() }
			},
			may: []string{"close"}},
		{name: "sweep counts more than it removes",
			want: []string{"sweep/several", "sweep/none"},
			may:  []string{"sweep/expired"},
			spoil: func(f *faulty) {
				f.sweep = func(ctx context.Context, limit int) (int, error) {
					n, err := f.Backend.Sweep(ctx, limit)
					if err != nil || n == limit {
						return n, err
					}
					return n + 1, nil
				}
			}},
		{name: "sweep removes what was extended after it looked",
			want: []string{"sweep/expired", "sweep/several"},
			spoil: func(f *faulty) {
				// It goes by the expiry that a record was created with.
				var mu sync.Mutex
				short := make(map[string]bool)
				create := f.create
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					mu.Lock()
					defer mu.Unlock()
					short[key] = ttl < longTTL
					return create(ctx, key, data, ttl)
				}
				f.sweep = func(ctx context.Context, limit int) (int, error) {
					n, err := f.Backend.Sweep(ctx, limit)
					if err != nil {
						return n, err
					}
					mu.Lock()
					defer mu.Unlock()
					for key := range short {
						if short[key] {
							f.Backend.Delete(ctx, key, nil)
						}
					}
					return n, nil
				}
			}},
		{name: "list ignores the limit",
			want: []string{"list/all"},
			may:  []string{"list/prefix", "list/deleted", "list/changing"},
			spoil: func(f *faulty) {
				f.list = func(ctx context.Context, prefix, cursor string, limit int) ([]string, string, error) {
					return f.Backend.List(ctx, prefix, cursor, limit+1)
				}
			}},
		{name: "list shows the first page only",
			want: []string{"list/all", "list/prefix", "list/deleted", "list/changing"},
			spoil: func(f *faulty) {
				f.list = func(ctx context.Context, prefix, cursor string, limit int) ([]string, string, error) {
					keys, _, err := f.Backend.List(ctx, prefix, cursor, limit)
					return keys, "", err
				}
			}},
		{name: "list takes the prefix for a pattern",
			want: []string{"list/prefix"},
			spoil: func(f *faulty) {
				f.list = func(ctx context.Context, prefix, cursor string, limit int) ([]string, string, error) {
					if cursor == "" {
						decoys, _, err := f.Backend.List(ctx, strings.ReplaceAll(prefix, "_", "x"), "", 1)
						if err != nil || len(decoys) > 0 {
							return decoys, "0:", err
						}
					}
					return f.Backend.List(ctx, prefix, cursor, limit)
				}
			}},
		{name: "list shows deleted records",
			want: []string{"list/deleted"},
			spoil: func(f *faulty) {
				var mu sync.Mutex
				var deleted []string
				f.delete = func(ctx context.Context, key string, base backend.Revision) error {
					mu.Lock()
					defer mu.Unlock()
					deleted = append(deleted, key)
					return f.Backend.Delete(ctx, key, base)
				}
				f.list = func(ctx context.Context, prefix, cursor string, limit int) ([]string, string, error) {
					keys, next, err := f.Backend.List(ctx, prefix, cursor, limit)
					mu.Lock()
					defer mu.Unlock()
					for _, key := range deleted {
						if len(keys) < limit && strings.HasPrefix(key, prefix) {
							keys = append(keys, key)
						}
					}
					return keys, next, err
				}
			}},
		{name: "list counts from the start, though records come and go",
			want: []string{"list/changing"},
			spoil: func(f *faulty) {
				f.list = func(ctx context.Context, prefix, cursor string, limit int) ([]string, string, error) {
					all, _, err := f.Backend.List(ctx, prefix, "", 10_000)
					skip := min(len(cursor), len(all)) // a cursor of as many signs as keys were listed
					all = all[skip:]
					if len(all) <= limit {
						return all, "", err
					}
					return all[:limit], strings.Repeat("x", skip+limit), nil
				}
			}},
		{name: "ping fails",
			want: []string{"ping"},
			spoil: func(f *faulty) {
				f.ping = func(ctx context.Context) error {
					if err := f.Backend.Ping(ctx); err != nil {
						return err
					}
					return errors.New("no answer")
				}
			}},
		{name: "close does nothing",
			want:  []string{"close"},
			spoil: func(f *faulty) { f.close = func() error { return nil } }},
		{name: "close works once",
			want: []string{"close"},
			spoil: func(f *faulty) {
				var closed atomic.Bool
				f.close = func() error {
					if closed.Swap(true) {
						return backend.ErrClosed
					}
					return f.Backend.Close()
				}
			}},
	}
}
