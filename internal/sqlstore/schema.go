package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"

	"github.com/go-session2/sessions/backend"
)

// schemaTries is how often the schema is tried: several processes that make
// it at once get in each other's way, and the next time it is there.
const schemaTries = 3

// Names are short enough for the index, whose name is longer, to fit into the
// 63 bytes of PostgreSQL.
var (
	plainTable  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,47}$`)
	schemaTable = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]{0,47}\.)?[A-Za-z_][A-Za-z0-9_]{0,47}$`)
)

func checkTable(table string, schemas bool) error {
	if plainTable.MatchString(table) || schemas && schemaTable.MatchString(table) {
		return nil
	}
	if schemas {
		return fmt.Errorf("the table %q is not a name of up to 48 letters, digits and underscores, or two such names with a dot between", table)
	}
	return fmt.Errorf("the table %q is not a name of up to 48 letters, digits and underscores", table)
}

// Schema returns the statements that create the table and its index where
// they are missing, or nil where only Migrate can.
func (s *Store) Schema() []string {
	var list []string
	for _, template := range s.o.Dialect.Schema {
		list = append(list, expand(s.o.Dialect, s.o.Table, template))
	}
	return list
}

// Migrate creates the table and its index where they are missing. The other
// methods do that by themselves unless SkipSchema is set; Migrate is for a
// step of the deployment that may do more than the program.
func (s *Store) Migrate(ctx context.Context) error {
	switch {
	case s.closed.Load():
		return s.fail(ctx, "migrate", "", backend.ErrClosed)
	case s.invalid != nil:
		return s.fail(ctx, "migrate", "", s.invalid)
	case ctx.Err() != nil:
		return s.fail(ctx, "migrate", "", ctx.Err())
	}
	if err := s.migrate(ctx); err != nil {
		return s.fail(ctx, "migrate", "", err)
	}
	return nil
}

// migrate is Migrate, tried until nobody is in the way.
func (s *Store) migrate(ctx context.Context) (err error) {
	for range schemaTries {
		if err = s.migrateOnce(ctx); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (s *Store) migrateOnce(ctx context.Context) error {
	if s.o.Migrate != nil {
		return s.o.Migrate(ctx)
	}
	run := func(text string) error {
		err := again(ctx, func() error {
			_, err := s.o.Pool.ExecContext(ctx, text)
			return err
		})
		if err != nil {
			return fmt.Errorf("making the table: %w", err)
		}
		return nil
	}
	for i, text := range s.Schema() {
		if err := run(text); err != nil {
			return err
		}
		// The table comes first, then its indexes.
		if i == 0 && s.o.Flask == NoFlask && !s.hasOwner(ctx) {
			if err := run(expand(s.o.Dialect, s.o.Table, s.o.Dialect.Upgrade)); err != nil {
				return err
			}
		}
	}
	return nil
}

// ensureSchema sees to it, once, that the table is there. A table that
// answers is left as it is: then no right to make one is needed, and no lock.
func (s *Store) ensureSchema(ctx context.Context) error {
	if s.o.SkipSchema || s.ready.Load() {
		return nil
	}
	select {
	case s.making <- struct{}{}:
		defer func() { <-s.making }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.ready.Load() {
		return nil
	}
	if !s.begun {
		if _, err := s.look(ctx, ""); ctx.Err() != nil {
			return err
		} else if err == nil {
			s.ready.Store(true)
			return nil
		}
	}
	s.begun = true
	if err := s.migrate(ctx); err != nil {
		return err
	}
	s.ready.Store(true)
	return nil
}

// checkSize refuses data that the database would not take. The first call
// asks a server that limits its packets; a statement holds the data twice,
// and a driver that writes arguments into the text may double it.
func (s *Store) checkSize(ctx context.Context, data []byte) error {
	limit := s.limit.Load()
	if limit == 0 {
		limit = MaxDataSize
		if s.o.MaxSize > 0 {
			limit = int64(s.o.MaxSize)
		}
		// The column of a table of Flask may hold less than was set.
		if s.o.Dialect.Packet != "" && (s.o.MaxSize == 0 || !s.tokens()) {
			var packet int64
			err := s.query(ctx, s.st.packet, args{}, func(rows *sql.Rows) error {
				if !rows.Next() { // @@ always has a value, but a table may be missing
					return nil
				}
				return rows.Scan(&packet)
			})
			if err != nil || packet == 0 {
				return err
			}
			limit = min(limit, packet/4)
		}
		s.limit.Store(limit)
	}
	if int64(len(data)) > limit {
		return backend.TooLarge(len(data), int(limit))
	}
	return nil
}
