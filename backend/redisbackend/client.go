package redisbackend

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
)

// inspect returns whether a client itself returns at the deadline of a
// context, and an error when it cannot be used at all.
func inspect(client redis.UniversalClient) (bounded bool, err error) {
	errNil := errors.New("redis: the client is nil")
	switch c := client.(type) {
	case nil:
		return false, errNil
	case *redis.Client:
		if c == nil {
			return false, errNil
		}
		o := c.Options()
		// The address is what go-redis gives to every Sentinel client. Such
		// a client waits for other calls that look for the master, and
		// dials it, without a look at the context.
		return o.Addr != "FailoverClient" && o.TLSConfig == nil &&
			heeds(o.ContextTimeoutEnabled, o.ReadTimeout, o.WriteTimeout), nil
	case *redis.ClusterClient:
		if c == nil {
			return false, errNil
		}
		o := c.Options()
		if o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
			return false, errors.New("redis: the client reads from replicas, which lag behind: " +
				"make it without ReadOnly, RouteByLatency and RouteRandomly")
		}
		// ClusterSlots is a function of the caller, or asks sentinels.
		return o.ClusterSlots == nil && o.TLSConfig == nil &&
			heeds(o.ContextTimeoutEnabled, o.ReadTimeout, o.WriteTimeout), nil
	case *redis.Ring:
		if c == nil {
			return false, errNil
		}
	}
	return false, nil
}

// heeds reports whether connections with these options stop reading and
// writing at a context's deadline. A negative timeout means that go-redis
// sets no deadline on the socket, not even the context's. (With TLS the
// handshake knows nothing of the context either.)
func heeds(enabled bool, timeouts ...time.Duration) bool {
	for _, t := range timeouts {
		enabled = enabled && t >= 0
	}
	return enabled
}

// process runs one command that sends, or is expected to get, about size
// bytes. After an error nobody may look at the command: it may still be under
// way.
func (b *Backend) process(ctx context.Context, cmd redis.Cmder, size int) error {
	direct := func() error {
		_, err := do(ctx, b, func() (struct{}, error) { return struct{}{}, b.client.Process(ctx, cmd) })
		return err
	}
	if b.batches == nil || size > maxBatched || b.closed.Load() || ctx.Err() != nil {
		return direct() // which says why not
	}
	return b.batches.process(ctx, cmd, direct)
}

// do runs commands of the client. It returns when the context is done even if
// the client does not.
func do[T any](ctx context.Context, b *Backend, commands func() (T, error)) (T, error) {
	var none T
	switch {
	case b.closed.Load():
		return none, backend.ErrClosed
	case b.invalid != nil:
		return none, b.invalid
	case ctx.Err() != nil:
		return none, ctx.Err()
	case b.bounded || ctx.Done() == nil:
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
