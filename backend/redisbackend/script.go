package redisbackend

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
)

// What a script returns.
const (
	replyGone     = 0
	replyDone     = 1
	replyConflict = 2
	replyCorrupt  = 3
)

// A value too short for a header was written by somebody else: so it was
// changed, and a touch must leave it alone.

// ARGV: header, data, time to live in ms, digest of the base.
var updateScript = redis.NewScript(`
local old = redis.call('GET', KEYS[1])
if not old then return 0 end
if #old < #ARGV[1] then return 2 end
local data = string.sub(old, #ARGV[1] + 1)
if data ~= ARGV[2] and redis.sha1hex(data) ~= ARGV[4] then return 2 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return 1
`)

// ARGV: header, time to live in ms. PTTL is -2 for no key and -1 for a key
// that lives for ever.
var touchScript = redis.NewScript(`
local left = redis.call('PTTL', KEYS[1])
if left == -2 then return 0 end
if redis.call('STRLEN', KEYS[1]) < #ARGV[1] then return 3 end
if left == -1 or left >= tonumber(ARGV[2]) then return 1 end
redis.call('SETRANGE', KEYS[1], 0, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`)

// ARGV: length of the header, digest of the base.
var deleteScript = redis.NewScript(`
local old = redis.call('GET', KEYS[1])
if not old then return 0 end
local size = tonumber(ARGV[1])
if #old < size or redis.sha1hex(string.sub(old, size + 1)) ~= ARGV[2] then return 2 end
redis.call('DEL', KEYS[1])
return 1
`)

// run runs a script on one key.
func (b *Backend) run(ctx context.Context, op, key string, script *redis.Script, args ...any) error {
	reply, err := do(ctx, b, func() (int64, error) {
		return script.Run(ctx, b.client, []string{key}, args...).Int64()
	})
	return answer(ctx, op, key, reply, err)
}

// answer returns what the reply of a script means.
func answer(ctx context.Context, op, key string, reply int64, err error) error {
	if err == nil {
		switch reply {
		case replyDone:
			return nil
		case replyGone:
			err = backend.ErrNotFound
		case replyConflict:
			err = backend.ErrConflict
		case replyCorrupt:
			err = backend.ErrCorrupt
		}
	}
	return fail(ctx, op, key, err)
}
