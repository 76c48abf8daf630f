package redisbackend

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
)

var _ backend.Indexer = (*Backend)(nil)

// ownerPrefix begins the key of the index of an owner: a sorted set of the
// keys of the owner's records, by when they will be gone.
const ownerPrefix = "sessions-of:"

// afterlife is by how much an entry outlives the record, as the clocks of the
// servers of a cluster and of the programs may differ.
const afterlife = time.Hour

// Enters a key into an index, and removes what has expired. The set lives as
// long as its last entry. ARGV: key, time to live in ms.
var ownScript = redis.NewScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], 'GT', now + ttl, ARGV[1])
if redis.call('PTTL', KEYS[1]) < ttl then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
`)

// Lists an index without what has expired.
var ownedScript = redis.NewScript(`
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
return redis.call('ZRANGE', KEYS[1], 0, -1)
`)

// Indexed implements [backend.Indexer]. In the layouts of Flask there is no
// index, as the sessions that Flask stores would be missing from it.
//
// The index of an owner is a sorted set under "sessions-of:" and the owner,
// which in a cluster is in another slot than the records. So a Create is
// followed by an entry into the set, one EVALSHA: the ID of the session is not
// in use before the Create has returned. And an Update or Touch, of a session
// that is in use, comes after it. So an entry whose record is absent is of no
// use any more, and Owned, which looks for the records, removes it.
func (b *Backend) Indexed(owner string) (backend.Index, error) {
	if b.layout != backend.NoFlask {
		return nil, fmt.Errorf("redis: %w: sessions that Flask stores would be missing from it", backend.ErrNoIndex)
	}
	return view{Backend: b, index: ownerPrefix + owner}, nil
}

// A view writes records for an owner.
type view struct {
	*Backend
	index string // key of the set
}

func (v view) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	rev, err := v.Backend.Create(ctx, key, data, ttl)
	if err != nil {
		return nil, err
	}
	if err := v.own(ctx, "create", key, ttl); err != nil {
		// Then there is no session, as far as anybody is told.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = v.Backend.Delete(ctx, key, nil)
		return nil, err
	}
	return rev, nil
}

func (v view) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	if err := v.own(ctx, "update", key, ttl); err != nil {
		return nil, err
	}
	return v.Backend.Update(ctx, key, data, ttl, base)
}

func (v view) Touch(ctx context.Context, key string, ttl time.Duration) error {
	if err := v.own(ctx, "touch", key, ttl); err != nil {
		return err
	}
	return v.Backend.Touch(ctx, key, ttl)
}

// Delete also removes the entry. That this fails is no matter.
func (v view) Delete(ctx context.Context, key string, base backend.Revision) error {
	err := v.Backend.Delete(ctx, key, base)
	if err == nil {
		_ = v.forget(ctx, []string{key})
	}
	return err
}

// own enters a record into the index.
func (v view) own(ctx context.Context, op, key string, ttl time.Duration) error {
	ttl = wholeMillis(ttl) + afterlife
	_, err := do(ctx, v.Backend, func() (any, error) {
		return ownScript.Run(ctx, v.client, []string{v.index}, key, ttl.Milliseconds()).Result()
	})
	return v.fail(ctx, op, key, err)
}

func (v view) forget(ctx context.Context, keys []string) error {
	members := make([]any, len(keys))
	for i, key := range keys {
		members[i] = key
	}
	_, err := do(ctx, v.Backend, func() (int64, error) { return v.client.ZRem(ctx, v.index, members...).Result() })
	return err
}

// Owned implements [backend.Index] by one EVALSHA, and one EXISTS for each
// record, sent together; and again while there are entries without a record,
// as the record may have moved after the list was made.
func (v view) Owned(ctx context.Context) ([]string, error) {
	const op = "list by owner"
	for {
		keys, err := do(ctx, v.Backend, func() ([]string, error) {
			return ownedScript.Run(ctx, v.client, []string{v.index}).StringSlice()
		})
		if err != nil || len(keys) == 0 {
			return nil, v.fail(ctx, op, "", err)
		}
		dead, err := v.absent(ctx, keys)
		if err == nil && len(dead) > 0 {
			err = v.forget(ctx, dead)
		}
		if err != nil {
			return nil, v.fail(ctx, op, "", err)
		}
		if len(dead) == 0 {
			return keys, nil
		}
	}
}

// absent returns those of the keys under which there is nothing.
func (v view) absent(ctx context.Context, keys []string) (absent []string, err error) {
	replies, err := do(ctx, v.Backend, func() ([]redis.Cmder, error) {
		return v.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, key := range keys {
				p.Exists(ctx, key)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	for i, reply := range replies {
		if n, ok := reply.(*redis.IntCmd); ok && n.Val() == 0 {
			absent = append(absent, keys[i])
		}
	}
	return absent, nil
}

// fail is that of the package, for an error that may quote the owner as well.
func (v view) fail(ctx context.Context, op, key string, err error) error {
	if err != nil && strings.Contains(err.Error(), v.index) {
		err = quiet(err, v.index)
	}
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	return fail(ctx, op, key, err)
}
