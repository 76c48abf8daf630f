package sqlbackend

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// oldTable makes the table as it was before records had owners.
func oldTable(t *testing.T, p place) {
	t.Helper()
	b := p.backend(t, Config{SkipSchema: true})
	db := p.open(t)
	for _, text := range b.Schema() {
		if strings.Contains(text, p.table+"_owner_idx") && strings.HasPrefix(text, "CREATE INDEX") {
			continue
		}
		text, _, _ = strings.Cut(text, " ENGINE")
		for _, column := range []string{`, "owner" TEXT COLLATE "C"`, `, "owner" TEXT`, ", `owner` VARBINARY(64)", ", INDEX `" + p.table + "_owner_idx` (`owner`)"} {
			text = strings.Replace(text, column, "", 1)
		}
		if strings.Contains(text, "owner") {
			t.Fatalf("the old table has an owner: %s", text)
		}
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
}

func view(t *testing.T, b *Backend, owner string) backend.Index {
	t.Helper()
	ix, err := b.Indexed(owner)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

// TestUpgrade gives owners to a table of an earlier version, from several
// processes at once, while sessions are in use.
func TestUpgrade(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		ctx, p := context.Background(), d.newPlace(t)
		oldTable(t, p)
		before := p.backend(t, Config{})
		rev, err := before.Create(ctx, "before", []byte("d"), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.open(t).Exec("SELECT owner FROM " + p.table); err == nil {
			t.Error("a session without an owner has changed the table")
		}
		var wg sync.WaitGroup
		for _, key := range []string{"a", "b", "c"} {
			b := p.backend(t, Config{})
			ix := view(t, b, "ada")
			wg.Go(func() {
				if _, err := ix.Create(ctx, key, []byte("d"), time.Hour); err != nil {
					t.Errorf("Create: %v", err)
				}
			})
		}
		wg.Wait()
		if _, err := view(t, before, "ada").Update(ctx, "before", []byte("e"), time.Hour, rev); err != nil {
			t.Errorf("Update: %v", err)
		}
		if keys, err := view(t, before, "ada").Owned(ctx); err != nil || len(keys) != 4 {
			t.Errorf("Owned: %q, %v", keys, err)
		}
		if err := before.Migrate(ctx); err != nil {
			t.Errorf("Migrate again: %v", err)
		}
	})
}

// TestUpgradeSkipped leaves the table to the operator.
func TestUpgradeSkipped(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		ctx, p := context.Background(), d.newPlace(t)
		oldTable(t, p)
		b := p.backend(t, Config{SkipSchema: true})
		if _, err := view(t, b, "ada").Create(ctx, "k", []byte("d"), time.Hour); err == nil || !strings.Contains(err.Error(), "sql: create: ") {
			t.Errorf("Create: %v", err)
		}
		if keys, err := view(t, b, "ada").Owned(ctx); err == nil {
			t.Errorf("Owned: %q", keys)
		}
		if err := b.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := view(t, b, "ada").Create(ctx, "k", []byte("d"), time.Hour); err != nil {
			t.Errorf("Create: %v", err)
		}
	})
}

// TestOwnerIndex checks that Owned does not read the whole table.
func TestOwnerIndex(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		ctx, p := context.Background(), d.newPlace(t)
		b := p.backend(t, Config{})
		if _, err := view(t, b, "ada").Create(ctx, "k", []byte("d"), time.Hour); err != nil {
			t.Fatal(err)
		}
		explain := map[Dialect]string{PostgreSQL: "EXPLAIN ", MySQL: "EXPLAIN ", SQLite: "EXPLAIN QUERY PLAN "}[p.dialect]
		conn, err := p.open(t).Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if p.dialect == PostgreSQL { // which reads a table of one row as a whole
			if _, err := conn.ExecContext(ctx, "SET enable_seqscan = off"); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := conn.QueryContext(ctx, explain+p.sql("SELECT id FROM {t} WHERE owner = ? AND expires > 0"), p.key("ada"))
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, _ := rows.Columns()
		plan := ""
		for rows.Next() {
			cells := make([]any, len(columns))
			for i := range cells {
				cells[i] = new([]byte)
			}
			if err := rows.Scan(cells...); err != nil {
				t.Fatal(err)
			}
			for _, c := range cells {
				plan += string(*c.(*[]byte)) + " "
			}
		}
		if rows.Err() != nil || !strings.Contains(plan, p.table+"_owner_idx") {
			t.Errorf("the plan is %s; %v", plan, rows.Err())
		}
	})
}
