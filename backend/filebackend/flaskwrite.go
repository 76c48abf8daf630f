package filebackend

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/go-session2/sessions/backend"
)

// Programs of this package take locks before they change a file. A Flask
// application takes none: it renames its file over what is there, at any
// moment. So a file is first put into its place, or taken out of it, in one
// step, and what that has displaced is looked at afterwards. When it is not
// what was to be replaced, Flask was faster, and it is put back.

// createFlask is Create in the layouts of Flask.
func (b *Backend) createFlask(ctx context.Context, key string, data []byte, ttl time.Duration) (rev backend.Revision, err error) {
	if err := b.begin(ctx); err != nil {
		return nil, err
	}
	defer b.life.RUnlock()
	if err := b.fits(key, data); err != nil {
		return nil, err
	}
	names := b.learnNames()
	name := names.sum(key)
	s, unlock, err := b.lockFlask(ctx, name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	file, rev := encodeFlask(data, deadlineFlask(b.now(), ttl))
	for {
		_, err := s.findFlask(name)
		if errors.Is(err, backend.ErrNotFound) {
			if err = s.place(name, file); err == nil {
				b.countFlask(ctx, names, 1)
			}
		} else if err == nil {
			err = s.swap(name, file, s.expired)
		}
		switch {
		case err == nil:
			return rev, nil
		case errors.Is(err, backend.ErrNotFound): // the expired one was removed
		case errors.Is(err, backend.ErrCorrupt), errors.Is(err, fs.ErrExist), errors.Is(err, backend.ErrConflict):
			return nil, backend.ErrExists
		default:
			return nil, err
		}
	}
}

// updateFlask is Update in the layouts of Flask.
func (b *Backend) updateFlask(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	file, rev := encodeFlask(data, deadlineFlask(b.now(), ttl))
	return rev, b.changeFlask(ctx, key, data, func(s *shard, name string) error {
		return s.swap(name, file, s.at(base))
	})
}

// touchFlask is Touch in the layouts of Flask. It changes the expiry in its
// place: if Flask replaces the file meanwhile, it has set another one.
func (b *Backend) touchFlask(ctx context.Context, key string, ttl time.Duration) error {
	return b.changeFlask(ctx, key, nil, func(s *shard, name string) error {
		f, info, err := s.openAs(name, os.O_RDWR)
		if err != nil {
			return err
		}
		defer f.Close()
		rec, err := s.readFlask(f, info.Size())
		if err != nil {
			return err
		}
		expires := deadlineFlask(b.now(), ttl)
		switch {
		case !b.isLiveFlask(rec.expires):
			return backend.ErrNotFound
		case rec.expires == 0 || rec.expires >= expires:
			return nil
		}
		_, err = f.WriteAt(binary.NativeEndian.AppendUint32(nil, expires), 0)
		return err
	})
}

// deleteFlask is Delete in the layouts of Flask.
func (b *Backend) deleteFlask(ctx context.Context, key string, base backend.Revision) error {
	return b.changeFlask(ctx, key, nil, func(s *shard, name string) error {
		var err error
		if len(base) > 0 {
			err = s.takeOut(name, s.at(base))
		} else {
			err = notFound(s.dir.Remove(name))
		}
		if err != nil {
			return err
		}
		b.countFlask(ctx, b.names.Load(), -1)
		return s.sync()
	})
}

// changeFlask is change in the layouts of Flask.
func (b *Backend) changeFlask(ctx context.Context, key string, data []byte, f func(s *shard, name string) error) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	defer b.life.RUnlock()
	if err := b.fits("", data); err != nil {
		return err
	}
	return b.named(key, func(name string) error {
		if _, err := b.root.Lstat(name); err != nil {
			return notFound(err)
		}
		s, unlock, err := b.lockFlask(ctx, name)
		if err != nil {
			return err
		}
		defer unlock()
		return f(s, name)
	})
}

