package redisbackend

import (
	"context"
	"crypto/sha1"
	"encoding/hex"

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

// A script is a Lua program and the SHA-1 digest by which Redis knows it.
type script struct{ source, hash string }

func newScript(source string) script {
	sum := sha1.Sum([]byte(source))
	return script{source, hex.EncodeToString(sum[:])}
}

// A value too short for a header was written by somebody else: so it was
// changed, and a touch must leave it alone. The numbers are the places of the
// parts of a value: see headerSize.

// ARGV: value, revision of the base, time to live in ms. A value that holds
// the same data already was written by this very call.
var updateScript = newScript(`
if redis.call('GETRANGE', KEYS[1], 8, 15) ~= ARGV[2] or #ARGV[2] ~= 8 then
	local old = redis.call('GET', KEYS[1])
	if not old then return 0 end
	if #old < 16 or string.sub(old, 17) ~= string.sub(ARGV[1], 17) then return 2 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 1
`)

// ARGV: expiry, time to live in ms. PTTL is -2 for no key and -1 for a key
// that lives for ever.
var touchScript = newScript(`
local left = redis.call('PTTL', KEYS[1])
if left == -2 then return 0 end
if redis.call('STRLEN', KEYS[1]) < 16 then return 3 end
if left == -1 or left >= tonumber(ARGV[2]) then return 1 end
redis.call('SETRANGE', KEYS[1], 0, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`)

// ARGV: revision of the base.
var deleteScript = newScript(`
if redis.call('GETRANGE', KEYS[1], 8, 15) ~= ARGV[1] or #ARGV[1] ~= 8 then
	return redis.call('EXISTS', KEYS[1]) * 2
end
redis.call('DEL', KEYS[1])
return 1
`)

// run runs a script on one key. The arguments have about size bytes.
func (b *Backend) run(ctx context.Context, op, key string, s script, size int, args ...any) error {
	eval := func(name, code string) (int64, error) {
		all := make([]any, 4, 8)
		all[0], all[1], all[2], all[3] = name, code, 1, key
		cmd := redis.NewCmd(ctx, append(all, args...)...)
		cmd.SetFirstKeyPos(3)
		if err := b.process(ctx, cmd, size); err != nil {
			return 0, err
		}
		return cmd.Int64()
	}
	reply, err := eval("evalsha", s.hash)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		reply, err = eval("eval", s.source)
	}
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
