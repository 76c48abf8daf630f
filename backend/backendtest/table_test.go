package backendtest_test

import (
	"database/sql"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

// TestTable runs the suite on the backend of docs/writing-a-backend.md.
func TestTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sessions.db")
	var ahead atomic.Int64 // of the real clock
	open := func(t testing.TB) backend.Backend {
		db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(off)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		db.SetMaxOpenConns(1)
		table, err := NewTable(db, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
	backendtest.Run(t, backendtest.Harness{
		Open:   open,
		Reopen: open, // another process on the same file
		Overwrite: func(t testing.TB, key string, data []byte) {
			db, err := sql.Open("sqlite", file)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec(`UPDATE session SET data = ? WHERE key = ?`, data, key); err != nil {
				t.Fatal(err)
			}
		},
		Advance: func(d time.Duration) { ahead.Add(int64(d)) },
	})
}
