package backendtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/go-session2/sessions/backend"
)

// everyIndexRule are the rules that need a Create to be listed.
var everyIndexRule = []string{
	"index/owned", "index/plain", "index/delete", "index/many", "index/expired",
	"index/race-create", "index/race-move",
}

// brokenIndexes are faults of the index.
func brokenIndexes() []fault {
	return []fault{
		{name: "index does not hear of a Create",
			want:  everyIndexRule,
			spoil: views(func(v *faultyView) { v.created = func(string) {} })},
		{name: "index does not hear of an Update",
			want:  []string{"index/owned", "index/owner"},
			spoil: views(func(v *faultyView) { v.updated = func(string) {} })},
		{name: "index does not hear of a Touch",
			want:  []string{"index/owned"},
			spoil: views(func(v *faultyView) { v.touched = func(string) {} })},
		{name: "index lists everybody's records",
			want: []string{"index/owned"},
			may:  append([]string{"index/owner", "index/race-delete"}, everyIndexRule...),
			spoil: views(func(v *faultyView) {
				v.owned = func(ctx context.Context) ([]string, error) {
					keys, _, err := v.Backend.List(ctx, "bt:", "", 10_000)
					return keys, err
				}
			})},
		{name: "a view overwrites",
			want: []string{"index/contract"},
			spoil: func(f *faulty) {
				viewed := make(map[string]bool)
				var mu sync.Mutex
				f.view = func(v *faultyView) {
					v.created = func(key string) {
						mu.Lock()
						defer mu.Unlock()
						viewed[key] = true
						v.own(key)
					}
				}
				create := f.create
				f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
					mu.Lock()
					mine := viewed[key]
					mu.Unlock()
					if mine {
						_ = f.Backend.Delete(ctx, key, nil)
					}
					return create(ctx, key, data, ttl)
				}
			}},
		{name: "a view's Touch revives",
			want: []string{"index/contract", "index/race-delete"},
			spoil: views(func(v *faultyView) {
				v.touch = func(ctx context.Context, key string, ttl time.Duration) error {
					err := v.faulty.Touch(ctx, key, ttl)
					if errors.Is(err, backend.ErrNotFound) {
						_, _ = v.Backend.Create(ctx, key, newData(50), ttl)
					}
					return err
				}
			})},
		{name: "a view's Touch extends nothing",
			want: []string{"index/expired"},
			spoil: views(func(v *faultyView) {
				v.touch = func(ctx context.Context, key string, _ time.Duration) error { return v.faulty.Touch(ctx, key, 1) }
			})},
		{name: "an Update takes the record out of the index",
			want: []string{"index/plain"},
			may:  []string{"index/race-delete"},
			spoil: func(f *faulty) {
				update := f.update
				f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
					rev, err := update(ctx, key, data, ttl, base)
					if nobody, e := f.Backend.Indexed("nobody"); e == nil {
						_ = nobody.Touch(ctx, key, 1)
					}
					return rev, err
				}
			}},
		{name: "index lists what is deleted",
			want:  []string{"index/delete", "index/owner", "index/race-create", "index/race-delete", "index/race-move"},
			may:   []string{"index/expired"},
			spoil: memory(func(*faultyView, string) bool { return true })},
		{name: "index lists what has expired",
			want: []string{"index/expired"},
			spoil: func(f *faulty) {
				var deleted sync.Map
				f.delete = func(ctx context.Context, key string, base backend.Revision) error {
					err := f.Backend.Delete(ctx, key, base)
					if err == nil {
						deleted.Store(key, true)
					}
					return err
				}
				memory(func(_ *faultyView, key string) bool { _, ok := deleted.Load(key); return !ok })(f)
			}},
		{name: "index shows the first page only",
			want: []string{"index/many"},
			spoil: views(func(v *faultyView) {
				owned := v.owned
				v.owned = func(ctx context.Context) ([]string, error) {
					keys, err := owned(ctx)
					return keys[:min(len(keys), 100)], err
				}
			})},
		{name: "index is behind",
			want: []string{"index/race-move"},
			may:  append([]string{"index/owner", "index/race-delete"}, everyIndexRule...),
			spoil: func(f *faulty) {
				var mu sync.Mutex
				first := make(map[string][]string)
				f.view = func(v *faultyView) {
					owned := v.owned
					v.owned = func(ctx context.Context) ([]string, error) {
						now, err := owned(ctx)
						mu.Lock()
						defer mu.Unlock()
						if len(first[v.owner]) == 0 {
							first[v.owner] = now
						}
						return slices.DeleteFunc(slices.Clone(first[v.owner]), func(key string) bool { return !slices.Contains(now, key) }), err
					}
				}
			}},
		{name: "Owned ignores the context",
			want: []string{"index/context"},
			spoil: views(func(v *faultyView) {
				owned := v.owned
				v.owned = func(context.Context) ([]string, error) { return owned(context.Background()) }
			})},
	}
}

// views spoils every view of a backend.
func views(spoil func(*faultyView)) func(*faulty) {
	return func(f *faulty) { f.view = spoil }
}

// memory makes an index of its own, which lists what it has heard of and keep
// lets pass.
func memory(keep func(v *faultyView, key string) bool) func(*faulty) {
	return func(f *faulty) {
		var mu sync.Mutex
		heard := make(map[string][]string)
		f.view = func(v *faultyView) {
			hear := func(key string) {
				mu.Lock()
				defer mu.Unlock()
				if !slices.Contains(heard[v.owner], key) {
					heard[v.owner] = append(heard[v.owner], key)
				}
			}
			v.created, v.updated, v.touched = hear, hear, hear
			v.owned = func(ctx context.Context) ([]string, error) {
				mu.Lock()
				defer mu.Unlock()
				list := slices.DeleteFunc(slices.Clone(heard[v.owner]), func(key string) bool { return !keep(v, key) })
				return list, ctx.Err()
			}
		}
	}
}
