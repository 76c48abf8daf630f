package gormbackend_test

import (
	"context"
	"fmt"
	"log"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/gormbackend"
)

func ExampleNew() {
	db, err := gorm.Open(sqlite.Open("file:gormexample?mode=memory&cache=shared"), &gorm.Config{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := sessions.NewManager(sessions.Config{Backend: gormbackend.New(db)})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	fmt.Println(m.Ping(context.Background()))
	// Output: <nil>
}
