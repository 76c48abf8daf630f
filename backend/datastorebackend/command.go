package datastorebackend

import (
	"context"
	"errors"
	"time"

	"cloud.google.com/go/datastore"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-session2/sessions/backend"
)

// do runs commands of the client. It returns when the context is done even if
// the client does not, which goes on to undo a transaction.
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

// errDone ends a transaction that has nothing to change and is a success.
var errDone = errors.New("nothing is to be done")

// transact runs f in a transaction on the record under key, or on several where
// that is empty, and again where others are in the way. As f
// may run several times, and go on after transact has returned an error, what
// it stores elsewhere than in the transaction is good only after a success.
func (b *Backend) transact(ctx context.Context, key string, f func(*datastore.Transaction) error) error {
	run := func() (struct{}, error) {
		return struct{}{}, insist(ctx, func() error {
			if key != "" {
				end, err := b.turns.take(ctx, key)
				if err != nil {
					return err
				}
				defer end()
			}
			_, err := b.client.RunInTransaction(ctx, f, b.options...)
			return err
		})
	}
	_, err := do(ctx, b, run)
	if status.Code(err) == codes.InvalidArgument && b.flask == backend.NoFlask {
		// That is the answer when the reply to a commit was lost and the
		// client has repeated it, as the transaction is closed by then. If
		// the commit was done, f finds what it has stored. In a layout of
		// Flask it could not tell, so that the error stands.
		_, err = do(ctx, b, run)
	}
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

// find returns the record under key, as get reads it.
func (b *Backend) find(key string, get func(*datastore.Key, any) error) (*record, error) {
	if err := check(key); err != nil {
		return nil, err
	}
	var list datastore.PropertyList
	err := get(b.name(key), &list)
	if errors.Is(err, datastore.ErrNoSuchEntity) {
		return nil, backend.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	rec, err := b.layout.decode(list)
	if err == nil && !rec.live(b.now()) {
		return nil, backend.ErrNotFound
	}
	return rec, err
}

// put stores a record at the end of a transaction.
func (b *Backend) put(tx *datastore.Transaction, l layout, key string, rec record) error {
	_, err := tx.Put(b.name(key), l.encode(rec))
	return err
}

// insert stores an entity that is not there.
func (b *Backend) insert(ctx context.Context, l layout, key string, rec record) error {
	return b.write(ctx, key, datastore.NewInsert(b.name(key), l.encode(rec)))
}

// remove deletes an entity.
func (b *Backend) remove(ctx context.Context, key string) error {
	return b.write(ctx, key, datastore.NewDelete(b.name(key)))
}

// write changes an entity without a transaction.
func (b *Backend) write(ctx context.Context, key string, change *datastore.Mutation) error {
	_, err := do(ctx, b, func() (struct{}, error) {
		if err := check(key); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, insist(ctx, func() error {
			_, err := b.client.Mutate(ctx, change)
			return err
		})
	})
	return err
}

// insist repeats a write or a transaction that the server has given up because
// of others, when it has changed nothing. The pauses grow faster than those of
// the client library, which let two transactions collide again and again where
// the server is pessimistic.
func insist(ctx context.Context, write func() error) error {
	pause := gax.Backoff{Initial: 20 * time.Millisecond, Max: 2 * time.Second, Multiplier: 2}
	for attempt := 1; ; attempt++ {
		err := write()
		if !givenUp(err) || attempt == maxAttempts {
			return err
		}
		if err := gax.Sleep(ctx, pause.Pause()); err != nil {
			return err
		}
	}
}

func givenUp(err error) bool {
	return errors.Is(err, datastore.ErrConcurrentTransaction) || status.Code(err) == codes.Aborted
}
