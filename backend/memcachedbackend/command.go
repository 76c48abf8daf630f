package memcachedbackend

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/go-session2/sessions/backend"
)

// item returns what is stored for data.
func (b *Backend) item(key string, data []byte, ttl time.Duration) (*memcache.Item, error) {
	if len(data) > b.maxSize {
		return nil, backend.TooLarge(len(data), b.maxSize)
	}
	now := b.now()
	expires := now.Add(ttl)
	return &memcache.Item{Key: key, Value: b.value(data, expires), Expiration: expiration(expires, now)}, nil
}

// getAny returns what is stored under key.
func (b *Backend) getAny(ctx context.Context, key string) (*entry, error) {
	var item *memcache.Item
	err := b.do(ctx, func() (err error) {
		item, err = b.client.Get(key)
		return err
	})
	if errors.Is(err, memcache.ErrCacheMiss) {
		err = backend.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return b.decode(item)
}

// get returns the record under key.
func (b *Backend) get(ctx context.Context, key string) (*entry, error) {
	e, err := b.getAny(ctx, key)
	if err == nil && e.ended(b.now()) {
		return nil, backend.ErrNotFound
	}
	return e, err
}

// cas stores an item in place of the one with its CAS number. It returns
// ErrConflict or ErrNotFound when that one is no longer there.
func (b *Backend) cas(ctx context.Context, item *memcache.Item) error {
	repeated, err := b.write(ctx, func() error { return b.client.CompareAndSwap(item) })
	if err == nil {
		return nil
	}
	switch {
	case repeated && b.flask():
		// What would tell whether it was the first try that changed the
		// record is in its data, which Flask's does not have.
		return errLost
	case errors.Is(err, memcache.ErrCASConflict):
		return backend.ErrConflict
	case errors.Is(err, memcache.ErrCacheMiss), errors.Is(err, memcache.ErrNotStored):
		return backend.ErrNotFound
	}
	return err
}

// swap stores an item in place of the record at revision base. With
// ErrConflict it also returns the record that is there, unless it is corrupt.
func (b *Backend) swap(ctx context.Context, item *memcache.Item, base backend.Revision) (*entry, error) {
	was, number := parse(base)
	item.CasID = number
	for {
		if item.CasID != 0 {
			if err := b.cas(ctx, item); !errors.Is(err, backend.ErrConflict) {
				return nil, err
			}
		}
		e, err := b.get(ctx, item.Key)
		if errors.Is(err, backend.ErrCorrupt) {
			return nil, backend.ErrConflict
		}
		if err != nil {
			return nil, err
		}
		if was == nil || !bytes.Equal(e.data(), was) {
			return e, backend.ErrConflict
		}
		item.CasID = e.item.CasID
	}
}

// write runs a command that changes a record, and tells whether it was tried
// again after its connection broke.
func (b *Backend) write(ctx context.Context, command func() error) (repeated bool, err error) {
	var tries atomic.Int32
	err = b.do(ctx, func() error {
		tries.Add(1)
		return command()
	})
	return tries.Load() > 1, err
}

// do runs a command of the client. It returns when the context is done even
// though the client does not; the command must then not touch what the caller
// goes on to use.
func (b *Backend) do(ctx context.Context, command func() error) error {
	switch {
	case b.closed.Load():
		return backend.ErrClosed
	case b.client == nil:
		return errNoClient
	case ctx.Err() != nil:
		return ctx.Err()
	case ctx.Done() == nil:
		return b.again(command)
	}
	done := make(chan error, 1)
	go func() { done <- b.again(command) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// again runs a command, and once more when its connection turns out to be
// closed: the client keeps idle connections and does not notice that the
// server has closed them, as it does when it restarts. All commands may be
// repeated: of two times the same add or cas at most one is executed. See
// [Backend.Delete] for what that means there.
func (b *Backend) again(command func() error) error {
	err := command()
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		_ = b.client.Close() // which closes the idle connections only
		err = command()
	}
	return err
}
