package backendtest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-session2/sessions/backend"
)

// withoutTokens makes a backend one in the layout of a Flask extension: equal
// bytes are not the same write.
func withoutTokens(f *faulty) {
	create, update := f.create, f.update
	var mu sync.Mutex // nobody comes between the comparison and the write
	f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
		mu.Lock()
		defer mu.Unlock()
		if rec, err := f.Backend.Load(ctx, key); err == nil && bytes.Equal(rec.Data, data) {
			return nil, backend.ErrExists
		}
		return create(ctx, key, data, ttl)
	}
	f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
		mu.Lock()
		defer mu.Unlock()
		if rec, err := f.Backend.Load(ctx, key); err == nil && bytes.Equal(rec.Data, data) && !bytes.Equal(rec.Revision, base) {
			return nil, backend.ErrConflict
		}
		return update(ctx, key, data, ttl, base)
	}
}

// shortenTouches makes a touch set the time to live, whatever it was.
func shortenTouches(f *faulty) {
	f.touch = func(ctx context.Context, key string, ttl time.Duration) error {
		for {
			rec, err := f.Backend.Load(ctx, key)
			if err == nil {
				_, err = f.Backend.Update(ctx, key, rec.Data, ttl, rec.Revision)
			}
			if !errors.Is(err, backend.ErrConflict) {
				return err
			}
		}
	}
}

// brokenFlask are faults of a backend in the layout of a Flask extension.
func brokenFlask() []fault {
	return []fault{
		{name: "touch shortens where it need not",
			want:  []string{"touch/keeps"},
			may:   []string{"race/logout", "race/touch"},
			flask: true,
			spoil: func(f *faulty) { withoutTokens(f); shortenTouches(f) }},
		{name: "touch shortens without a Flask layout",
			want:          []string{"touch/keeps"},
			may:           []string{"race/logout", "race/touch"},
			touchShortens: true,
			spoil:         shortenTouches},
	}
}
