package filebackend

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"sync/atomic"
	"time"

	"github.com/go-session2/sessions/backend"
)

// censusFile is the lock file that holds the counts.
const censusFile = "count"

// pause is how many times longer than a vain search for room it is left alone.
const pause = 10

// A census counts the sessions of all processes. It is a file with one number
// of four bytes for each shard, which is changed under a lock of its own, for
// microseconds, by whoever has the shard locked. So a Create reads and writes
// 1 KiB however many sessions there are, and each number can be made right by
// counting one directory.
//
// A session is counted before its file is made and after its file is removed:
// a process that is killed in between leaves the number too high.
type census struct {
	b       *Backend
	limit   int
	turn    turn // for the file
	search  turn // for start and makeRoom
	started atomic.Bool
	counted int           // the shards that start has counted
	vainly  time.Time     // when makeRoom last found nothing
	cost    time.Duration // how long that took
}

func newCensus(b *Backend, limit int) *census {
	return &census{b: b, limit: limit, turn: make(turn, 1), search: make(turn, 1)}
}

// start counts everything, once: the numbers may be from before a power cut,
// or from before there was a limit. When the context ends, the next one goes on
// where this one stopped: a million files can take longer than a request.
func (c *census) start(ctx context.Context) error {
	if c.started.Load() {
		return nil
	}
	if err := c.take(ctx); err != nil {
		return err
	}
	defer func() { <-c.search }()
	if c.started.Load() {
		return nil
	}
	for ; c.counted < shardCount; c.counted++ {
		if _, err := c.recount(ctx, c.counted); err != nil {
			return err
		}
	}
	c.started.Store(true)
	return nil
}

// makeRoom removes expired sessions and counts anew, directory by directory,
// until the store is not full. It does not look when it did so in vain a
// short time ago. To be interrupted is in vain too, as else every request
// would search until its time is up; the next search goes on from there.
func (c *census) makeRoom(ctx context.Context) (room bool, err error) {
	if err := c.take(ctx); err != nil {
		return false, err
	}
	defer func() { <-c.search }()
	if time.Since(c.vainly) < pause*c.cost {
		return false, nil
	}
	begin := time.Now()
	defer func() {
		if !room {
			c.vainly, c.cost = time.Now(), time.Since(begin)
		}
	}()
	first := c.b.sweepAt.Load()
	for i := range int64(shardCount) {
		i := int((first + i) % shardCount)
		c.b.sweepAt.Store(int64(i))
		if _, err := c.b.sweepShard(ctx, i, math.MaxInt); err != nil {
			return false, err
		}
		total, err := c.recount(ctx, i)
		if err != nil {
			return false, err
		}
		if total < int64(c.limit) {
			return true, nil
		}
	}
	return false, nil
}

func (c *census) take(ctx context.Context) error {
	select {
	case c.search <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.b.closing:
		return backend.ErrClosed
	}
}

// recount makes the number of one shard right, and returns the sum of all.
func (c *census) recount(ctx context.Context, index int) (total int64, err error) {
	// A directory that is not there and not counted needs no lock, nor a
	// lock file: who makes it counts it.
	if _, err := c.b.root.Lstat(shardName(index)); errors.Is(err, fs.ErrNotExist) {
		counted := false
		err := c.change(ctx, func(counts *counts) bool {
			counted = counts[index] != 0
			total = counts.total()
			return false
		})
		if err != nil || !counted {
			return total, err
		}
	}
	l, err := c.b.lockShard(ctx, index)
	if err != nil {
		return 0, err
	}
	defer l.release()
	n, err := c.b.countFiles(index)
	if err != nil {
		return 0, err
	}
	err = c.change(ctx, func(counts *counts) bool {
		changed := counts[index] != n
		counts[index] = n
		total = counts.total()
		return changed
	})
	return total, err
}

// countFiles counts the session files in a shard.
func (b *Backend) countFiles(index int) (n uint32, err error) {
	s, err := b.openShard(index)
	if errors.Is(err, backend.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer s.close()
	err = s.eachName(func(name string) {
		if isFileName(name) {
			n++
		}
	})
	return n, err
}

// add counts one session more or less in a shard, which must be locked. One
// more than the limit is ErrFull. Without a limit, on a nil census, it does
// nothing.
func (c *census) add(ctx context.Context, index, delta int) error {
	if c == nil {
		return nil
	}
	full := false
	err := c.change(ctx, func(counts *counts) bool {
		n := int(counts[index]) + delta
		full = delta > 0 && counts.total() >= int64(c.limit)
		if full || n < 0 {
			return false
		}
		counts[index] = uint32(n)
		return true
	})
	if err == nil && full {
		return backend.ErrFull
	}
	return err
}

// counts is the content of the file.
type counts [shardCount]uint32

func (c *counts) total() (sum int64) {
	for _, n := range c {
		sum += int64(n)
	}
	return sum
}

// change reads the counts, and writes them when f returns true.
func (c *census) change(ctx context.Context, f func(*counts) bool) error {
	l, err := c.b.lock(ctx, censusFile, c.turn)
	if err != nil {
		return err
	}
	defer l.release()
	var buf [4 * shardCount]byte
	if _, err := l.file.ReadAt(buf[:], 0); err != nil && err != io.EOF {
		return err
	}
	var counts counts
	for i := range counts {
		counts[i] = binary.BigEndian.Uint32(buf[4*i:])
	}
	if !f(&counts) {
		return nil
	}
	for i, n := range counts {
		binary.BigEndian.PutUint32(buf[4*i:], n)
	}
	_, err = l.file.WriteAt(buf[:], 0)
	return err
}
