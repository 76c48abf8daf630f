package backend

import (
	"fmt"
	"log/slog"

	"github.com/go-session2/sessions/internal/redact"
)

// redacted keeps a type's content out of logs.
type redacted = redact.Opaque

// Format writes a constant, whatever the verb: a Revision may be the data.
func (Revision) Format(s fmt.State, verb rune) { redacted{}.Format(s, verb) }

// LogValue returns a constant.
func (Revision) LogValue() slog.Value { return redacted{}.LogValue() }

// MarshalText returns a constant.
func (Revision) MarshalText() ([]byte, error) { return redacted{}.MarshalText() }
