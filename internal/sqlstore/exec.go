package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strings"
	"time"

	"github.com/go-session2/sessions/backend"
)

// A Pool is a pool of connections: a [sql.DB], or what gorm has in its place.
type Pool interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// patience is how long a statement is run again that the database gave up
// because of others that ran beside it.
const patience = 10 * time.Second

// doKey is do for an operation on a key.
func doKey[T any](ctx context.Context, s *Store, op, key string, f func() (T, error)) (T, error) {
	if err := checkKey(key); err != nil {
		var none T
		return none, s.fail(ctx, op, key, err)
	}
	return do(ctx, s, op, key, f)
}

// do runs an operation on the schema that it needs. It returns when the
// context is done even if the driver does not: SQLite does not look at the
// context while it waits for a lock.
func do[T any](ctx context.Context, s *Store, op, key string, f func() (T, error)) (T, error) {
	var none T
	switch {
	case s.closed.Load():
		return none, s.fail(ctx, op, key, backend.ErrClosed)
	case s.invalid != nil:
		return none, s.fail(ctx, op, key, s.invalid)
	case ctx.Err() != nil:
		return none, s.fail(ctx, op, key, ctx.Err())
	}
	type result struct {
		value T
		err   error
	}
	run := func() (r result) {
		if r.err = s.ensureSchema(ctx); r.err == nil {
			r.value, r.err = f()
		}
		return r
	}
	var r result
	if ctx.Done() == nil {
		r = run()
	} else {
		done := make(chan result, 1)
		go func() { done <- run() }()
		select {
		case r = <-done:
		case <-ctx.Done():
			r.err = ctx.Err()
		}
	}
	if r.err != nil {
		return none, s.fail(ctx, op, key, r.err)
	}
	return r.value, nil
}

// exec runs a statement and returns how many rows it has changed.
func (s *Store) exec(ctx context.Context, st *statement, a args) (n int64, err error) {
	err = again(ctx, func() error {
		result, err := s.execOnce(ctx, st, a.of(st, s.o.Dialect))
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return n, err
}

func (s *Store) execOnce(ctx context.Context, st *statement, values []any) (sql.Result, error) {
	p, err := s.prepare(ctx, st)
	if err != nil {
		return nil, err
	}
	if p != nil {
		return p.ExecContext(ctx, values...)
	}
	if pool, ok := s.o.Pool.(conns); ok && !s.tokens() {
		return execOnConn(ctx, pool, st.text, values)
	}
	return s.o.Pool.ExecContext(ctx, st.text, values...)
}

// query runs a statement and has its rows read. read may be called again,
// and then begins anew.
func (s *Store) query(ctx context.Context, st *statement, a args, read func(*sql.Rows) error) error {
	return again(ctx, func() error {
		rows, err := s.queryOnce(ctx, st, a.of(st, s.o.Dialect))
		if err != nil {
			return err
		}
		defer rows.Close()
		if err := read(rows); err != nil {
			return err
		}
		return rows.Err()
	})
}

func (s *Store) queryOnce(ctx context.Context, st *statement, values []any) (*sql.Rows, error) {
	p, err := s.prepare(ctx, st)
	if err != nil {
		return nil, err
	}
	if p != nil {
		return p.QueryContext(ctx, values...)
	}
	return s.o.Pool.QueryContext(ctx, st.text, values...)
}

// prepare returns the prepared statement, or nil where it is run as it is.
func (s *Store) prepare(ctx context.Context, st *statement) (*sql.Stmt, error) {
	if !s.o.Dialect.Prepare || !st.keep {
		return nil, nil
	}
	if p := st.prepared.Load(); p != nil {
		return p, nil
	}
	p, err := s.o.Pool.PrepareContext(ctx, st.text)
	if err != nil {
		return nil, err
	}
	if !st.prepared.CompareAndSwap(nil, p) {
		_ = p.Close() // somebody else was first; this one serves nobody
		return st.prepared.Load(), nil
	}
	return p, nil
}

// limited returns a statement with its limit filled in.
func (s *Store) limited(st *statement, n int) *statement {
	return &statement{text: strings.ReplaceAll(st.text, "{limit}", s.o.Dialect.Limit(n)), names: st.names}
}

// again runs f until it has another outcome than that the database gave it up
// because of others, such as a deadlock. What was given up has changed
// nothing, and each f is one statement: so it can be run again as it is.
func again(ctx context.Context, f func() error) error {
	start := time.Now()
	for n := 0; ; n++ {
		err := f()
		if err == nil || !transient(err) || time.Since(start) > patience {
			return err
		}
		var jitter [1]byte // so that those that met do not meet again
		_, _ = rand.Read(jitter[:])
		pause := time.Millisecond << min(n, 5)
		select {
		case <-time.After(pause/2 + pause*time.Duration(jitter[0])/256):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
