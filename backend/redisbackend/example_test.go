package redisbackend_test

import (
	"context"
	"fmt"
	"log"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/redisbackend"
)

func ExampleNew() {
	server, err := miniredis.Run() // stands for your Redis
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	client := redis.NewClient(&redis.Options{Addr: server.Addr()}) // or a ClusterClient, or a FailoverClient
	defer client.Close()
	m, err := sessions.NewManager(sessions.Config{Backend: redisbackend.New(client)})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	fmt.Println(m.Ping(context.Background()))
	// Output: <nil>
}
