package filebackend_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/filebackend"
)

func ExampleNew() {
	home, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)

	store, err := filebackend.New(filebackend.Config{Dir: filepath.Join(home, "sessions")})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	m, err := sessions.NewManager(sessions.Config{Backend: store})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	fmt.Println(m.Ping(context.Background()))
	// Output: <nil>
}
