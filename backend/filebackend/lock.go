package filebackend

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/go-session2/sessions/backend"
)

// lockDir is the directory of the lock files. They are made when they are
// needed and never removed: a process that waits for a removed one would not
// exclude those that come later.
const lockDir = "locks"

func (b *Backend) lockDir() string {
	if b.flask() {
		return lockDir + flaskSuffix
	}
	return lockDir
}

// A process that waits for another one tries again after these times. The
// lock is held for one write, and there is no lock with a deadline to wait
// for without a thread of its own.
const (
	firstRetry = 50 * time.Microsecond
	lastRetry  = 5 * time.Millisecond
)

// A turn excludes the goroutines of one Backend from each other, which a file
// lock would do only with a wait; it has room for one.
type turn chan struct{}

// A lock is held by one goroutine of one process.
type lock struct {
	turn turn
	file *os.File
}

// lock waits for the lock file with this name, and for the turn that goes
// with it.
func (b *Backend) lock(ctx context.Context, name string, turn turn) (*lock, error) {
	select {
	case turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-b.closing:
		return nil, backend.ErrClosed
	}
	f, err := b.openLock(name)
	if err == nil {
		if err = b.waitLock(ctx, f); err != nil {
			f.Close()
		}
	}
	if err != nil {
		<-turn
		return nil, err
	}
	return &lock{turn, f}, nil
}

func (l *lock) release() {
	unlock(l.file)
	l.file.Close()
	<-l.turn
}

func (b *Backend) openLock(name string) (*os.File, error) {
	const flag = os.O_RDWR | os.O_CREATE
	path := b.lockDir() + "/" + name
	f, err := b.root.OpenFile(path, flag, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err = b.root.Mkdir(b.lockDir(), 0o700); err == nil || errors.Is(err, fs.ErrExist) {
			f, err = b.root.OpenFile(path, flag, 0o600)
		}
	}
	return f, err
}

func (b *Backend) waitLock(ctx context.Context, f *os.File) error {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		if ok, err := tryLock(f); ok || err != nil {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		case <-b.closing:
			return backend.ErrClosed
		}
	}
}
