package filebackend

import (
	"context"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/go-session2/sessions/backend"
)

// flaskSuffix ends the names that cachelib passes over when it counts and
// removes files: of those that it is writing, and of ours that are no
// sessions.
const flaskSuffix = ".__wz_cache"

// flaskHeader is the length of what comes before the data: the time when the
// session ends, in seconds since 1970 and the byte order of the machine, or 0
// for never.
const flaskHeader = 4

// FlaskLayout implements [backend.FlaskStore]. Both extensions keep pickles
// in files.
func (b *Backend) FlaskLayout() (backend.FlaskLayout, backend.FlaskFormat) {
	if b.flask() {
		return b.layout, backend.FlaskPickle
	}
	return backend.NoFlask, ""
}

func (b *Backend) flask() bool { return b.layout != backend.NoFlask }

// A naming is how a version of cachelib names the file of a key.
type naming struct {
	sum   func(text string) string
	count string // the name of the file that counts the others
}

var (
	md5Names    = newNaming(func(text string) string { sum := md5.Sum([]byte(text)); return hex.EncodeToString(sum[:]) })
	sha256Names = newNaming(fileName) // since cachelib 0.16
)

func newNaming(sum func(string) string) *naming { return &naming{sum, sum("__wz_cache_count")} }

// isFlaskName reports whether a session file can have the name.
func isFlaskName(name string) bool {
	switch {
	case name == md5Names.count, name == sha256Names.count:
		return false
	case len(name) == 2*md5.Size:
		return strings.Trim(name, "0123456789abcdef") == ""
	}
	return isFileName(name)
}

// learnNames finds out which names the Flask application uses, and remembers
// it: what it counted last tells, or else the files that there are.
// Flask-Session2 requires a cachelib before 0.10.
func (b *Backend) learnNames() *naming {
	names := md5Names
	if b.layout == backend.FlaskSession {
		names = b.findNames()
	}
	b.names.Store(names)
	return names
}

func (b *Backend) findNames() *naming {
	old, oldErr := b.root.Lstat(md5Names.count)
	now, nowErr := b.root.Lstat(sha256Names.count)
	switch {
	case oldErr == nil && nowErr == nil && old.ModTime().After(now.ModTime()):
		return md5Names
	case nowErr == nil:
		return sha256Names
	case oldErr == nil:
		return md5Names
	}
	if dir, err := b.root.Open("."); err == nil {
		defer dir.Close()
		for err == nil {
			var list []string
			list, err = dir.Readdirnames(64)
			for _, name := range list {
				if isFlaskName(name) && len(name) == 2*md5.Size {
					return md5Names
				} else if isFlaskName(name) {
					return sha256Names
				}
			}
		}
	}
	return sha256Names
}

// named calls f with the name of a key's file, and again if nothing is there
// and it turns out that the application has begun to use other names.
func (b *Backend) named(key string, f func(name string) error) error {
	names := b.names.Load()
	err := f(names.sum(key))
	if errors.Is(err, backend.ErrNotFound) && b.layout == backend.FlaskSession {
		if again := b.learnNames(); again != names {
			err = f(again.sum(key))
		}
	}
	return err
}

// A flaskRecord is the content of a session file of Flask.
type flaskRecord struct {
	data     []byte
	expires  uint32 // 0 for never
	revision backend.Revision
}

// encodeFlask returns the file of a record and its revision: the data behind a
// zero byte, as it must not be empty.
func encodeFlask(data []byte, expires uint32) (file []byte, rev backend.Revision) {
	file = make([]byte, flaskHeader, flaskHeader+len(data))
	binary.NativeEndian.PutUint32(file, expires)
	file = append(file, data...)
	return file, append(make(backend.Revision, 1, 1+len(data)), data...)
}

func decodeFlask(file []byte) (*flaskRecord, error) {
	if len(file) < flaskHeader {
		return nil, corrupt("it is too short")
	}
	rec := &flaskRecord{data: file[flaskHeader:], expires: binary.NativeEndian.Uint32(file)}
	file[flaskHeader-1] = 0
	rec.revision = backend.Revision(file[flaskHeader-1:])
	return rec, nil
}

// deadlineFlask returns the end of a time to live in seconds, rounded up.
func deadlineFlask(now time.Time, ttl time.Duration) uint32 {
	return uint32(min(now.Add(ttl+time.Second-time.Nanosecond).Unix(), math.MaxUint32))
}

// isLiveFlask reports whether Flask would take a session with an expiry for
// live.
func (b *Backend) isLiveFlask(expires uint32) bool {
	return expires == 0 || !b.now().After(time.Unix(int64(expires), 0))
}

// readFlask returns the record in an open file, also an expired one.
func (s *shard) readFlask(f *os.File, size int64) (*flaskRecord, error) {
	if size > int64(flaskHeader+s.b.maxSize) {
		return nil, corrupt("it is too long")
	}
	file := make([]byte, size)
	if _, err := io.ReadFull(f, file); err != nil && size > 0 {
		return nil, fmt.Errorf("a file became shorter: %w", err)
	}
	return decodeFlask(file)
}

// loadFlask is Load in the layouts of Flask.
func (b *Backend) loadFlask(ctx context.Context, key string) (backend.Record, error) {
	if err := b.begin(ctx); err != nil {
		return backend.Record{}, err
	}
	defer b.life.RUnlock()
	s, err := b.openFlask()
	if err != nil {
		return backend.Record{}, err
	}
	defer s.close()
	var rec *flaskRecord
	err = b.named(key, func(name string) error {
		rec, err = s.liveFlask(name)
		return err
	})
	if err != nil {
		return backend.Record{}, err
	}
	loaded := backend.Record{Data: rec.data, Revision: rec.revision}
	if rec.expires != 0 {
		loaded.Expires = time.Unix(int64(rec.expires), 0)
	}
	return loaded, nil
}

// openFlask opens the directory, in which all sessions are.
func (b *Backend) openFlask() (*shard, error) {
	dir, err := b.root.OpenRoot(".")
	if err != nil {
		return nil, err
	}
	return &shard{b: b, dir: dir}, nil
}

// findFlask returns the record in a file, also an expired one.
func (s *shard) findFlask(name string) (*flaskRecord, error) {
	f, info, err := s.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return s.readFlask(f, info.Size())
}

// liveFlask is findFlask, with ErrNotFound for an expired record.
func (s *shard) liveFlask(name string) (*flaskRecord, error) {
	rec, err := s.findFlask(name)
	if err == nil && !s.b.isLiveFlask(rec.expires) {
		return nil, backend.ErrNotFound
	}
	return rec, err
}
