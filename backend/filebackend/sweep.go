package filebackend

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/go-session2/sessions/backend"
)

// tempAge is how old a file that is being written must be to be taken for one
// that a killed process left behind.
const tempAge = time.Hour

// Sweep removes expired records, and files that killed processes left behind
// more than an hour ago, which it does not count. It goes on where the last
// call stopped. It locks a directory for one removal at a time, and looks
// again under the lock. Corrupt files stay. The memory that it takes is for
// the names in one of 256 directories. A limit under 1 does nothing.
func (b *Backend) Sweep(ctx context.Context, limit int) (removed int, err error) {
	sweep := b.sweep
	if b.flask() {
		sweep = b.sweepFlask
	}
	removed, err = sweep(ctx, limit)
	if err != nil {
		return removed, failed("sweep", err)
	}
	return removed, nil
}

func (b *Backend) sweep(ctx context.Context, limit int) (removed int, err error) {
	if err := b.begin(ctx); err != nil {
		return 0, err
	}
	defer b.life.RUnlock()
	if limit < 1 {
		return 0, nil
	}
	if err := b.sweepPings(); err != nil {
		return 0, err
	}
	if err := b.sweepIndex(ctx); err != nil {
		return 0, err
	}
	start := b.sweepAt.Load()
	for i := range int64(shardCount) {
		n, err := b.sweepShard(ctx, int((start+i)%shardCount), limit-removed)
		removed += n
		if err != nil || removed == limit {
			if err != nil && ctx.Err() == nil {
				i++ // what cannot be read must not keep the rest from being swept
			}
			b.sweepAt.Store((start + i) % shardCount)
			return removed, err
		}
	}
	return removed, nil
}

// sweepShard removes at most limit expired records of one shard.
func (b *Backend) sweepShard(ctx context.Context, index, limit int) (removed int, err error) {
	s, err := b.openShard(index)
	if errors.Is(err, backend.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer s.close()
	// All names are read before the first file is removed, as some systems
	// leave names out when a directory is changed while it is read.
	var names []string
	if err := s.eachName(func(name string) { names = append(names, name) }); err != nil {
		return 0, err
	}
	for _, name := range names {
		if err := b.interrupted(ctx); err != nil {
			return removed, err
		}
		ok, err := s.sweepFile(ctx, name)
		if err != nil && !errors.Is(err, backend.ErrNotFound) && !errors.Is(err, backend.ErrCorrupt) {
			return removed, err
		}
		if ok {
			removed++
		}
		if removed == limit {
			break
		}
	}
	return removed, nil
}

// interrupted returns an error when a long operation should end.
func (b *Backend) interrupted(ctx context.Context) error {
	select {
	case <-b.closing:
		return backend.ErrClosed
	default:
		return ctx.Err()
	}
}

// sweepFile removes a file that is an expired record or was left behind. It
// reports whether it removed a record.
func (s *shard) sweepFile(ctx context.Context, name string) (bool, error) {
	if strings.HasSuffix(name, tempSuffix) {
		return false, s.sweepTemp(name)
	}
	if !isFileName(name) {
		return false, nil
	}
	if expired, err := s.looksExpired(name); !expired || err != nil {
		return false, err
	}
	l, err := s.b.lockShard(ctx, s.index)
	if err != nil {
		return false, err
	}
	defer l.release()
	rec, err := s.read(name)
	if err != nil || s.b.isLive(rec) {
		return false, err
	}
	// The directory is not flushed: a record that a power cut brings back
	// is still expired.
	if err := s.remove(ctx, name); err != nil {
		return false, err
	}
	return true, nil
}

// sweepTemp removes a file that nobody can be writing any more.
func (s *shard) sweepTemp(name string) error {
	info, err := s.lstat(name)
	if err != nil || s.b.now().Sub(info.ModTime()) < tempAge {
		return err
	}
	return notFound(s.dir.Remove(name))
}

// sweepPings removes what Ping left behind when it was killed.
func (b *Backend) sweepPings() error {
	dir, err := b.root.OpenRoot(".")
	if err != nil {
		return err
	}
	top := &shard{b: b, dir: dir}
	defer top.close()
	var names []string
	err = top.eachName(func(name string) {
		if strings.HasSuffix(name, tempSuffix) {
			names = append(names, name)
		}
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := top.sweepTemp(name); err != nil && !errors.Is(err, backend.ErrNotFound) {
			return err
		}
	}
	return nil
}

// eachName calls f for every name in the directory.
func (s *shard) eachName(f func(name string)) error {
	dir, err := s.dir.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(512)
		for _, name := range names {
			f(name)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
