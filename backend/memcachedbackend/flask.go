package memcachedbackend

import (
	"context"
	"errors"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/go-session2/sessions/backend"
)

// errLost is for a write whose reply was lost, in the layouts of Flask.
var errLost = errors.New("the connection broke before the reply, so the command may have been executed")

// FlaskLayout implements [backend.FlaskStore].
func (b *Backend) FlaskLayout() (backend.FlaskLayout, backend.FlaskFormat) {
	switch b.layout {
	case backend.FlaskSession2:
		return b.layout, backend.FlaskPickle0
	case backend.FlaskSession:
		return b.layout, backend.FlaskMsgpack
	}
	return backend.NoFlask, ""
}

func (b *Backend) flask() bool { return b.layout != backend.NoFlask }

// touchFlask is Touch in the layouts of Flask, where nothing tells how long
// the record lives.
func (b *Backend) touchFlask(ctx context.Context, key string, ttl time.Duration) error {
	now := b.now()
	seconds := expiration(now.Add(ttl), now)
	err := b.do(ctx, func() error { return b.client.Touch(key, seconds) })
	if errors.Is(err, memcache.ErrCacheMiss) {
		err = backend.ErrNotFound
	}
	return err
}
