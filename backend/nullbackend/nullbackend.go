// Package nullbackend is the backend for when no store is configured. As with
// Flask's null session, reading finds nothing, and writing is an error that
// tells what to configure.
package nullbackend

import (
	"context"
	"fmt"
	"time"

	"github.com/go-session2/sessions/backend"
)

func init() {
	backend.Register("null", func(*backend.Settings) (backend.Backend, error) { return New(), nil })
}

// Backend is a [backend.Backend] that holds nothing. It may be used by any
// number of goroutines at once, and its zero value is ready.
type Backend struct{}

var _ backend.Backend = (*Backend)(nil)

// New returns a Backend.
func New() *Backend { return &Backend{} }

// Load returns ErrNotFound.
func (*Backend) Load(ctx context.Context, key string) (backend.Record, error) {
	return backend.Record{}, answer(ctx, "load", backend.ErrNotFound)
}

// Create returns ErrNotConfigured.
func (*Backend) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	return nil, answer(ctx, "create", errWrite)
}

// Update returns ErrNotConfigured.
func (*Backend) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	return nil, answer(ctx, "update", errWrite)
}

// Touch returns ErrNotFound.
func (*Backend) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return answer(ctx, "touch", backend.ErrNotFound)
}

// Delete returns nil without a base, as an absent record is no error, and
// ErrNotFound with one.
func (*Backend) Delete(ctx context.Context, key string, base backend.Revision) error {
	if base != nil {
		return answer(ctx, "delete", backend.ErrNotFound)
	}
	return answer(ctx, "delete", nil)
}

// errWrite is what a write returns.
var errWrite = fmt.Errorf("%w: set Config.Backend, for example to redisbackend.New(...), or the setting SESSION_TYPE", backend.ErrNotConfigured)

// answer returns the error of the context or else err, with the operation.
func answer(ctx context.Context, op string, err error) error {
	if ctxErr := ctx.Err(); ctxErr != nil {
		err = ctxErr
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("null: %s: %w", op, err)
}
