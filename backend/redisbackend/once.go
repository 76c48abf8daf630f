package redisbackend

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// errOnce ends a command whose reply was lost, where the client would send it
// again.
var errOnce = errors.New("no reply, so the command may have been executed and is not sent again")

// once is an argument that keeps a client from sending its command again,
// unless the server has refused to execute it. go-redis repeats commands when
// a reply is lost, a cluster client even with MaxRetries -1, and asks for the
// bytes of the argument each time.
type once struct {
	redacted
	bytes []byte
	cmd   redis.Cmder
	sent  bool
}

// MarshalBinary implements [encoding.BinaryMarshaler].
func (o *once) MarshalBinary() ([]byte, error) {
	if o.sent {
		// A cluster client notes the reply of a node before it goes on to
		// the next one.
		var refused redis.Error
		if !errors.As(o.cmd.Err(), &refused) {
			return nil, errOnce
		}
	}
	o.sent = true
	return o.bytes, nil
}

// send has the server execute a command at most once.
func (b *Backend) send(ctx context.Context, args []any, last string) *redis.Cmd {
	o := &once{bytes: []byte(last)}
	cmd := redis.NewCmd(ctx, append(args, o)...)
	o.cmd = cmd
	_ = b.client.Process(ctx, cmd) // it is the error of cmd
	return cmd
}