// lockFlask keeps other programs of this package from changing a file.
func (b *Backend) lockFlask(ctx context.Context, name string) (*shard, func(), error) {
	l, err := b.lockShard(ctx, shardOf(name))
	if err != nil {
		return nil, nil, err
	}
	s, err := b.openFlask()
	if err != nil {
		l.release()
		return nil, nil, err
	}
	return s, func() { s.close(); l.release() }, nil
}

// A condition returns an error unless the file with a name is what is to be
// changed.
type condition func(name string) error

// at is the condition that a live record is at a revision.
func (s *shard) at(base backend.Revision) condition {
	return func(name string) error {
		rec, err := s.liveFlask(name)
		if err == nil && !bytes.Equal(rec.revision, base) {
			err = backend.ErrConflict
		}
		return err
	}
}

// expired is the condition that a record has expired.
func (s *shard) expired(name string) error {
	rec, err := s.findFlask(name)
	if err == nil && s.b.isLiveFlask(rec.expires) {
		err = backend.ErrConflict
	}
	return err
}

// place puts a file where there is none, else it returns fs.ErrExist.
func (s *shard) place(name string, content []byte) error {
	temp, dir, err := s.prepare(content)
	if err != nil {
		return err
	}
	defer dir.Close()
	defer s.discard(temp)
	s.pause()
	if err := s.putBack(temp, name); err != nil {
		return err
	}
	return s.flush(dir)
}

// putBack gives a temporary file a name that no file has.
func (s *shard) putBack(temp, name string) error {
	err := s.dir.Link(temp, name)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// The file system has no hard links, which leaves a moment for others.
	if _, err := s.lstat(name); err == nil {
		return fs.ErrExist
	}
	return s.dir.Rename(temp, name)
}

// discard removes a temporary file; Sweep does so otherwise.
func (s *shard) discard(temp string) { _ = s.dir.Remove(temp) }

// takeOut removes a file if it meets a condition.
func (s *shard) takeOut(name string, expected condition) error {
	if err := expected(name); err != nil {
		return err
	}
	s.pause()
	temp := s.b.newTempName()
	if err := s.dir.Rename(name, temp); err != nil {
		return notFound(err)
	}
	defer s.discard(temp)
	err := expected(temp)
	if err != nil {
		// If there is a file by now, it is newer than this one.
		if back := s.putBack(temp, name); back != nil && !errors.Is(back, fs.ErrExist) {
			return back
		}
	}
	return err
}

// swap puts a file in the place of one that meets a condition.
func (s *shard) swap(name string, content []byte, expected condition) error {
	if err := expected(name); err != nil {
		return err
	}
	temp, dir, err := s.prepare(content)
	if err != nil {
		return err
	}
	defer dir.Close()
	defer s.discard(temp)
	// While it is open, no other file can be taken for it.
	ours, placed, err := s.open(temp)
	if err != nil {
		return err
	}
	defer ours.Close()
	if err := expected(name); err != nil {
		return err
	}
	s.pause()
	err = exchange(dir, temp, name)
	if cannotExchange(err) { // a file that Flask writes in this moment is lost
		err = s.dir.Rename(temp, name)
		if err == nil {
			err = s.flush(dir)
		}
		return err
	}
	if err != nil {
		return notFound(err)
	}
	if err := expected(temp); err != nil {
		return errors.Join(err, s.restore(dir, temp, name, placed))
	}
	return s.flush(dir)
}

// restore gives a file that was displaced by mistake its name back, unless
// Flask has removed the file which is there now. Where it is not the one that
// was placed there, it is a newer one: then that one is put back in turn.
func (s *shard) restore(dir *os.File, temp, name string, placed fs.FileInfo) error {
	for {
		f, next, err := s.open(temp)
		if err != nil {
			return err
		}
		defer f.Close() // not before the end, see swap
		s.pause()
		if err := exchange(dir, temp, name); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		out, err := s.lstat(temp)
		if err != nil || os.SameFile(out, placed) {
			return err
		}
		placed = next
	}
}

// pause lets a test do something between a comparison and a change.
func (s *shard) pause() {
	if s.b.between != nil {
		s.b.between()
	}
}
