package redisbackend

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxBatch is how many commands go in one batch at most, and maxBatched
	// how many bytes one of them may send or get: what is larger costs less
	// by itself, on a connection that another core can read.
	maxBatch   = 64
	maxBatched = 16 << 10

	// defaultLinger is how long a command waits for a round trip that is under
	// way: a server far away, or a connection that hangs, holds up nobody
	// else for longer.
	defaultLinger = time.Millisecond
)

// A batcher sends the commands of concurrent calls together. A command that
// comes while no round trip is under way is sent at once, by its caller. What
// comes until that one is back goes to the server in one pipeline, on one
// connection, and so on. The goroutine that sends the pipelines ends when
// nobody waits, and so does the timer.
//
// Each call keeps its own context, its own reply and its own error.
type batcher struct {
	client  *redis.Client
	flights int // round trips under way at most: there are no more connections
	linger  time.Duration

	mu       sync.Mutex
	flying   int
	waiting  []*command
	since    time.Time // of the first that waits
	watching bool      // the timer runs
	timer    *time.Timer
}

// newBatcher returns a batcher for a client, or nil where commands must go one
// by one: a cluster and a ring divide a pipeline between servers and answer
// when the slowest has, a Limiter counts calls, and of any other client nobody
// knows what it does.
func newBatcher(client redis.UniversalClient) *batcher {
	c, ok := client.(*redis.Client)
	if !ok || c == nil || c.Options().Limiter != nil {
		return nil
	}
	q := &batcher{client: c, flights: max(1, c.Options().PoolSize), linger: defaultLinger}
	q.timer = time.AfterFunc(time.Hour, q.watch)
	q.timer.Stop()
	return q
}

// A command is a command of a call in a batch. go-redis tells it its error
// when its reply was read, through SetErr. From then on the caller has it, and
// its place in the batch is taken by one that does nothing: so a batch whose
// connection breaks does not repeat what was answered, and no other reply can
// reach the caller.
type command struct {
	redis.Cmder
	ctx      context.Context
	spent    redis.Cmder // of the batch
	answered bool        // known to the goroutine that sends the batch
	done     chan struct{}
}

// SetErr is called by go-redis, once for each attempt.
func (c *command) SetErr(err error) {
	c.Cmder.SetErr(err)
	var reply redis.Error
	if err == nil || errors.As(err, &reply) {
		c.answer()
	}
}

func (c *command) answer() {
	if !c.answered {
		c.answered = true
		c.Cmder = c.spent
		close(c.done)
	}
}

// process runs a command and returns its error. direct is what runs it outside of a batch. When process returns
// the error of ctx the command must not be looked at.
func (q *batcher) process(ctx context.Context, cmd redis.Cmder, direct func() error) error {
	q.mu.Lock()
	if q.flying == 0 {
		q.flying++
		q.mu.Unlock()
		defer q.land() //nolint:contextcheck // who waits has a context of his own
		return direct()
	}
	c := &command{Cmder: cmd, ctx: ctx, done: make(chan struct{})}
	if len(q.waiting) == 0 {
		q.since = time.Now()
	}
	q.waiting = append(q.waiting, c)
	q.arm()
	q.mu.Unlock()
	select {
	case <-c.done:
		if err := cmd.Err(); !notNow(err) {
			return err
		}
		return direct() // in which the client tries again for a while
	case <-ctx.Done():
		return ctx.Err()
	}
}

// land ends a round trip, and begins the next if somebody waits.
func (q *batcher) land() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flying--
	if len(q.waiting) > 0 {
		q.fly()
	}
}

// fly begins a round trip. mu is held.
func (q *batcher) fly() {
	q.flying++
	go q.run()
}

// run makes round trips until nobody waits.
func (q *batcher) run() {
	for {
		// Whoever is ready to run goes first, those who just got their reply
		// among them: what they ask for can be in this batch.
		runtime.Gosched()
		q.mu.Lock()
		batch := q.take()
		if batch == nil {
			q.flying--
		}
		q.mu.Unlock()
		if batch == nil {
			return
		}
		q.send(batch)
	}
}

// take returns the commands for one batch. mu is held.
func (q *batcher) take() []*command {
	batch := q.waiting
	if len(batch) <= maxBatch {
		q.waiting = nil
		return batch
	}
	q.waiting, q.since = batch[maxBatch:], time.Now()
	q.arm()
	return batch[:maxBatch:maxBatch]
}

// arm starts the timer if somebody waits. mu is held.
func (q *batcher) arm() {
	if !q.watching && len(q.waiting) > 0 {
		q.watching = true
		q.timer.Reset(q.linger)
	}
}

// watch is what the timer does. It is not stopped when a batch is taken, which
// happens much more often than it ends.
func (q *batcher) watch() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.watching = false
	if len(q.waiting) == 0 || q.flying >= q.flights {
		return // a round trip that ends takes those who wait
	}
	left := q.linger - time.Since(q.since)
	if left <= 0 {
		q.fly()
		left = q.linger
	}
	q.watching = true
	q.timer.Reset(left)
}

// send sends a batch and returns when all of it is answered.
func (q *batcher) send(batch []*command) {
	pipe := q.client.Pipeline()
	spent := redis.NewStatusCmd(context.Background(), "ping")
	var until time.Time
	endless := false
	live := batch[:0]
	for _, c := range batch {
		if c.ctx.Err() != nil {
			continue // its caller has left
		}
		deadline, ok := c.ctx.Deadline()
		if endless = endless || !ok; deadline.After(until) {
			until = deadline
		}
		c.spent = spent
		live = append(live, c)
		_ = pipe.Process(c.ctx, c) // puts it into the pipeline
	}
	if len(live) == 0 {
		return
	}
	// The batch is bound by the last of the deadlines. A caller with an
	// earlier one leaves by itself.
	ctx := context.Background()
	if !endless {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, until)
		defer cancel()
	}
	_, err := pipe.Exec(ctx)
	for _, c := range live {
		if c.answered {
			continue
		}
		if c.Cmder.Err() == nil {
			c.Cmder.SetErr(err)
		}
		c.answer()
	}
}

// notNow tells whether an error is the server's word that it does nothing at
// present, for which go-redis repeats a command that was sent alone.
func notNow(err error) bool {
	for _, prefix := range []string{"LOADING", "READONLY", "max number of clients reached"} {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}
