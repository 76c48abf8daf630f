package sessions_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/memorybackend"
)

// Counting rejected cookies, and a log of what happens to sessions.
func ExampleEvent() {
	store, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == "handle" || len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{} // differs from run to run
		}
		return a
	}}))
	rejected := make(map[sessions.Reason]int)
	m, err := sessions.NewManager(sessions.Config{Backend: store, OnEvent: func(ctx context.Context, e sessions.Event) {
		switch e.Kind {
		case sessions.EventRejected:
			rejected[e.Reason]++
		case sessions.EventCreated, sessions.EventRotated, sessions.EventDestroyed, sessions.EventFailed:
			logger.InfoContext(ctx, "session", "event", e)
		}
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()

	line := serve(m, request("session=made-up"), func(s *sessions.Session) { s.Set("user", "ada") }).Get("Set-Cookie")
	cookie, _, _ := strings.Cut(line, ";")
	serve(m, request(cookie), func(s *sessions.Session) { _ = s.Destroy() })
	fmt.Println(rejected)
	// Output:
	// level=INFO msg=session event.kind=created event.name=session
	// level=INFO msg=session event.kind=destroyed event.name=session
	// map[malformed:1]
}
