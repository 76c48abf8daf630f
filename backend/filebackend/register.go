package filebackend

import (
	"io/fs"

	"github.com/go-session2/sessions/backend"
)

// defaultDir is the directory without SESSION_FILE_DIR, as in Flask.
const defaultDir = "flask_session"

func init() { backend.Register("filesystem", open) }

// open opens the session type "filesystem", with the settings that the
// package comment lists.
func open(s *backend.Settings) (backend.Backend, error) {
	cfg := Config{
		Dir:         s.String("SESSION_FILE_DIR", defaultDir),
		MaxSessions: s.Int("SESSION_FILE_THRESHOLD", 0),
		Flask:       s.FlaskLayout(),
	}
	mode := s.Int("SESSION_FILE_MODE", int(defaultMode))
	if mode <= 0 || mode > 0o777 || !validMode(fs.FileMode(mode)) {
		s.Reject("SESSION_FILE_MODE", "octal permissions that let the owner read and write and not everybody write, such as 0o600")
	}
	if cfg.MaxSessions < 0 {
		s.Reject("SESSION_FILE_THRESHOLD", "a number of sessions, or 0 for no limit")
	}
	if cfg.Flask != backend.NoFlask {
		cfg.MaxSessions = 0 // the setting is Flask's
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	cfg.Mode = fs.FileMode(mode)
	b, err := New(cfg)
	if err != nil {
		return nil, err
	}
	return b, nil
}
