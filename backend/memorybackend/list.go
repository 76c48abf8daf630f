package memorybackend

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/go-session2/sessions/backend"
)

var _ backend.Lister = (*Backend)(nil)

// List returns up to limit keys, at least one, of live records, sorted only
// within the 128 parts that the records are divided into. The cursor is where
// the page ended: a part and the last key. A page needs memory for twice as
// many keys as it may hold, and time to look at all keys of the parts that it
// touches, at least one in 128. Errors: [backend.ErrClosed], those of the
// context, and a limit below one or a cursor of another origin.
func (b *Backend) List(ctx context.Context, prefix, cursor string, limit int) (keys []string, next string, err error) {
	if err := b.ready(ctx, "list"); err != nil {
		return nil, "", err
	}
	if limit < 1 {
		return nil, "", failed("list", errors.New("the limit must be at least 1"))
	}
	var first int
	var from string
	if cursor != "" {
		number, key, ok := strings.Cut(cursor, ":")
		first, err = strconv.Atoi(number)
		if !ok || err != nil || first < 0 || first >= shardCount {
			return nil, "", failed("list", errors.New("the cursor is none that List returned"))
		}
		from = key + "\x00" // the next key that there could be
	}
	for i := first; i < shardCount; i++ {
		keys = append(keys, b.shards[i].list(prefix, from, limit-len(keys), b.nano())...)
		if len(keys) == limit {
			return keys, strconv.Itoa(i) + ":" + keys[limit-1], nil
		}
		from = ""
	}
	return keys, "", nil
}

// list returns the first limit keys, in order, that begin with prefix and
// do not come before from. It takes the lock.
func (s *shard) list(prefix, from string, limit int, now int64) (keys []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for key, r := range s.records {
		if r.expires <= now || key < from || !strings.HasPrefix(key, prefix) {
			continue
		}
		if len(keys) == 2*limit {
			slices.Sort(keys)
			keys = keys[:limit]
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys[:min(limit, len(keys))]
}
