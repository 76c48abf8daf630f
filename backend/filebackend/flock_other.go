//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package filebackend

import (
	"errors"
	"os"
)

const canLock = false

func tryLock(*os.File) (ok bool, err error) { return false, errors.ErrUnsupported }

func unlock(*os.File) {}
