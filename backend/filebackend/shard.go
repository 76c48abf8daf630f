package filebackend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/go-session2/sessions/backend"
)

// shardCount is how many directories the sessions are spread over. A million
// sessions are 4,000 files in each, which every file system finds fast, and
// an operator can look at 256 directories.
const shardCount = 256

// tempSuffix ends the name of a file that is being written.
const tempSuffix = ".tmp"

// shardOf returns the directory for a file name.
func shardOf(name string) int {
	n, _ := strconv.ParseUint(name[:2], 16, 8)
	return int(n)
}

func shardName(index int) string { return fmt.Sprintf("%02x", index) }

// A shard is one directory of session files, open. All names that its methods
// take are in it: so they need no further file descriptor for the directory,
// and cleaning up works when there are no more of them.
type shard struct {
	b     *Backend
	index int
	dir   *os.Root
}

// openShard opens a directory. It returns ErrNotFound when it is not there.
func (b *Backend) openShard(index int) (*shard, error) {
	dir, err := b.root.OpenRoot(shardName(index))
	if err != nil {
		return nil, notFound(err)
	}
	return &shard{b, index, dir}, nil
}

// makeShard opens a directory, and makes it when it is not there.
func (b *Backend) makeShard(index int) (*shard, error) {
	s, err := b.openShard(index)
	if !errors.Is(err, backend.ErrNotFound) {
		return s, err
	}
	if err := b.root.Mkdir(shardName(index), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if b.flush {
		top, err := b.root.Open(".")
		if err != nil {
			return nil, err
		}
		defer top.Close()
		if err := syncDir(top); err != nil {
			return nil, err
		}
	}
	dir, err := b.root.OpenRoot(shardName(index))
	if err != nil {
		return nil, err
	}
	return &shard{b, index, dir}, nil
}

func (s *shard) close() { s.dir.Close() }

// lockShard keeps other goroutines and processes from changing a directory.
func (b *Backend) lockShard(ctx context.Context, index int) (*lock, error) {
	return b.lock(ctx, shardName(index), b.turns[index])
}

// lstat returns ErrNotFound when there is no file.
func (s *shard) lstat(name string) (fs.FileInfo, error) {
	info, err := s.dir.Lstat(name)
	return info, notFound(err)
}

// open opens a session file for reading when it can be one.
func (s *shard) open(name string) (*os.File, fs.FileInfo, error) {
	return s.openAs(name, os.O_RDONLY)
}

// openAs is open with another access mode.
func (s *shard) openAs(name string, flag int) (*os.File, fs.FileInfo, error) {
	// Looked at before it is opened, as a link would be followed and a
	// device may do something when it is opened; and then once more.
	info, err := s.lstat(name)
	if err == nil {
		err = checkFile(info)
	}
	if err != nil {
		return nil, nil, err
	}
	f, err := s.dir.OpenFile(name, flag|openNow, 0)
	if err != nil {
		return nil, nil, notFound(err)
	}
	if info, err = f.Stat(); err == nil {
		err = checkFile(info)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// checkFile returns ErrCorrupt for a file that this package did not make.
func checkFile(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return corrupt("it is no regular file")
	}
	if !isOurs(info) {
		return corrupt("it belongs to another user")
	}
	return nil
}

// read returns the record in a file, also an expired one. It returns
// ErrNotFound when there is no file.
func (s *shard) read(name string) (*record, error) {
	f, info, err := s.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() > int64(overhead+maxKey+s.b.maxSize) {
		return nil, corrupt("it is too long")
	}
	buf := make([]byte, info.Size())
	if _, err := io.ReadFull(f, buf); errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		return nil, corrupt("it became shorter")
	} else if err != nil {
		return nil, err
	}
	rec, err := decode(buf)
	if err != nil {
		return nil, err
	}
	if fileName(rec.key) != name {
		return nil, corrupt("it is the record of another key")
	}
	if len(rec.data) > s.b.maxSize {
		return nil, corrupt("it is too long")
	}
	rec.expires = max(rec.expires, info.ModTime().UnixMilli())
	return rec, nil
}

// readLive is read, with ErrNotFound for an expired record.
func (s *shard) readLive(name string) (*record, error) {
	rec, err := s.read(name)
	if err == nil && !s.b.isLive(rec) {
		return nil, backend.ErrNotFound
	}
	return rec, err
}

// looksExpired reports whether a file seems to be an expired record, from its
// modification time or, when that is past, from its first bytes alone.
func (s *shard) looksExpired(name string) (bool, error) {
	info, err := s.lstat(name)
	if err != nil || s.b.isLive(&record{expires: info.ModTime().UnixMilli()}) {
		return false, err
	}
	f, info, err := s.open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var buf [keyAt]byte
	n, err := io.ReadFull(f, buf[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	h, err := decodeHead(buf[:n])
	if err != nil {
		return false, err
	}
	return !s.b.isLive(&record{expires: max(h.expires, info.ModTime().UnixMilli())}), nil
}

// write puts a file in the place of what was there, in one step. The shard
// must be locked.
func (s *shard) write(name string, content []byte) error {
	temp, dir, err := s.prepare(content)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := s.dir.Rename(temp, name); err != nil {
		_ = s.dir.Remove(temp) // Sweep removes it otherwise
		return err
	}
	return s.flush(dir)
}

// prepare writes a temporary file. It also opens the directory, before the
// first step that cannot be undone.
func (s *shard) prepare(content []byte) (temp string, dir *os.File, err error) {
	temp = s.b.newTempName()
	f, err := s.dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", nil, err
	}
	dir, err = s.dir.Open(".")
	if err == nil {
		err = s.fill(f, temp, content)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr // some file systems report a full disk here
	}
	if err != nil {
		_ = s.dir.Remove(temp)
		if dir != nil {
			dir.Close()
		}
		return "", nil, err
	}
	return temp, dir, nil
}

// flush makes the changes of an open directory last.
func (s *shard) flush(dir *os.File) error {
	if !s.b.flush {
		return nil
	}
	return syncDir(dir)
}

func (s *shard) fill(f *os.File, name string, content []byte) error {
	if _, err := f.Write(content); err != nil {
		return err
	}
	// So that Sweep need not open it. A file system that cannot store the
	// time costs Sweep that, and nothing else. A file of Flask's has no head.
	if h, err := decodeHead(content); err == nil {
		_ = s.dir.Chtimes(name, time.Time{}, time.UnixMilli(h.expires))
	}
	if err := f.Chmod(s.b.mode); err != nil { // unlike the mode at opening, without the umask
		return err
	}
	if s.b.flush {
		return f.Sync()
	}
	return nil
}

// setTime sets the modification time of a file. stored is false when the file
// system cannot store a time as late as that.
func (s *shard) setTime(name string, ms int64) (stored bool, err error) {
	if err := s.dir.Chtimes(name, time.Time{}, time.UnixMilli(ms)); err != nil {
		return false, err
	}
	info, err := s.lstat(name)
	if err != nil {
		return false, err
	}
	return info.ModTime().UnixMilli() >= ms, nil
}

// remove removes a session file. The shard must be locked.
func (s *shard) remove(ctx context.Context, name string) error {
	if err := s.dir.Remove(name); err != nil {
		return notFound(err)
	}
	// If this fails, the count is too high, which is repaired later.
	_ = s.b.census.add(ctx, s.index, -1)
	return nil
}

// sync flushes the directory.
func (s *shard) sync() error {
	if !s.b.flush {
		return nil
	}
	dir, err := s.dir.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return s.flush(dir)
}

// notFound turns the error for a missing file into ErrNotFound.
func notFound(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return backend.ErrNotFound
	}
	return err
}
