package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/go-session2/sessions/backend"
)

func TestTransient(t *testing.T) {
	for want, list := range map[bool][]error{
		true: {
			&pgconn.PgError{Code: "40001"}, &pgconn.PgError{Code: "40P01"},
			&mysql.MySQLError{Number: 1213, SQLState: [5]byte{'4', '0', '0', '0', '1'}},
			&mysql.MySQLError{Number: 1205}, &mysql.MySQLError{Number: 1020},
			errors.New("database is locked (5) (SQLITE_BUSY)"), errors.New("database table is locked"),
			errors.New("mssql: Transaction was chosen as the deadlock victim"),
		},
		false: {
			&pgconn.PgError{Code: "23505"}, &mysql.MySQLError{Number: 1062}, &mysql.MySQLError{Number: 1146, Message: "1213"},
			errors.New("dial tcp 127.0.0.1:1213: connection refused"), context.DeadlineExceeded,
		},
	} {
		for _, err := range list {
			if got := transient(fmt.Errorf("wrapped: %w", err)); got != want {
				t.Errorf("transient(%v) is %v", err, got)
			}
		}
	}
}

// TestAgain has a statement fail until it does not.
func TestAgain(t *testing.T) {
	busy := &pgconn.PgError{Code: "40P01"}
	n := 0
	err := again(context.Background(), func() error {
		if n++; n < 4 {
			return busy
		}
		return nil
	})
	if err != nil || n != 4 {
		t.Errorf("after %d runs: %v", n, err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := again(ctx, func() error { return busy }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("again: %v, want the deadline", err)
	}

	n = 0
	other := errors.New("other")
	if err := again(context.Background(), func() error { n++; return other }); err != other || n != 1 {
		t.Errorf("after %d runs: %v", n, err)
	}
}

func TestQuiet(t *testing.T) {
	const key = "session:SecretKey"
	s, err := New(Options{Name: "sql", Dialect: PostgreSQL(), Table: "sessions"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"Error 1062 (23000): Duplicate entry 'session:SecretKey' for key 'PRIMARY'":               "Duplicate entry '...' for key",
		`ERROR: syntax error at or near "SecretData" (SQLSTATE 42601)`:                            `near "..." (SQLSTATE 42601)`,
		"Error 1064 (42000): You have an error near 'SecretData'' at line 1":                      "near '...'",
		"the row session:SecretKey is odd":                                                        "the row",
		`ERROR: relation "sessions" does not exist (SQLSTATE 42P01)`:                              `relation "sessions" does not exist`,
		"Error 1146 (42S02): Table 'app.sessions' doesn't exist":                                  "Table 'app.sessions' doesn",
		"dial tcp 127.0.0.1:1: connect: connection refused":                                       "connection refused",
		"Error 1366 (22007): Incorrect string value: 'Secret' for column `app`.`sessions`.`data`": "for column `app`.`sessions`.`data`",
	} {
		cause := errors.New(text)
		got := s.fail(context.Background(), "load", key, cause)
		if !strings.HasPrefix(got.Error(), "sql: load: ") || !strings.Contains(got.Error(), want) || strings.Contains(got.Error(), "Secret") {
			t.Errorf("%q became %q", text, got)
		}
		if !errors.Is(got, cause) {
			t.Errorf("%q no longer wraps its cause", got)
		}
	}
}

// TestDone checks that the end of the context is told whatever the driver
// says, but not in place of what the database has said.
func TestDone(t *testing.T) {
	s, err := New(Options{Name: "sql", Dialect: SQLite(), Table: "sessions"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.fail(ctx, "load", "k", errors.New("interrupted")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not the context's", err)
	}
	if err := s.fail(ctx, "load", "k", backend.ErrConflict); errors.Is(err, context.Canceled) {
		t.Errorf("%v is the context's", err)
	}
}

// TestRequirement runs the test of docs/security.md's requirement for names in
// statements. It fails when New takes any table.
func TestRequirement(t *testing.T) { t.Run("ST-9", tableNames) }

func tableNames(t *testing.T) {
	long := strings.Repeat("t", 48)
	for table, want := range map[string]bool{
		"sessions": true, "S_1": true, long: true, "app.sessions": true, long + "." + long: true,
		"": false, "1s": false, "a b": false, "a-b": false, `a"b`: false, "a`b": false, "a;b": false,
		"a.b.c": false, ".a": false, "a.": false, long + "t": false, "sessions\n": false, "sitzungü": false,
		"a'b": false, "a\x00b": false, "a--": false, "a/*": false, "a, b": false, "a) --": false,
	} {
		if _, err := New(Options{Dialect: MySQL(), Table: table}); (err == nil) != want {
			t.Errorf("New with the table %q: %v", table, err)
		}
	}
}
