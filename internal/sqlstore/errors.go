package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// maxKey is the length of the column of the keys in bytes.
const maxKey = 255

// checkKey refuses keys that some database cannot hold, or would cut.
func checkKey(key string) error {
	switch {
	case key == "":
		return errors.New("the key is empty")
	case len(key) > maxKey:
		return fmt.Errorf("the key is %d bytes long, more than %d", len(key), maxKey)
	case !utf8.ValidString(key) || strings.ContainsRune(key, 0):
		return errors.New("the key is not UTF-8 without NUL")
	}
	return nil
}

// fail wraps what went wrong with the operation, in a text that holds neither
// key nor data. The key is empty where the operation has none.
func (s *Store) fail(ctx context.Context, op, key string, err error) error {
	// A driver that sees the context end may say so in its own words.
	if done := ctx.Err(); done != nil && !errors.Is(err, done) && !definite(err) {
		err = fmt.Errorf("%w: %w", done, err)
	}
	return fmt.Errorf("%s: %s: %w", s.o.Name, op, s.quiet(key, err))
}

// definite reports whether an error says how the operation ended.
func definite(err error) bool {
	for _, e := range []error{
		backend.ErrNotFound, backend.ErrExists, backend.ErrConflict,
		backend.ErrTooLarge, backend.ErrCorrupt, backend.ErrClosed,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

var quoted = regexp.MustCompile(`'[^']*'|"[^"]*"`)

// quiet returns err with a text that holds neither key nor data. Databases
// quote them, so what is quoted is left out, except the name of the table.
func (s *Store) quiet(key string, err error) error {
	text := err.Error()
	short := quoted.ReplaceAllStringFunc(text, func(q string) string {
		if name := q[1 : len(q)-1]; name == s.o.Table || strings.HasSuffix(name, "."+s.o.Table) {
			return q
		}
		return q[:1] + "..." + q[:1]
	})
	if key != "" {
		short, _, _ = strings.Cut(short, key)
	}
	if short == text {
		return err
	}
	return redact.Error(short, err)
}

// transientNumber finds the numbers of errors of MySQL and MariaDB: a lock
// was waited for too long, a deadlock, a row changed meanwhile.
var transientNumber = regexp.MustCompile(`\bError (1205|1213|1020)\b`)

// inUse reports whether an INSERT failed because the key is in use, in a
// database that has no other way to say so.
func inUse(err error) bool { return duplicateNumber.MatchString(err.Error()) }

var duplicateNumber = regexp.MustCompile(`\bError 1062\b`)

// transient reports whether the database gave up a statement because of
// others that ran beside it. The types of the errors are the drivers', which
// this package does not import: so it asks PostgreSQL's for the SQLSTATE, and
// reads the texts of the others.
func transient(err error) bool {
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		switch state.SQLState() {
		case "40001", "40P01": // serialization failure, deadlock
			return true
		}
	}
	text := err.Error()
	return transientNumber.MatchString(text) ||
		strings.Contains(text, "database is locked") || // SQLITE_BUSY
		strings.Contains(text, "table is locked") || // SQLITE_LOCKED, of a shared cache
		strings.Contains(text, "deadlock")
}
