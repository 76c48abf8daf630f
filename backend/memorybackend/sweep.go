package memorybackend

import (
	"context"

	"github.com/go-session2/sessions/backend"
)

var _ backend.Sweeper = (*Backend)(nil)

// Sweep removes at most limit expired records. It holds one lock at a time,
// for as long as it takes to look at one in 128 of the records, and passes
// over those parts where nothing can have expired. Errors:
// [backend.ErrClosed], those of the context.
func (b *Backend) Sweep(ctx context.Context, limit int) (int, error) {
	if err := b.ready(ctx, "sweep"); err != nil {
		return 0, err
	}
	return b.sweep(limit), nil
}

// sweep removes at most limit expired records and returns how many.
func (b *Backend) sweep(limit int) (removed int) {
	now := b.nano()
	for i := range b.shards {
		if removed >= limit {
			break
		}
		s := &b.shards[i]
		s.mu.Lock()
		n := s.sweep(now, limit-removed, &b.index)
		b.count.Add(-int64(n))
		s.mu.Unlock()
		removed += n
	}
	return removed
}
