//go:build unix

package filebackend

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openNow keeps the opening of a named pipe from waiting for its other end.
const openNow = syscall.O_NONBLOCK

// checkDir returns an error when others than the user of this process could
// have put files into the directory.
func checkDir(dir string, info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.Perm()&0o002 != 0 && mode&fs.ModeSticky != 0:
		return fmt.Errorf("%s is writable for everybody, as directories for temporary files are; name another directory", dir)
	case mode.Perm()&0o002 != 0:
		return fmt.Errorf("%s is writable for everybody; run \"chmod 0700 %[1]s\", or name another directory", dir)
	case !isOurs(info):
		return fmt.Errorf("%s belongs to another user than %d, which this process runs as; name another directory, or run \"chown %[2]d %[1]s\"", dir, os.Geteuid())
	}
	return nil
}

// isOurs reports whether a file belongs to the user of this process.
func isOurs(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

// syncDir flushes a directory. Some file systems cannot, and say so with
// these errors; then there is no more to be done.
func syncDir(dir *os.File) error {
	err := dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
