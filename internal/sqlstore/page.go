package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Sweep implements [backend.Sweeper] by one DELETE of the rows that expired
// first. Where the dialect has none it is one SELECT, and a DELETE for each
// row.
func (s *Store) Sweep(ctx context.Context, limit int) (removed int, err error) {
	return do(ctx, s, "sweep", "", func() (int, error) {
		if limit < 1 {
			return 0, fmt.Errorf("the limit is %d, not at least 1", limit)
		}
		if s.st.sweep.text != "" {
			n, err := s.exec(ctx, s.limited(s.st.sweep, limit), args{})
			return int(n), err
		}
		keys, err := s.keys(ctx, s.limited(s.st.expired, limit), args{})
		if err != nil {
			return 0, err
		}
		var sum int64
		for _, key := range keys {
			n, err := s.exec(ctx, s.st.purge, args{key: key})
			if err != nil {
				return int(sum), err
			}
			sum += n
		}
		return int(sum), nil
	})
}

// A page is one page of List.
type page struct {
	keys []string
	next string
}

// List implements [backend.Lister] by one SELECT along the primary key. The
// cursor is the last key of the page.
func (s *Store) List(ctx context.Context, prefix, cursor string, limit int) (keys []string, next string, err error) {
	p, err := do(ctx, s, "list", "", func() (p page, err error) {
		if limit < 1 {
			return p, fmt.Errorf("the limit is %d, not at least 1", limit)
		}
		p.keys, err = s.keys(ctx, s.limited(s.st.list, limit), args{prefix: prefix, cursor: cursor})
		if err != nil {
			return p, err
		}
		if len(p.keys) == limit {
			p.next = p.keys[limit-1]
		}
		// The keys are sorted, so the first without the prefix ends it.
		for i, key := range p.keys {
			if !strings.HasPrefix(key, prefix) {
				return page{keys: p.keys[:i]}, nil
			}
		}
		return p, nil
	})
	return p.keys, p.next, err
}

// keys runs a statement that selects keys.
func (s *Store) keys(ctx context.Context, st *statement, a args) (keys []string, err error) {
	err = s.query(ctx, st, a, func(rows *sql.Rows) error {
		keys = nil
		for rows.Next() {
			var key string
			if err := rows.Scan(&key); err != nil {
				return err
			}
			keys = append(keys, key)
		}
		return nil
	})
	return keys, err
}
