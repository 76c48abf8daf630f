package filebackend

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// A Backend keeps sessions in files. It is a [backend.Backend],
// [backend.Sweeper], [backend.Lister], [backend.Pinger] and [io.Closer]. All
// methods may be called by any number of goroutines at once, and by any
// number of processes that have the directory open.
//
// Errors of the file system are wrapped with the operation and without the
// path, as the name of a file is made from the key of the session.
type Backend struct {
	redacted
	root     *os.Root
	mode     fs.FileMode
	maxSize  int
	flush    bool
	now      func() time.Time
	turns    [shardCount]turn
	layout   backend.FlaskLayout
	names    atomic.Pointer[naming] // in the layouts of Flask
	counting turn                   // for what countFlask does
	between  func()                 // nil but in tests: comes between a comparison and a change
	census   *census                // nil without a limit of sessions
	sweepAt  atomic.Int64

	indexSwept atomic.Int64 // when, in nanoseconds since 1970

	life      sync.RWMutex // held for reading by every method, for writing by Close
	closing   chan struct{}
	closeOnce sync.Once
}

// redacted keeps a Backend out of logs, with what it leads to.
type redacted = redact.Opaque

// Load returns the record under key. Besides the errors of the contract it
// returns [backend.ErrCorrupt] for a file that is damaged or foreign.
func (b *Backend) Load(ctx context.Context, key string) (backend.Record, error) {
	if b.flask() {
		rec, err := b.loadFlask(ctx, key)
		if err != nil {
			return backend.Record{}, failed("load", err)
		}
		return rec, nil
	}
	rec, err := b.load(ctx, key)
	if err != nil {
		return backend.Record{}, failed("load", err)
	}
	return backend.Record{Data: rec.data, Revision: rec.revision, Expires: time.UnixMilli(rec.expires)}, nil
}

func (b *Backend) load(ctx context.Context, key string) (*record, error) {
	if err := b.begin(ctx); err != nil {
		return nil, err
	}
	defer b.life.RUnlock()
	name := fileName(key)
	s, err := b.openShard(shardOf(name))
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.readLive(name)
}

// Create stores data under a key that is not in use. It returns
// [backend.ErrExists] also where there is a corrupt file, [backend.ErrFull]
// as [Config.MaxSessions] says, and [backend.ErrTooLarge] for data over
// [Config.MaxSize] and for a key over 64 KiB.
func (b *Backend) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	create := b.create
	if b.flask() {
		create = b.createFlask
	}
	rev, err := create(ctx, key, data, ttl)
	if err != nil {
		return nil, failed("create", err)
	}
	return rev, nil
}

func (b *Backend) create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	if err := b.begin(ctx); err != nil {
		return nil, err
	}
	defer b.life.RUnlock()
	if err := b.fits(key, data); err != nil {
		return nil, err
	}
	if b.census == nil {
		return b.createOnce(ctx, key, data, ttl)
	}
	if err := b.census.start(ctx); err != nil {
		return nil, err
	}
	for {
		rev, err := b.createOnce(ctx, key, data, ttl)
		if !errors.Is(err, backend.ErrFull) {
			return rev, err
		}
		if room, roomErr := b.census.makeRoom(ctx); roomErr != nil {
			return nil, roomErr
		} else if !room {
			return nil, err
		}
	}
}

// createOnce is Create, which fails when the store is full also when there
// are expired sessions.
func (b *Backend) createOnce(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	name := fileName(key)
	l, err := b.lockShard(ctx, shardOf(name))
	if err != nil {
		return nil, err
	}
	defer l.release()
	s, err := b.makeShard(shardOf(name))
	if err != nil {
		return nil, err
	}
	defer s.close()

	rec, err := s.read(name)
	switch {
	case err == nil && b.isLive(rec):
		if bytes.Equal(rec.data, data) {
			return rec.revision, nil
		}
		return nil, backend.ErrExists
	case errors.Is(err, backend.ErrCorrupt):
		return nil, backend.ErrExists
	case err != nil && !errors.Is(err, backend.ErrNotFound):
		return nil, err
	}
	isNew := rec == nil
	if isNew {
		if err := b.census.add(ctx, s.index, 1); err != nil {
			return nil, err
		}
	}
	file := encode(key, data, deadline(b.now(), ttl))
	if err := s.write(name, file); err != nil {
		if isNew {
			// Without the file there is one session less again; if this
			// fails too, the count is too high, which is repaired later.
			_ = b.census.add(ctx, s.index, -1)
		}
		return nil, err
	}
	return revisionOf(file, key), nil
}

// Update replaces the record under key. Besides the errors of the contract it
// returns [backend.ErrCorrupt], and leaves the file, where it is damaged or
// foreign, and [backend.ErrTooLarge] for data over [Config.MaxSize].
func (b *Backend) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (rev backend.Revision, err error) {
	if b.flask() {
		if rev, err = b.updateFlask(ctx, key, data, ttl, base); err != nil {
			return nil, failed("update", err)
		}
		return rev, nil
	}
	err = b.change(ctx, key, data, func(s *shard, name string) error {
		rec, err := s.readLive(name)
		if err != nil {
			return err
		}
		if !bytes.Equal(rec.revision, base) {
			if bytes.Equal(rec.data, data) {
				rev = rec.revision
				return nil
			}
			return backend.ErrConflict
		}
		file := encode(key, data, deadline(b.now(), ttl))
		rev = revisionOf(file, key)
		return s.write(name, file)
	})
	if err != nil {
		return nil, failed("update", err)
	}
	return rev, nil
}

