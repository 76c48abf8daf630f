// Package sqlstore is what the backends on SQL databases have in common: the
// statements, and what their outcomes mean.
//
// A record is one row. Every change of a row is one statement that says in
// its WHERE clause what must be true, so it needs no transaction and no lock
// that outlives it. The revision of a record is its data, and a statement
// compares all of it: so a writer that knows nothing of revisions is noticed,
// and no digest function of the database is needed.
package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// MaxDataSize is the most bytes of data that a record may have in any
// database. A statement holds the data twice, and a driver may write a byte
// as two digits: this stays below what the protocols can carry.
const MaxDataSize = 128 << 20

// createTries is how often Create tries again because the record that was in
// its way had expired. Each time, somebody else must have come before.
const createTries = 5

// Options say what a Store works on.
type Options struct {
	Name    string // begins the text of errors
	Pool    Pool
	Dialect Dialect
	Table   string // may begin with the name of a schema and a dot

	// Migrate creates the table and its index where they are missing.
	// Default: by the statements of the dialect.
	Migrate func(context.Context) error

	// Close closes the pool. Default: it stays open.
	Close func() error

	Flask      FlaskTable
	MaxSize    int // of data, in bytes; 0: what the database takes
	SkipSchema bool
}

// A Store implements [backend.Backend] and all of the optional interfaces.
// It may be used by any number of goroutines at once.
type Store struct {
	redact.Opaque
	o       Options
	st      statements
	index   index
	invalid error         // what every method returns
	making  chan struct{} // holds a value while somebody makes the schema
	begun   bool          // guarded by making: the schema was not there
	ready   atomic.Bool   // the schema is there
	limit   atomic.Int64  // the size of data, once it is known
	closed  atomic.Bool
}

// New returns a Store. It does no I/O.
func New(o Options) (*Store, error) {
	if o.MaxSize < 0 || o.MaxSize > MaxDataSize {
		return nil, fmt.Errorf("%s: MaxSize is %d, not from 0 to %d", o.Name, o.MaxSize, MaxDataSize)
	}
	if err := checkTable(o.Table, o.Dialect.Schemas); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	if o.Flask != NoFlask {
		if o.Dialect.Flask == nil {
			return nil, fmt.Errorf("%s: the tables of Flask are known for PostgreSQL, MySQL, MariaDB and SQLite only", o.Name)
		}
		o.Dialect = o.Dialect.Flask(o.Flask)
	}
	s := &Store{o: o, st: compile(o.Dialect, o.Table), making: make(chan struct{}, 1)}
	if o.Flask == NoFlask {
		s.index.compile(o.Dialect, o.Table)
	}
	return s, nil
}

// Invalid returns a Store whose every method returns err.
func Invalid(name string, err error) *Store {
	return &Store{o: Options{Name: name}, invalid: err}
}

// Load implements [backend.Backend] by one SELECT.
func (s *Store) Load(ctx context.Context, key string) (backend.Record, error) {
	return doKey(ctx, s, "load", key, func() (backend.Record, error) {
		r, err := s.look(ctx, key)
		if err == nil && !r.live() {
			err = backend.ErrNotFound
		}
		if err != nil {
			return backend.Record{}, err
		}
		return backend.Record{Data: r.data, Revision: r.data, Expires: r.expires()}, nil
	})
}

// Create implements [backend.Backend] by one INSERT, and more statements only
// when the key is in use.
func (s *Store) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	return s.create(ctx, key, data, ttl, "")
}

// create is Create for an owner, or for none.
func (s *Store) create(ctx context.Context, key string, data []byte, ttl time.Duration, owner string) (backend.Revision, error) {
	return doKey(ctx, s, "create", key, func() (backend.Revision, error) {
		if err := s.checkSize(ctx, data); err != nil {
			return nil, err
		}
		insert, err := s.statementFor(ctx, owner, s.st.insert, s.index.insert)
		if err != nil {
			return nil, err
		}
		a := args{key: key, data: revision(data), ttl: millis(ttl), owner: owner}
		for range createTries {
			n, err := s.exec(ctx, insert, a)
			if err == nil && n > 0 {
				return a.data, nil
			}
			if ctx.Err() != nil || err != nil && !s.tokens() && !inUse(err) {
				return nil, err
			}
			// The key is in use, which a database without ON CONFLICT says
			// by an error, and each in its own way. So look what is there.
			r, lookErr := s.look(ctx, key)
			switch {
			case lookErr != nil && err == nil:
				return nil, lookErr
			case err != nil && !r.found:
				return nil, err
			case r.live() && bytes.Equal(r.data, data) && s.tokens():
				return a.data, nil
			case r.live():
				return nil, backend.ErrExists
			}
			if _, err := s.exec(ctx, s.st.purge, a); err != nil {
				return nil, err
			}
		}
		return nil, backend.ErrExists
	})
}

