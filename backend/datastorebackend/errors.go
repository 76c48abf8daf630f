package datastorebackend

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-session2/sessions/internal/redact"
)

// fail wraps what went wrong with the operation. A nil error stays nil.
func fail(ctx context.Context, op, key string, err error) error {
	if err == nil {
		return nil
	}
	cause := ctx.Err()
	if cause == nil && status.Code(err) == codes.DeadlineExceeded {
		cause = context.DeadlineExceeded // the server may be first to know
	}
	if cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return fmt.Errorf("datastore: %s: %w", op, quiet(err, key))
}

// quiet returns err with a text that holds no key: Datastore names entities
// in its errors.
func quiet(err error, key string) error {
	text := err.Error()
	short := text
	for _, mark := range []string{key, "EntityRef{", "app: ", "path <", "path {"} {
		if mark != "" {
			short, _, _ = strings.Cut(short, mark)
		}
	}
	if short == text {
		return err
	}
	return redact.Error(short+"...", err)
}
