package filebackend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-session2/sessions/backend"
)

// maxBatch is how many file names List holds at a time.
const maxBatch = 1000

// List returns up to limit keys that begin with prefix, in no order that
// means anything. It reads every session on the way, whatever the prefix. The
// cursor is the name of the last file, so it tells no key. Expired and
// corrupt files are left out. A limit under 1 counts as 1. In the layouts of
// Flask it is an errors.ErrUnsupported.
func (b *Backend) List(ctx context.Context, prefix, cursor string, limit int) (keys []string, next string, err error) {
	if b.flask() {
		return nil, "", failed("list", fmt.Errorf("the files of Flask do not hold their keys: %w", errors.ErrUnsupported))
	}
	keys, next, err = b.list(ctx, prefix, cursor, max(limit, 1))
	if err != nil {
		return nil, "", failed("list", err)
	}
	return keys, next, nil
}

func (b *Backend) list(ctx context.Context, prefix, cursor string, limit int) (keys []string, next string, err error) {
	if err := b.begin(ctx); err != nil {
		return nil, "", err
	}
	defer b.life.RUnlock()
	first := 0
	if cursor != "" {
		if !isFileName(cursor) {
			return nil, "", errors.New("the cursor is none that List returned")
		}
		first = shardOf(cursor)
	}
	for index := first; index < shardCount; index++ {
		page, last, err := b.listShard(ctx, index, prefix, cursor, limit-len(keys))
		if err != nil {
			return nil, "", err
		}
		keys = append(keys, page...)
		if len(keys) == limit {
			return keys, last, nil
		}
	}
	return keys, "", nil
}

// listShard returns up to limit keys of one shard, from files whose names
// come after a name, and the name of the last of them.
func (b *Backend) listShard(ctx context.Context, index int, prefix, after string, limit int) (keys []string, last string, err error) {
	s, err := b.openShard(index)
	if errors.Is(err, backend.ErrNotFound) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	defer s.close()
	batch := min(limit, maxBatch)
	for {
		names, err := s.namesAfter(after, batch)
		if err != nil {
			return nil, "", err
		}
		for _, name := range names {
			if err := b.interrupted(ctx); err != nil {
				return nil, "", err
			}
			rec, err := s.readLive(name)
			if errors.Is(err, backend.ErrNotFound) || errors.Is(err, backend.ErrCorrupt) {
				continue
			}
			if err != nil {
				return nil, "", err
			}
			if !strings.HasPrefix(rec.key, prefix) {
				continue
			}
			if keys = append(keys, rec.key); len(keys) == limit {
				return keys, name, nil
			}
		}
		if len(names) < batch {
			return keys, "", nil
		}
		after = names[len(names)-1]
	}
}

// namesAfter returns the first n file names after a name, in order.
func (s *shard) namesAfter(after string, n int) (names []string, err error) {
	first := func() {
		slices.Sort(names)
		names = names[:min(n, len(names))]
	}
	err = s.eachName(func(name string) {
		if !isFileName(name) || name <= after {
			return
		}
		if names = append(names, name); len(names) > n+maxBatch {
			first()
		}
	})
	first()
	return names, err
}
