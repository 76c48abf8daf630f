package dynamobackend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// refused reports whether a write was not done because its condition did not
// hold, and returns the item that is stored instead, if any.
func refused(err error) (stored item, failed bool) {
	var refusal *types.ConditionalCheckFailedException
	if errors.As(err, &refusal) {
		return refusal.Item, true
	}
	return nil, false
}

// differs turns the refusal to store data into what it means: nil when the
// record holds exactly data, because then the reply of the first attempt was
// lost. In a layout of Flask it does not mean that. Other errors stay as they
// are.
func (b *Backend) differs(err error, data []byte, now time.Time) error {
	stored, failed := refused(err)
	if !failed {
		return err
	}
	rec, err := b.layout.decode(stored, now)
	if err == nil && (b.flask != backend.NoFlask || !bytes.Equal(rec.Data, data)) {
		err = backend.ErrConflict
	}
	return err
}

// fail wraps what went wrong with the operation. A nil error stays nil.
func fail(ctx context.Context, op, key string, err error) error {
	if err == nil {
		return nil
	}
	// The SDK does not say of every request that is ended by its context
	// that it is.
	var failed *smithy.OperationError
	if cause := ctx.Err(); cause != nil && errors.As(err, &failed) && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return fmt.Errorf("dynamodb: %s: %w", op, quiet(err, key))
}

// quiet returns err with a text that does not hold the key: the messages of
// servers may quote what they were sent.
func quiet(err error, key string) error {
	text := err.Error()
	if key == "" || !strings.Contains(text, key) {
		return err
	}
	text, _, _ = strings.Cut(text, key)
	return redact.Error(text+"...", err)
}
