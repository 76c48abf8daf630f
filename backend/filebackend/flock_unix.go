//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package filebackend

import (
	"errors"
	"os"
	"syscall"
)

// canLock says that there are locks between processes.
const canLock = true

// tryLock takes the exclusive lock of an open file unless somebody has it.
func tryLock(f *os.File) (ok bool, err error) {
	err = flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// unlock releases the lock. To close the file would not be enough: a process
// that is being started by this one may have it open for a moment longer.
func unlock(f *os.File) { _ = flock(f, syscall.LOCK_UN) } // closing it unlocks as well

func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); err != syscall.EINTR {
			return err
		}
	}
}
