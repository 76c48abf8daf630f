// Package redact keeps secrets out of formatted values.
package redact

import (
	"fmt"
	"io"
	"log/slog"
)

// Text is what is shown in place of a value.
const Text = "[redacted]"

// Opaque shows [Text] in place of the struct that it is embedded in, under
// every verb of package fmt, in log/slog, and in encoding/json and the other
// encoders that ask for text. Its methods need nothing of the struct, so they
// may be called by any number of goroutines at once.
//
// A struct with a mutex is passed around by its pointer, and one without may
// be copied: the methods are promoted to both.
type Opaque struct{}

// String returns [Text].
func (Opaque) String() string { return Text }

// Format writes [Text] whatever the verb. String alone would leave %d.
func (Opaque) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, Text) }

// LogValue returns [Text].
func (Opaque) LogValue() slog.Value { return slog.StringValue(Text) }

// MarshalText returns [Text].
func (Opaque) MarshalText() ([]byte, error) { return []byte(Text), nil }
