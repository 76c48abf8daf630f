// Command example_echo is a small tea shop on Echo that keeps its visitors'
// sessions on the server.
//
//	go run ./example_echo
//	SESSION_TYPE=redis SESSION_REDIS=redis://127.0.0.1:6379 go run ./example_echo
//
// Without SESSION_TYPE the sessions are files in the directory
// example_sessions, so they survive a restart. The flag -addr, or the
// environment variable ADDR, says where to listen.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"os"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/filebackend"
	"github.com/go-session2/sessions/internal/exampleapp"

	// Every store, so that SESSION_TYPE can choose any: a program that knows
	// its store imports that backend alone. The types sql and gorm also need
	// a driver for their database.
	_ "github.com/go-session2/sessions/backend/all"
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
)

func main() {
	addr := flag.String("addr", cmp.Or(os.Getenv("ADDR"), "127.0.0.1:8080"), "listen on `host:port`")
	flag.Parse()
	if err := run(*addr); err != nil {
		log.SetFlags(0)
		log.Fatalf("example_echo: %v", err)
	}
}

func run(addr string) error {
	cfg, err := sessions.FromEnv()
	if err != nil {
		return err
	}
	if cfg.Backend == nil {
		if cfg.Backend, err = filebackend.New(filebackend.Config{Dir: "example_sessions"}); err != nil {
			return err
		}
	}
	cfg.ErrorHandler = exampleapp.Unavailable
	manager, err := sessions.NewManager(cfg)
	if err != nil {
		return err
	}
	if err := manager.Ping(context.Background()); err != nil {
		return err
	}

	store := cmp.Or(os.Getenv("SESSION_TYPE"), "filesystem (example_sessions)")
	err = exampleapp.Serve(addr, store, newHandler(manager, store))

	// The requests have ended; now the sweeping, and then the store.
	err = errors.Join(err, manager.Close())
	if store, ok := cfg.Backend.(io.Closer); ok {
		err = errors.Join(err, store.Close())
	}
	return err
}
