package firestorebackend

import (
	"context"
	"errors"
	"time"

	"cloud.google.com/go/firestore"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-session2/sessions/backend"
)

// do runs commands of the client. It returns when the context is done even if
// the client does not, which may wait for a token of the authorization.
func do[T any](ctx context.Context, b *Backend, commands func() (T, error)) (T, error) {
	var none T
	switch {
	case b.closed.Load():
		return none, backend.ErrClosed
	case b.invalid != nil:
		return none, b.invalid
	case ctx.Err() != nil:
		return none, ctx.Err()
	case ctx.Done() == nil:
		return commands()
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := commands()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// get returns the record under key, expired or not.
func (b *Backend) get(ctx context.Context, key string) (*record, error) {
	doc, err := do(ctx, b, func() (*firestore.DocumentSnapshot, error) {
		if err := check(key); err != nil {
			return nil, err
		}
		return b.coll.Doc(key).Get(ctx)
	})
	if status.Code(err) == codes.NotFound {
		return nil, backend.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return b.layout.decode(doc)
}

// find returns the record under key.
func (b *Backend) find(ctx context.Context, key string) (*record, error) {
	rec, err := b.get(ctx, key)
	if err == nil && !rec.live(b.now()) {
		return nil, backend.ErrNotFound
	}
	return rec, err
}

// why returns the error of a command that did not find the record under key at
// its revision. With ErrConflict comes the record that is there instead,
// unless it is corrupt.
func (b *Backend) why(ctx context.Context, key string) (*record, error) {
	rec, err := b.find(ctx, key)
	if err == nil || errors.Is(err, backend.ErrCorrupt) {
		err = backend.ErrConflict
	}
	return rec, err
}

// create stores a document that is not there and returns its update time.
func (b *Backend) create(ctx context.Context, key string, fields map[string]any) (time.Time, error) {
	return b.write(ctx, key, func(doc *firestore.DocumentRef) (*firestore.WriteResult, error) {
		return doc.Create(ctx, fields)
	})
}

// update changes a document that was last changed at a time and returns its
// new update time.
func (b *Backend) update(ctx context.Context, key string, changes []firestore.Update, at time.Time) (time.Time, error) {
	return b.write(ctx, key, func(doc *firestore.DocumentRef) (*firestore.WriteResult, error) {
		return doc.Update(ctx, changes, firestore.LastUpdateTime(at))
	})
}

// remove deletes a document.
func (b *Backend) remove(ctx context.Context, key string, conditions ...firestore.Precondition) error {
	_, err := b.write(ctx, key, func(doc *firestore.DocumentRef) (*firestore.WriteResult, error) {
		return doc.Delete(ctx, conditions...)
	})
	return err
}

func (b *Backend) write(ctx context.Context, key string, command func(*firestore.DocumentRef) (*firestore.WriteResult, error)) (time.Time, error) {
	return do(ctx, b, func() (time.Time, error) {
		if err := check(key); err != nil {
			return time.Time{}, err
		}
		var res *firestore.WriteResult
		err := insist(ctx, func() (err error) {
			res, err = command(b.coll.Doc(key))
			return err
		})
		if err != nil {
			return time.Time{}, err
		}
		return res.UpdateTime, nil
	})
}

// insist repeats a write that the server has given up because of others. It
// says so by Aborted, and has changed nothing then.
func insist(ctx context.Context, write func() error) error {
	pause := gax.Backoff{Initial: 20 * time.Millisecond, Max: time.Second}
	for attempt := 1; ; attempt++ {
		err := write()
		if status.Code(err) != codes.Aborted || attempt == maxAttempts {
			return err
		}
		if err := gax.Sleep(ctx, pause.Pause()); err != nil {
			return err
		}
	}
}

// refused reports whether an error says that a precondition does not hold.
func refused(err error) bool {
	code := status.Code(err)
	return code == codes.FailedPrecondition || code == codes.NotFound
}
