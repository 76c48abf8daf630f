package filebackend

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-session2/sessions/backend"
)

const (
	defaultMode    fs.FileMode = 0o600
	defaultMaxSize             = 16 << 20
)

// A Config says where and how to keep sessions.
type Config struct {
	// Dir is the directory. It is made, with its parents and with mode
	// 0700, when it is not there. It must not be a symbolic link, must
	// belong to the user that the process runs as, and must not be writable
	// for everybody. Required: there is no default, as the system's
	// directory for temporary files is everybody's.
	Dir string

	// Flask is the extension of Flask in whose layout the sessions are, for
	// sessions.FlaskCompatible. Default: none, the layout of this package.
	Flask backend.FlaskLayout

	// Mode is the permission bits of the session files, whatever the umask
	// is. The owner must be able to read and write, and not everybody may
	// write. Default: 0600. Windows has no such bits.
	Mode fs.FileMode

	// MaxSessions is how many sessions there may be. When it is reached,
	// Create removes expired sessions until there is room, and returns
	// [backend.ErrFull] when none of them has expired. A live session is
	// never removed to make room. Default 0: no limit, and nothing is
	// counted.
	//
	// The count is kept in the directory and is exact between processes as
	// long as all of them have a limit; corrupt files count too. A killed
	// process may leave it too high, never too low. It is made right by a
	// new process before its first Create, and before a Create is refused.
	// A search for room that found none is not repeated before ten times
	// its own duration has passed, so that a full store costs little.
	//
	// In the layouts of Flask it must be 0: there the Flask application has
	// a threshold of its own, over which it removes also live sessions.
	MaxSessions int

	// MaxSize is how many bytes of data one session may have, up to 1 GiB.
	// More is [backend.ErrTooLarge]; a file with more is corrupt.
	// Default 0: 16 MiB.
	MaxSize int

	// NoSync says not to flush files and directories to the disk. It is
	// much faster. A crash of the process still tears and loses nothing,
	// but a power cut or a crash of the system may lose the newest writes,
	// bring back sessions that were just deleted, and leave files that are
	// reported as corrupt. Default: false.
	NoSync bool
}

// New opens the directory, and makes it when it is not there. It returns an
// error, which says what to do, for a Config that cannot be used and for a
// directory that is not safe.
func New(cfg Config) (*Backend, error) {
	switch {
	case !canLock:
		return nil, errors.New("filesystem: sessions in files need file locks, which this operating system does not have; use another session type")
	case cfg.Dir == "":
		return nil, errors.New("filesystem: no directory is set; name one that only this program's user can write to (SESSION_FILE_DIR, Config.Dir)")
	case !validMode(cfg.Mode):
		return nil, fmt.Errorf("filesystem: file mode %#o cannot be used; the owner must be able to read and write, everybody must not write, and nothing but permissions may be set, for example 0o600", uint32(cfg.Mode))
	case cfg.MaxSessions < 0:
		return nil, errors.New("filesystem: the limit of sessions is negative; 0 means no limit")
	case cfg.Flask < backend.NoFlask || cfg.Flask > backend.FlaskSession:
		return nil, errors.New("filesystem: Config.Flask is not NoFlask, FlaskSession2 or FlaskSession of package backend")
	case cfg.Flask != backend.NoFlask && cfg.MaxSessions > 0:
		return nil, errors.New("filesystem: Config.MaxSessions must be 0 in the layout of a Flask extension, where Flask's own threshold is the limit")
	case cfg.MaxSize < 0 || cfg.MaxSize > 1<<30:
		return nil, errors.New("filesystem: Config.MaxSize must be from 1 byte to 1 GiB, or 0 for 16 MiB")
	}
	root, err := openDir(filepath.Clean(cfg.Dir))
	if err != nil {
		return nil, fmt.Errorf("filesystem: session directory: %w", err)
	}
	b := &Backend{
		root:    root,
		mode:    cfg.Mode,
		maxSize: cfg.MaxSize,
		flush:   !cfg.NoSync,
		layout:  cfg.Flask,
		now:     time.Now,
		closing: make(chan struct{}),
	}
	if b.mode == 0 {
		b.mode = defaultMode
	}
	if b.maxSize == 0 {
		b.maxSize = defaultMaxSize
	}
	for i := range b.turns {
		b.turns[i] = make(turn, 1)
	}
	if cfg.MaxSessions > 0 {
		b.census = newCensus(b, cfg.MaxSessions)
	}
	if b.flask() {
		b.counting = make(turn, 1)
		b.learnNames()
	}
	return b, nil
}

// validMode reports whether session files can have the mode, or 0 for the
// default.
func validMode(m fs.FileMode) bool {
	return m == 0 || m&^0o777 == 0 && m&0o600 == 0o600 && m&0o002 == 0
}

// openDir opens the session directory when it is safe to keep sessions in.
func openDir(dir string) (*os.Root, error) {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeDir(dir); err == nil {
			info, err = os.Lstat(dir)
		}
	}
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil, fmt.Errorf("%s is a symbolic link; name the directory that it points to", dir)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory; remove it or name another", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	// What was opened is checked, as the name may mean another by now.
	opened, err := root.Stat(".")
	if err == nil && !os.SameFile(info, opened) {
		err = fmt.Errorf("%s was replaced while it was opened", dir)
	}
	if err == nil {
		err = checkDir(dir, opened)
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return root, nil
}

// makeDir makes a directory with its parents, and flushes the directories
// that were there before or are new, as a new session is no safer than they
// are.
func makeDir(dir string) error {
	parent := filepath.Dir(dir)
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) { // another process was faster
			return nil
		}
		return err
	}
	f, err := os.Open(parent)
	if errors.Is(err, fs.ErrPermission) { // one may enter a parent and not read it
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return syncDir(f)
}
