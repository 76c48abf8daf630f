package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-session2/sessions/backend"
)

// insertOwnedOnConflict is insertOnConflict with an owner.
const insertOwnedOnConflict = "INSERT INTO {table} AS old ({id}, {data}, {expires}, {owner}) VALUES (:key, :data, {end}, :owner) " +
	"ON CONFLICT ({id}) DO UPDATE SET {data} = excluded.{data}, {expires} = excluded.{expires}, {owner} = excluded.{owner} " +
	"WHERE old.{expires} <= {now}"

// An index is what a Store has for the owners of records: a column of the
// table, NULL for nobody, so that it is written in the statement that writes
// the record. The tables of Flask have none.
type index struct {
	insert, update, touch, owned *statement
	probe                        *statement // fails when there is no column
	ready                        atomic.Bool
}

// compile makes the statements.
func (x *index) compile(d Dialect, table string) {
	insert := insertOwnedOnConflict
	if d.Insert == "" {
		insert = "INSERT INTO {table} ({id}, {data}, {expires}, {owner}) VALUES (:key, :data, {end}, :owner)"
	}
	keep := func(template string) *statement {
		st := newStatement(d, table, template)
		st.keep = true
		return st
	}
	x.insert = keep(insert)
	x.update = keep("UPDATE {table} SET {data} = :data, {expires} = {end}, {owner} = :owner " +
		"WHERE {id} = :key AND {expires} > {now} AND {same}")
	x.touch = keep("UPDATE {table} SET {expires} = CASE WHEN {expires} < {end} THEN {end} ELSE {expires} END, {owner} = :owner " +
		"WHERE {id} = :key AND {expires} > {now}")
	// The column is qualified as SQLite takes a quoted name that it does
	// not know for a text.
	x.owned = keep("SELECT {id} FROM {table} o WHERE o.{owner} = :owner AND {expires} > {now}")
	x.probe = newStatement(d, table, "SELECT o.{owner} FROM {table} o WHERE 1 = 0")
}

func (x *index) close() error {
	var errs []error
	for _, s := range []*statement{x.insert, x.update, x.touch, x.owned} {
		if s == nil {
			continue // of a Store without an index
		}
		if p := s.prepared.Swap(nil); p != nil {
			errs = append(errs, p.Close())
		}
	}
	return errors.Join(errs...)
}

// Indexed implements [backend.Indexer]: the owner is a column with an index.
// The table of an earlier version gets it when it is first needed.
func (s *Store) Indexed(owner string) (backend.Index, error) {
	if s.invalid != nil {
		return nil, fmt.Errorf("%s: %w: %w", s.o.Name, backend.ErrNoIndex, s.invalid)
	}
	if s.o.Flask != NoFlask {
		return nil, fmt.Errorf("%s: %w: the table of Flask has no column for owners", s.o.Name, backend.ErrNoIndex)
	}
	return view{Store: s, owner: owner}, nil
}

// A view writes records for an owner.
type view struct {
	*Store
	owner string
}

// Create implements [backend.Backend] as that of the Store does.
func (v view) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	return v.create(ctx, key, data, ttl, v.owner)
}

// Update implements [backend.Backend] as that of the Store does.
func (v view) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	return v.update(ctx, key, data, ttl, base, v.owner)
}

// Touch implements [backend.Backend] as that of the Store does.
func (v view) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return v.touch(ctx, key, ttl, v.owner)
}

// Owned implements [backend.Index] by one SELECT along the index.
func (v view) Owned(ctx context.Context) ([]string, error) {
	return do(ctx, v.Store, "list by owner", v.owner, func() ([]string, error) {
		st, err := v.statementFor(ctx, v.owner, nil, v.index.owned)
		if err != nil {
			return nil, err
		}
		return v.keys(ctx, st, args{owner: v.owner})
	})
}

// statementFor returns the one of two statements for an owner, or for none.
// Before the first with an owner it sees to it that the column is there.
func (s *Store) statementFor(ctx context.Context, owner string, plain, owned *statement) (*statement, error) {
	if owner == "" {
		return plain, nil
	}
	if s.o.SkipSchema || s.index.ready.Load() {
		return owned, nil
	}
	select {
	case s.making <- struct{}{}:
		defer func() { <-s.making }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if !s.index.ready.Load() {
		if !s.hasOwner(ctx) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err := s.migrate(ctx); err != nil {
				return nil, err
			}
		}
		s.index.ready.Store(true)
	}
	return owned, nil
}

// hasOwner reports whether the table has the column.
func (s *Store) hasOwner(ctx context.Context) bool {
	return s.query(ctx, s.index.probe, args{}, func(*sql.Rows) error { return nil }) == nil
}
