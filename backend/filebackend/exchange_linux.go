package filebackend

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// exchange makes two files of a directory change names, in one step.
func exchange(dir *os.File, a, b string) error {
	for {
		err := unix.Renameat2(int(dir.Fd()), a, int(dir.Fd()), b, unix.RENAME_EXCHANGE)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// cannotExchange reports whether the file system or the kernel does not have
// exchange.
func cannotExchange(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP)
}
