package filebackend

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"github.com/go-session2/sessions/backend"
)

// sweepFlask is Sweep in the layouts of Flask.
func (b *Backend) sweepFlask(ctx context.Context, limit int) (removed int, err error) {
	if err := b.begin(ctx); err != nil {
		return 0, err
	}
	defer b.life.RUnlock()
	if limit < 1 {
		return 0, nil
	}
	s, err := b.openFlask()
	if err != nil {
		return 0, err
	}
	defer s.close()
	var names []string
	if err := s.eachName(func(name string) { names = append(names, name) }); err != nil {
		return 0, err
	}
	for _, name := range names {
		if err := b.interrupted(ctx); err != nil {
			return removed, err
		}
		ok, err := s.sweepFlaskFile(ctx, name)
		if err != nil && !errors.Is(err, backend.ErrNotFound) && !errors.Is(err, backend.ErrCorrupt) && !errors.Is(err, backend.ErrConflict) {
			return removed, err
		}
		if ok {
			removed++
		}
		if removed == limit {
			break
		}
	}
	return removed, nil
}

// sweepFlaskFile is sweepFile in the layouts of Flask.
func (s *shard) sweepFlaskFile(ctx context.Context, name string) (bool, error) {
	if strings.HasSuffix(name, flaskSuffix) && name != s.b.lockDir() {
		return false, s.sweepTemp(name)
	}
	if !isFlaskName(name) {
		return false, nil
	}
	if expired, err := s.looksExpiredFlask(name); !expired || err != nil {
		return false, err
	}
	_, unlock, err := s.b.lockFlask(ctx, name)
	if err != nil {
		return false, err
	}
	err = s.takeOut(name, s.expired)
	unlock()
	if err != nil {
		return false, err
	}
	s.b.countFlask(ctx, s.b.names.Load(), -1)
	return true, nil
}

// looksExpiredFlask is looksExpired in the layouts of Flask.
func (s *shard) looksExpiredFlask(name string) (bool, error) {
	f, _, err := s.open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var header [flaskHeader]byte
	if _, err := io.ReadFull(f, header[:]); err != nil {
		return false, corrupt("it is too short")
	}
	return !s.b.isLiveFlask(binary.NativeEndian.Uint32(header[:])), nil
}