// Touch makes the record under key live for ttl from now unless it already
// lives longer. It keeps the revision. It returns [backend.ErrCorrupt] for a
// file that is damaged or foreign.
func (b *Backend) Touch(ctx context.Context, key string, ttl time.Duration) error {
	if b.flask() {
		if err := b.touchFlask(ctx, key, ttl); err != nil {
			return failed("touch", err)
		}
		return nil
	}
	err := b.change(ctx, key, nil, func(s *shard, name string) error {
		rec, err := s.readLive(name)
		if err != nil {
			return err
		}
		expires := deadline(b.now(), ttl)
		if rec.expires >= expires {
			return nil
		}
		if stored, err := s.setTime(name, expires); stored || err != nil {
			return err
		}
		return s.write(name, encode(key, rec.data, expires))
	})
	if err != nil {
		return failed("touch", err)
	}
	return nil
}

// Delete removes the record under key. With a base it returns
// [backend.ErrCorrupt] for a file that is damaged or foreign; without one it
// removes the file. It works when the disk is full.
func (b *Backend) Delete(ctx context.Context, key string, base backend.Revision) error {
	if b.flask() {
		err := b.deleteFlask(ctx, key, base)
		if err != nil && !(len(base) == 0 && errors.Is(err, backend.ErrNotFound)) {
			return failed("delete", err)
		}
		return nil
	}
	err := b.change(ctx, key, nil, func(s *shard, name string) error {
		if len(base) > 0 {
			rec, err := s.readLive(name)
			if err != nil {
				return err
			}
			if !bytes.Equal(rec.revision, base) {
				return backend.ErrConflict
			}
		}
		if err := s.remove(ctx, name); err != nil {
			return err
		}
		return s.sync()
	})
	if err != nil && !(len(base) == 0 && errors.Is(err, backend.ErrNotFound)) {
		return failed("delete", err)
	}
	return nil
}

// change calls f with the directory of the key open and locked. It returns
// ErrNotFound without a lock where there is no file, so that wrong keys make
// no lock files.
func (b *Backend) change(ctx context.Context, key string, data []byte, f func(s *shard, name string) error) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	defer b.life.RUnlock()
	if err := b.fits("", data); err != nil {
		return err
	}
	name := fileName(key)
	s, err := b.openShard(shardOf(name))
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.lstat(name); err != nil {
		return err
	}
	l, err := b.lockShard(ctx, s.index)
	if err != nil {
		return err
	}
	defer l.release()
	return f(s, name)
}

// fits returns ErrTooLarge for what is never stored.
func (b *Backend) fits(key string, data []byte) error {
	if len(data) > b.maxSize {
		return backend.TooLarge(len(data), b.maxSize)
	}
	if len(key) > maxKey {
		return fmt.Errorf("key: %w", backend.TooLarge(len(key), maxKey))
	}
	return nil
}

func (b *Backend) isLive(rec *record) bool { return b.now().UnixMilli() < rec.expires }

// Ping makes an empty file in the directory and removes it. So it fails when
// the directory was removed, cannot be written to or has no room.
func (b *Backend) Ping(ctx context.Context) error {
	if err := b.ping(ctx); err != nil {
		return failed("ping", err)
	}
	return nil
}

func (b *Backend) ping(ctx context.Context) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	defer b.life.RUnlock()
	name := b.newTempName()
	f, err := b.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = f.Close()
	if removeErr := b.root.Remove(name); removeErr != nil {
		return removeErr
	}
	return err
}

// Close waits for the operations that are under way, but not for those that
// wait for another process, and releases the directory. Afterwards every
// method returns [backend.ErrClosed]. It may be called more than once.
func (b *Backend) Close() error {
	var err error
	b.closeOnce.Do(func() {
		close(b.closing)
		b.life.Lock()
		defer b.life.Unlock()
		err = b.root.Close()
	})
	if err != nil {
		return failed("close", err)
	}
	return nil
}

// begin begins an operation, which ends with life.RUnlock.
func (b *Backend) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.life.RLock()
	select {
	case <-b.closing:
		b.life.RUnlock()
		return backend.ErrClosed
	default:
		return nil
	}
}

// newTempName returns a name for a file that is being written.
func (b *Backend) newTempName() string {
	if b.flask() {
		return rand.Text() + flaskSuffix
	}
	return rand.Text() + tempSuffix
}

// failed wraps an error with the operation, and takes the paths out.
func failed(op string, err error) error {
	return fmt.Errorf("filesystem: %s: %w", op, withoutPath(err))
}

func withoutPath(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	for {
		switch {
		case errors.As(err, &path):
			err = path.Err
		case errors.As(err, &link):
			err = link.Err
		case errors.As(err, &call):
			err = call.Err
		default:
			return err
		}
	}
}