// Update implements [backend.Backend] by one UPDATE, and a SELECT when that
// found nothing to change.
func (s *Store) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	return s.update(ctx, key, data, ttl, base, "")
}

// update is Update for an owner, or for whom the record has.
func (s *Store) update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision, owner string) (backend.Revision, error) {
	return doKey(ctx, s, "update", key, func() (backend.Revision, error) {
		if err := s.checkSize(ctx, data); err != nil {
			return nil, err
		}
		update, err := s.statementFor(ctx, owner, s.st.update, s.index.update)
		if err != nil {
			return nil, err
		}
		a := args{key: key, data: revision(data), ttl: millis(ttl), base: base, owner: owner}
		n, err := s.exec(ctx, update, a)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			return a.data, nil
		}
		r, err := s.look(ctx, key)
		switch {
		case err != nil:
			return nil, err
		case !r.live():
			return nil, backend.ErrNotFound
		case !bytes.Equal(r.data, data):
			return nil, backend.ErrConflict
		case !s.tokens() && (base == nil || !bytes.Equal(base, data)):
			return nil, backend.ErrConflict // whose write it was is not known
		}
		return a.data, nil
	})
}

// Touch implements [backend.Backend] by one UPDATE. Only when that changed
// nothing, as MySQL says also of a row that had these values already, is it
// followed by a SELECT. It keeps the revision.
func (s *Store) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return s.touch(ctx, key, ttl, "")
}

// touch is Touch for an owner, or for whom the record has.
func (s *Store) touch(ctx context.Context, key string, ttl time.Duration, owner string) error {
	_, err := doKey(ctx, s, "touch", key, func() (none struct{}, err error) {
		touch, err := s.statementFor(ctx, owner, s.st.touch, s.index.touch)
		if err != nil {
			return none, err
		}
		n, err := s.exec(ctx, touch, args{key: key, ttl: millis(ttl), owner: owner})
		if err != nil || n > 0 {
			return none, err
		}
		r, err := s.look(ctx, key)
		if err == nil && !r.live() {
			err = backend.ErrNotFound
		}
		return none, err
	})
	return err
}

// Delete implements [backend.Backend] by one DELETE, and a SELECT when that
// found nothing at the revision.
func (s *Store) Delete(ctx context.Context, key string, base backend.Revision) error {
	_, err := doKey(ctx, s, "delete", key, func() (none struct{}, err error) {
		if base == nil {
			_, err = s.exec(ctx, s.st.delete, args{key: key})
			return none, err
		}
		n, err := s.exec(ctx, s.st.deleteAt, args{key: key, base: base})
		if err != nil || n > 0 {
			return none, err
		}
		r, err := s.look(ctx, key)
		if err == nil {
			err = backend.ErrNotFound
			if r.live() {
				err = backend.ErrConflict
			}
		}
		return none, err
	})
	return err
}

// Ping implements [backend.Pinger] by a SELECT from the table.
func (s *Store) Ping(ctx context.Context) error {
	_, err := do(ctx, s, "ping", "", func() (row, error) { return s.look(ctx, "") })
	return err
}

// Close makes every later call return ErrClosed. It closes the database only
// when the backend was opened by its settings. It may be called repeatedly.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	err := errors.Join(s.st.close(), s.index.close())
	if s.o.Close != nil {
		err = errors.Join(err, s.o.Close())
	}
	if err != nil {
		return fmt.Errorf("%s: close: %w", s.o.Name, err)
	}
	return nil
}

// millis returns a time to live in milliseconds. It rounds up, and by one
// more, as what a database tells of its clock is rounded too.
func millis(ttl time.Duration) int64 {
	return int64((ttl+time.Millisecond-1)/time.Millisecond) + 1
}
