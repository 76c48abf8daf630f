//go:build !linux

package filebackend

import (
	"errors"
	"os"
)

func exchange(_ *os.File, _, _ string) error { return errors.ErrUnsupported }

func cannotExchange(err error) bool { return errors.Is(err, errors.ErrUnsupported) }
