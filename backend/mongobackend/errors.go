package mongobackend

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-session2/sessions/internal/redact"
)

// fail wraps what went wrong with the operation. A nil error stays nil.
func fail(ctx context.Context, op, key string, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return fmt.Errorf("mongodb: %s: %w", op, quiet(err, key))
}

// quiet returns err with a text that holds neither key nor data: MongoDB
// quotes values in some of its errors.
func quiet(err error, key string) error {
	text := err.Error()
	short, _, _ := strings.Cut(text, "{ "+native.id+":")
	short, _, _ = strings.Cut(short, "{ "+flask.id+":")
	if key != "" {
		short, _, _ = strings.Cut(short, key)
	}
	if short == text {
		return err
	}
	return redact.Error(short+"...", err)
}
