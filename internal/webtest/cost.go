package webtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/internal/testenv"
)

// cost counts the commands that reach a real Redis server.
func cost(t *testing.T, f Framework) {
	link := newLink(t, testenv.Need(t, "REDIS_ADDR"))
	client := redis.NewClient(&redis.Options{Addr: link.addr, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	if err := client.Ping(t.Context()).Err(); err != nil { // connects
		t.Fatal(err)
	}
	b := f.site(t, shop, sessions.Config{Backend: redisbackend.New(client)}).browser()
	warm := b.site.browser()
	warm.get("/set?a=1")
	warm.get("/set?a=2") // loads the script into the server
	for _, step := range []struct{ name, path, commands string }{
		{"untouched, no cookie", "/", ""},
		{"read, no cookie", "/get?key=a", ""},
		{"first write", "/set?a=1", "SET"},
		{"untouched", "/", ""},
		{"no such page", "/none", ""},
		{"read", "/get?key=a", "GET"},
		{"read much", "/keys", "GET"},
		{"write", "/set?a=2", "GET EVALSHA"},
		{"count", "/count", "GET EVALSHA"},
		{"equal write", "/set?a=2", "GET"},
		{"regenerate and write", "/login", "GET SET EVALSHA EVALSHA"},
		{"destroy", "/logout", "DEL"},
		{"destroy again", "/logout", ""},
	} {
		got := link.count(func() {
			if r := b.do("GET", step.path); r.StatusCode >= http.StatusInternalServerError {
				t.Fatalf("%s: status %d", step.name, r.StatusCode)
			}
		})
		// Another test may have emptied the server's script cache meanwhile;
		// then EVAL follows and fills it again.
		got = strings.TrimSpace(strings.ReplaceAll(got+" ", " EVAL ", " "))
		if got != step.commands {
			t.Errorf("%s: commands %q, want %q", step.name, got, step.commands)
		}
	}
}
