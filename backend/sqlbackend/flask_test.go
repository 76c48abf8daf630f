package sqlbackend

import (
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

// flaskTables are the tables of Flask by the configuration that uses them.
var flaskTables = map[string]Config{
	"Peewee":     {Flask: backend.FlaskSession2},
	"SQLAlchemy": {Flask: backend.FlaskSession},
}

// eachFlask runs a test on each table of Flask in each of the databases.
func eachFlask(t *testing.T, f func(t *testing.T, p place, cfg Config)) {
	for name, cfg := range flaskTables {
		each(t, func(t *testing.T, d database) {
			t.Run(name, func(t *testing.T) { f(t, d.newPlace(t), cfg) })
		})
	}
}

// exec runs a statement of another program that changes one row.
func (p place) exec(t testing.TB, text string, values ...any) {
	t.Helper()
	result, err := p.open(t).Exec(p.sql(text), values...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); n != 1 || err != nil {
		t.Fatalf("changed %d rows, %v", n, err)
	}
}

func TestFlaskConformance(t *testing.T) {
	for name, cfg := range flaskTables {
		for _, d := range databases() {
			t.Run(name+"/"+d.name, func(t *testing.T) {
				t.Parallel()
				p := d.newPlace(t)
				h := harness(p)
				cfg.MaxSize = maxSize
				h.Open = func(t testing.TB) backend.Backend { return p.backend(t, cfg) }
				h.Reopen = h.Open
				h.Overwrite = func(t testing.TB, key string, data []byte) {
					p.exec(t, "UPDATE {t} SET data = ? WHERE session_id = ?", data, key)
				}
				h.Flask = true
				if p.dialect == MySQL {
					h.Resolution = 1100 * time.Millisecond // a DATETIME counts in seconds
				}
				backendtest.Run(t, h)
			})
		}
	}
}
