package redisbackend

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
)

// FlaskLayout implements [backend.FlaskStore].
func (b *Backend) FlaskLayout() (backend.FlaskLayout, backend.FlaskFormat) {
	switch b.layout {
	case backend.FlaskSession2:
		return b.layout, backend.FlaskPickle
	case backend.FlaskSession:
		return b.layout, backend.FlaskMsgpack
	}
	return backend.NoFlask, ""
}

// loadFlask is Load in the layouts of Flask.
func (b *Backend) loadFlask(ctx context.Context, key string) (backend.Record, error) {
	var left time.Duration
	data, err := do(ctx, b, func() ([]byte, error) {
		pipe := b.client.Pipeline()
		get, pttl := pipe.Get(ctx, key), pipe.PTTL(ctx, key)
		_, err := pipe.Exec(ctx)
		left = pttl.Val()
		if getErr := get.Err(); getErr != nil {
			err = getErr
		}
		return []byte(get.Val()), err
	})
	if errors.Is(err, redis.Nil) || err == nil && left == -2 { // ended in between
		err = backend.ErrNotFound
	}
	if err != nil {
		return backend.Record{}, err
	}
	rec := backend.Record{Data: data, Revision: dataRevision(data)}
	if left != -1 { // else it lives for ever
		rec.Expires = b.now().Add(left)
	}
	return rec, nil
}

// createFlask is Create in the layouts of Flask.
func (b *Backend) createFlask(ctx context.Context, key string, data []byte, ttl time.Duration) error {
	_, err := do(ctx, b, func() (any, error) {
		return b.send(ctx, []any{"set", key, data, "nx", "px"}, strconv.FormatInt(ttl.Milliseconds(), 10)).Result()
	})
	if errors.Is(err, redis.Nil) {
		err = backend.ErrExists
	}
	return err
}

// ARGV: data, time to live in ms, digest of the base.
var updateFlask = newScript(`
local old = redis.call('GET', KEYS[1])
if not old then return 0 end
if redis.sha1hex(old) ~= ARGV[3] then return 2 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`)

// ARGV: time to live in ms. STRLEN fails for what is no string.
var touchFlask = newScript(`
local left = redis.call('PTTL', KEYS[1])
if left == -2 then return 0 end
redis.call('STRLEN', KEYS[1])
if left ~= -1 and left < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1
`)

// ARGV: digest of the base.
var deleteFlask = newScript(`
local old = redis.call('GET', KEYS[1])
if not old then return 0 end
if redis.sha1hex(old) ~= ARGV[1] then return 2 end
redis.call('DEL', KEYS[1])
return 1
`)

// dataRevision returns the revision of a record in the layouts of Flask, which
// hold nothing but the data: the data itself, which costs nothing, unless it is
// so short that it could be taken for a digest; then its digest.
//
// The digest is SHA-1 because that is what a Redis script can compute. It
// tells apart the states that honest programs have written; nothing is kept
// secret or authentic by it.
func dataRevision(data []byte) backend.Revision {
	if len(data) > sha1.Size {
		return backend.Revision(data)
	}
	sum := sha1.Sum(data)
	return sum[:]
}

// digest returns a revision's digest as scripts compute it. For what is no
// revision of this package it returns "", which no data has.
func digest(base backend.Revision) string {
	switch {
	case len(base) > sha1.Size:
		sum := sha1.Sum(base)
		return hex.EncodeToString(sum[:])
	case len(base) == sha1.Size:
		return hex.EncodeToString(base)
	}
	return ""
}

// runOnce is run for a script that must not be executed again when a reply is
// lost.
func (b *Backend) runOnce(ctx context.Context, op, key string, s script, last string, args ...any) error {
	reply, err := do(ctx, b, func() (int64, error) {
		args := append([]any{"evalsha", s.hash, 1, key}, args...)
		cmd := b.send(ctx, args, last)
		if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
			args[0], args[1] = "eval", s.source
			cmd = b.send(ctx, args, last)
		}
		return cmd.Int64()
	})
	return answer(ctx, op, key, reply, err)
}
