package sqlbackend

import (
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

const maxSize = 1 << 20

func harness(p place) backendtest.Harness {
	open := func(t testing.TB) backend.Backend { return p.backend(t, Config{MaxSize: maxSize}) }
	contention := 0 // the suite's own
	if p.dialect == SQLite {
		contention = 6 // there is one writer at a time
	}
	return backendtest.Harness{
		Open:   open,
		Reopen: open,
		Overwrite: func(t testing.TB, key string, data []byte) {
			db := p.open(t)
			result, err := db.Exec(p.sql("UPDATE {t} SET data = ? WHERE id = ?"), data, p.key(key))
			if err != nil {
				t.Fatal(err)
			}
			if n, err := result.RowsAffected(); n != 1 || err != nil {
				t.Fatalf("overwrote %d rows, %v", n, err)
			}
		},
		Resolution: 50 * time.Millisecond,
		MaxSize:    maxSize,
		Contention: contention,
	}
}

func TestConformance(t *testing.T) {
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, harness(d.newPlace(t)))
		})
	}
}

func BenchmarkBackend(b *testing.B) {
	for _, d := range databases() {
		b.Run(d.name, func(b *testing.B) { backendtest.Benchmark(b, harness(d.newPlace(b))) })
	}
}
