package dynamobackend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/go-session2/sessions/backend"
)

// TestFlaskLostReply loses the reply to each write: that is an error, and no
// second request is sent that could find what the first has done.
func TestFlaskLostReply(t *testing.T) {
	onEachFlask(t, func(t *testing.T, endpoint, table string, flask backend.FlaskLayout) {
		ctx, w := context.Background(), new(wire)
		b := onFlask(t, connect(endpoint, w), table, flask)
		if err := b.Ping(ctx); err != nil {
			t.Fatal(err)
		}
		w.take()
		one, two := []byte(`{"n": 1}`), []byte(`{"n": 2}`)
		for _, s := range []struct {
			name, request string
			run           func() error
			after         error
		}{
			{"Create", "PutItem", func() error { _, err := b.Create(ctx, "key", one, time.Hour); return err }, backend.ErrExists},
			{"Update", "PutItem", func() error { _, err := b.Update(ctx, "key", two, time.Hour, revision(one)); return err }, backend.ErrConflict},
			{"Delete at a revision", "DeleteItem", func() error { return b.Delete(ctx, "key", revision(two)) }, backend.ErrNotFound},
			{"Delete", "DeleteItem", func() error { return b.Delete(ctx, "key", nil) }, nil},
		} {
			w.lose = true
			err := s.run()
			if err == nil || errors.Is(err, backend.ErrExists) || errors.Is(err, backend.ErrConflict) || errors.Is(err, backend.ErrNotFound) {
				t.Errorf("%s whose reply was lost: %v", s.name, err)
			}
			if got := w.operations(); !slices.Equal(got, []string{s.request}) {
				t.Errorf("%s sent %q, want one %s", s.name, got, s.request)
			}
			if err := s.run(); !errors.Is(err, s.after) || (err == nil) != (s.after == nil) {
				t.Errorf("%s again: %v, want %v", s.name, err, s.after)
			}
			w.take()
		}
		// What changes nothing that matters is repeated.
		if _, err := b.Create(ctx, "key", one, time.Hour); err != nil {
			t.Fatal(err)
		}
		w.lose = true
		if err := b.Touch(ctx, "key", 2*time.Hour); err != nil {
			t.Errorf("Touch: %v", err)
		}
		w.lose = true
		if rec, err := b.Load(ctx, "key"); err != nil || !bytes.Equal(rec.Data, one) {
			t.Errorf("Load: %q, %v", rec.Data, err)
		}
	})
}

// TestFlaskThrottled has writes that the server refuses at first: they are
// repeated.
func TestFlaskThrottled(t *testing.T) {
	r := cautious{dynamodb.New(dynamodb.Options{Region: "x"}).Options().Retryer}
	for want, errs := range map[bool][]error{
		true: {
			&types.ProvisionedThroughputExceededException{}, &types.RequestLimitExceeded{},
			&net.OpError{Op: "dial", Err: &net.DNSError{IsTemporary: true}},
		},
		false: {
			&net.OpError{Op: "read", Err: syscall.ECONNRESET},
			&types.InternalServerError{}, &types.ConditionalCheckFailedException{},
			context.DeadlineExceeded, fmt.Errorf("read: %w", errors.New("connection reset by peer")),
		},
	} {
		for _, err := range errs {
			if got := r.IsErrorRetryable(err); got != want {
				t.Errorf("%T is repeated: %t", err, got)
			}
		}
	}
}
