package redisbackend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// fail wraps what went wrong with the operation. A nil error stays nil.
func fail(ctx context.Context, op, key string, err error) error {
	if err == nil {
		return nil
	}
	if redis.HasErrorPrefix(err, "WRONGTYPE") {
		err = fmt.Errorf("%w: %w", backend.ErrCorrupt, err)
	}
	// A socket reports the context's deadline as its own timeout, and a
	// little before the context itself knows.
	var timeout net.Error
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) &&
		errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return fmt.Errorf("redis: %s: %w", op, quiet(err, key))
}

// quiet returns err with a text that holds neither key nor data: Redis quotes
// the arguments of a command that it does not know, and go-redis quotes a
// reply that it does not understand.
func quiet(err error, key string) error {
	text := err.Error()
	short, _, _ := strings.Cut(text, ", with args")
	short, _, _ = strings.Cut(short, `"`)
	if key != "" {
		short, _, _ = strings.Cut(short, key)
	}
	if short == text {
		return err
	}
	return redact.Error(short+"...", err)
}
