package memorybackend_test

import (
	"fmt"
	"log"
	"time"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/memorybackend"
)

func ExampleNew() {
	store, err := memorybackend.New(memorybackend.Config{MaxSessions: 10_000})
	if err != nil {
		log.Fatal(err)
	}
	m, err := sessions.NewManager(sessions.Config{Backend: store, Lifetime: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	fmt.Println(m.Name())
	// Output: session
}
