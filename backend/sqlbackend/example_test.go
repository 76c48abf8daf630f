package sqlbackend_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"

	_ "modernc.org/sqlite" // or pgx, lib/pq, go-sql-driver/mysql, ...

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/sqlbackend"
)

func ExampleNew() {
	db, err := sql.Open("sqlite", "file:example?mode=memory&cache=shared")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	m, err := sessions.NewManager(sessions.Config{Backend: sqlbackend.New(db)})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	fmt.Println(m.Ping(context.Background()))
	// Output: <nil>
}

// The table is made by the operator instead of by the program.
func ExampleBackend_Schema() {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	store, err := sqlbackend.NewWithConfig(db, sqlbackend.Config{Table: "web_sessions", SkipSchema: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, statement := range store.Schema() {
		fmt.Println(statement)
	}
	// Output:
	// CREATE TABLE IF NOT EXISTS "web_sessions" ("id" TEXT NOT NULL PRIMARY KEY, "data" BLOB NOT NULL, "expires" INTEGER NOT NULL, "owner" TEXT)
	// CREATE INDEX IF NOT EXISTS "web_sessions_expires_idx" ON "web_sessions" ("expires")
	// CREATE INDEX IF NOT EXISTS "web_sessions_owner_idx" ON "web_sessions" ("owner") WHERE "owner" IS NOT NULL
}
