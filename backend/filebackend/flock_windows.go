package filebackend

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

// canLock says that there are locks between processes.
const canLock = true

const (
	lockfileFailImmediately = 1
	lockfileExclusiveLock   = 2

	errorLockViolation syscall.Errno = 33
)

var (
	kernel32     = syscall.NewLazyDLL("kernel32.dll")
	lockFileEx   = kernel32.NewProc("LockFileEx")
	unlockFileEx = kernel32.NewProc("UnlockFileEx")
)

// lockRange is where the locked byte is: far behind the content, as Windows
// refuses to read and write what is locked.
func lockRange() *syscall.Overlapped { return &syscall.Overlapped{OffsetHigh: 1} }

// tryLock takes the exclusive lock of an open file unless somebody has it.
func tryLock(f *os.File) (ok bool, err error) {
	r, _, err := lockFileEx.Call(f.Fd(), lockfileExclusiveLock|lockfileFailImmediately,
		0, 1, 0, uintptr(unsafe.Pointer(lockRange())))
	if r != 0 {
		return true, nil
	}
	if errors.Is(err, errorLockViolation) || errors.Is(err, syscall.ERROR_IO_PENDING) {
		return false, nil
	}
	return false, err
}

// unlock releases the lock.
func unlock(f *os.File) {
	unlockFileEx.Call(f.Fd(), 0, 1, 0, uintptr(unsafe.Pointer(lockRange())))
}
