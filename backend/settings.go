package backend

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Settings are named values, as Flask has them: from a map, where they may
// have any type, or from environment variables, where all are strings. The
// methods convert, and collect what is wrong for [Settings.Err]. Settings are
// for one goroutine. Formatted, logged or encoded they show nothing, as some
// are passwords.
type Settings struct {
	redacted
	values map[string]any
	asked  map[string]bool
	errs   []error
}

// NewSettings returns Settings with the given values. The map is not copied.
// A nil value counts as absent, as None does in Flask.
func NewSettings(values map[string]any) *Settings {
	return &Settings{values: values, asked: make(map[string]bool)}
}

// Lookup returns a setting as it is, for instance a live client. ok is false
// when it is absent.
func (s *Settings) Lookup(name string) (value any, ok bool) {
	s.asked[name] = true
	value = s.values[name]
	return value, value != nil
}

// Reject records that a setting's value cannot be used. want says what can
// be. The value itself is not reported, as it may hold a password.
func (s *Settings) Reject(name, want string) {
	s.errs = append(s.errs, fmt.Errorf("%s must be %s (a %T was given)", name, want, s.values[name]))
}

// Asked tells whether any method has asked for a setting.
func (s *Settings) Asked(name string) bool { return s.asked[name] }

// Err returns all that was wrong with the settings asked for so far, or nil.
func (s *Settings) Err() error { return errors.Join(s.errs...) }

// String returns a setting that is a string, or def when it is absent.
func (s *Settings) String(name, def string) string {
	v, ok := s.Lookup(name)
	if !ok {
		return def
	}
	str, ok := v.(string)
	if !ok {
		s.Reject(name, "a string")
		return def
	}
	return str
}

// Int returns a setting that is a whole number, or def when it is absent. A
// string may be written as Go writes numbers, so 0600 and 0o600 are octal.
func (s *Settings) Int(name string, def int) int {
	v, ok := s.Lookup(name)
	if !ok {
		return def
	}
	switch v := v.(type) {
	case int:
		return v
	case int64:
		if int64(int(v)) == v {
			return int(v)
		}
	case float64: // as encoding/json reads a number
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int(v)
		}
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(v), 0, strconv.IntSize); err == nil {
			return int(n)
		}
	}
	s.Reject(name, "a whole number")
	return def
}

// Bool returns a setting that is a truth value, or def when it is absent. The
// strings 1, true, yes, on and 0, false, no, off are understood in any case.
func (s *Settings) Bool(name string, def bool) bool {
	v, ok := s.Lookup(name)
	if !ok {
		return def
	}
	switch v := v.(type) {
	case bool:
		return v
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "1", "true", "yes", "on":
			return true
		case "0", "false", "no", "off":
			return false
		}
	}
	s.Reject(name, "true or false")
	return def
}

// Duration returns a setting that is a length of time, or def when it is
// absent: a time.Duration, a number of seconds, or a string with either a
// number of seconds or a duration as Go writes it ("90m").
func (s *Settings) Duration(name string, def time.Duration) time.Duration {
	v, ok := s.Lookup(name)
	if !ok {
		return def
	}
	seconds := math.NaN()
	switch v := v.(type) {
	case time.Duration:
		return v
	case int:
		seconds = float64(v)
	case int64:
		seconds = float64(v)
	case float64:
		seconds = v
	case string:
		v = strings.TrimSpace(v)
		if d, err := time.ParseDuration(v); err == nil {
			return d
		}
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			seconds = f
		}
	}
	if d := seconds * float64(time.Second); math.Abs(d) < math.MaxInt64 {
		return time.Duration(d)
	}
	s.Reject(name, "a number of seconds or a duration such as 90m")
	return def
}
