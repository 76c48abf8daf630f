package filebackend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/go-session2/sessions/backend"
)

var _ backend.Indexer = (*Backend)(nil)

const (
	// ownersDir is the directory of the index of owners.
	ownersDir = "owners"

	// indexSweepInterval is how often Sweep looks through the index.
	indexSweepInterval = time.Hour
)

// Indexed implements [backend.Indexer]: the records of an owner are empty
// files, with the names of the session files, in a directory of the owner. There
// is none beside the files of Flask, which counts what is in the directory.
//
// An entry is made when the session file is there. So when that is absent the
// entry is of no use any more; Owned removes it, and so does Sweep.
func (b *Backend) Indexed(owner string) (backend.Index, error) {
	if b.flask() {
		return nil, fmt.Errorf("filesystem: %w: sessions that Flask stores would be missing from it", backend.ErrNoIndex)
	}
	name := fileName(owner) // as file systems may ignore case
	return view{Backend: b, dir: ownersDir + "/" + name[:2] + "/" + name}, nil
}

// A view writes records for an owner.
type view struct {
	*Backend
	dir string
}

// Create makes the entry when the session is stored. As long as it has not
// returned, nobody has the session's ID.
func (v view) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	rev, err := v.Backend.Create(ctx, key, data, ttl)
	if err != nil {
		return nil, err
	}
	if err := v.own(ctx, key); err != nil {
		// Then there is no session, as far as anybody is told.
		_ = v.Backend.Delete(context.WithoutCancel(ctx), key, nil)
		return nil, failed("create", err)
	}
	return rev, nil
}

// Update makes the entry first, as the session's ID is in use.
func (v view) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	if err := v.own(ctx, key); err != nil {
		return nil, failed("update", err)
	}
	return v.Backend.Update(ctx, key, data, ttl, base)
}

// Touch makes the entry first.
func (v view) Touch(ctx context.Context, key string, ttl time.Duration) error {
	if err := v.own(ctx, key); err != nil {
		return failed("touch", err)
	}
	return v.Backend.Touch(ctx, key, ttl)
}

// Delete also removes the entry. That this fails is no matter.
func (v view) Delete(ctx context.Context, key string, base backend.Revision) error {
	err := v.Backend.Delete(ctx, key, base)
	if err == nil && v.begin(ctx) == nil {
		defer v.life.RUnlock()
		_ = v.root.Remove(v.dir + "/" + fileName(key))
	}
	return err
}

// own makes the entry of a record, and flushes it, unless it is there.
func (v view) own(ctx context.Context, key string) error {
	if err := v.begin(ctx); err != nil {
		return err
	}
	defer v.life.RUnlock()
	if err := v.fits(key, nil); err != nil {
		return err
	}
	entry := v.dir + "/" + fileName(key)
	for {
		f, err := v.root.OpenFile(entry, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		switch {
		case errors.Is(err, fs.ErrExist):
			return nil
		case errors.Is(err, fs.ErrNotExist): // or a sweeper has removed the directory
			if err := v.makeDir(); err != nil {
				return err
			}
			if err := v.interrupted(ctx); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		return v.syncPath(v.dir)
	}
}

// makeDir makes the directory of the owner and those above it.
func (v view) makeDir() error {
	if err := v.root.MkdirAll(v.dir, 0o700); err != nil {
		return err
	}
	for _, dir := range []string{v.dir[:len(ownersDir)+3], ownersDir, "."} {
		if err := v.syncPath(dir); err != nil {
			return err
		}
	}
	return nil
}

func (b *Backend) syncPath(name string) error {
	if !b.flush {
		return nil
	}
	dir, err := b.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) { // removed, as it was empty
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	return syncDir(dir)
}

// Owned implements [backend.Index]. It reads the sessions of the owner, as
// their names do not tell their keys.
func (v view) Owned(ctx context.Context) ([]string, error) {
	keys, err := v.keys(ctx)
	if err != nil {
		return nil, failed("list by owner", err)
	}
	return keys, nil
}

func (v view) keys(ctx context.Context) (keys []string, err error) {
	if err := v.begin(ctx); err != nil {
		return nil, err
	}
	defer v.life.RUnlock()
	for {
		names, err := v.entries(v.dir)
		if err != nil {
			return nil, err
		}
		keys = nil
		dead := 0
		for _, name := range names {
			if err := v.interrupted(ctx); err != nil {
				return nil, err
			}
			rec, err := v.readNamed(name)
			switch {
			case err == nil:
				keys = append(keys, rec.key)
			case errors.Is(err, backend.ErrNotFound):
				dead++
				if err := v.root.Remove(v.dir + "/" + name); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return nil, err
				}
			case !errors.Is(err, backend.ErrCorrupt): // which is no session
				return nil, err
			}
		}
		if dead == 0 {
			return keys, nil
		}
		// Those may have moved after the directory was read.
	}
}

// readNamed returns the live record in a session file.
func (b *Backend) readNamed(name string) (*record, error) {
	s, err := b.openShard(shardOf(name))
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.readLive(name)
}

// entries returns the names in a directory of the index that may be ours. It
// is no error when the directory is not there.
func (b *Backend) entries(name string) (names []string, err error) {
	dir, err := b.root.OpenRoot(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := &shard{b: b, dir: dir}
	defer s.close()
	err = s.eachName(func(name string) {
		if isFileName(name) {
			names = append(names, name)
		}
	})
	return names, err
}

// sweepIndex removes the entries whose session files are gone, and empty
// directories, once in an interval.
func (b *Backend) sweepIndex(ctx context.Context) error {
	last, now := b.indexSwept.Load(), b.now().UnixNano()
	if now-last < int64(indexSweepInterval) || !b.indexSwept.CompareAndSwap(last, now) {
		return nil
	}
	for i := range shardCount {
		part := ownersDir + "/" + shardName(i)
		owners, err := b.entries(part)
		if err != nil {
			return err
		}
		for _, owner := range owners {
			if err := b.sweepOwner(ctx, part+"/"+owner); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Backend) sweepOwner(ctx context.Context, dir string) error {
	names, err := b.entries(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := b.interrupted(ctx); err != nil {
			return err
		}
		_, err := b.root.Lstat(shardName(shardOf(name)) + "/" + name)
		if errors.Is(err, fs.ErrNotExist) {
			err = b.root.Remove(dir + "/" + name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	_ = b.root.Remove(dir) // which fails unless it is empty
	return nil
}
