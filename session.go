package sessions

import (
	"cmp"
	"iter"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-session2/sessions/internal/redact"
)

// redacted keeps a type's content out of logs.
type redacted = redact.Opaque

// A Session is the session of one request. It is loaded when it is first
// used, and saved, if it was changed, before the first byte of the response.
//
// Its methods may be called by any number of goroutines at once. It belongs
// to its request: changes made after the response was sent are saved when the
// handler returns if the browser has the session's ID, and reported to
// Config.OnError and Config.Logger otherwise; changes made after the request
// are reported. Values that a method returns may be shared with the session
// and must not be changed by several goroutines at once.
//
// Keys are strings. Those that begin with an underscore are for this package
// and for Flask and its extensions.
//
// Formatted, logged or encoded a Session shows nothing.
type Session struct {
	redacted

	m      *Manager
	r      *http.Request
	header http.Header // of the response
	vary   [1]string   // what may be in it
	began  time.Time

	loading sync.Once
	used    atomic.Bool // there is something to commit
	saving  sync.Mutex  // held while the store is written; taken before mu

	mu       sync.Mutex // guards what follows
	state    state
	isNew    bool
	pending  changes
	sending  *changes // being saved; pending comes on top
	stale    bool     // pending was computed on a state that is not the current
	handouts []handout
	version  int // counts the changes, so that update sees that it was overtaken
	loadErr  error
	seen     bool  // Err told the handler about loadErr
	invalid  error // a change that could not be recorded
	unread   error // a value that could not be returned
	phase    phase
	gone     bool // ended by somebody else: nothing is saved any more
	cookie   cookieChange
	line     string // the Set-Cookie line that is in the header
}

// A phase is how far the response has come.
type phase int

const (
	phaseOpen phase = iota // nothing was sent
	phaseSent              // the header is on its way
	phaseOver              // the request has ended
)

// ID returns the session's ID. It is a secret: whoever has it has the
// session. A new session has its ID from the first call or from when it is
// saved. ID returns "" when the session could not be loaded.
func (s *Session) ID() string {
	if s.load() != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.name(s.m)
	return s.state.id
}

// IsNew tells whether the request came without a stored session: a first
// visit, or the session was unknown, had expired or was destroyed. It stays
// so during the request.
func (s *Session) IsNew() bool {
	if s.load() != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isNew
}

// Get returns the value of a key, with the Go type it was set with for the
// types that the codec keeps (codec.MessagePack: every basic kind, []byte,
// time.Time, time.Duration, and slices and string-keyed maps of these; a
// struct is a map here, [Value] returns it as a struct). It returns nil for a
// key that is absent. A slice, map or pointer that is then changed in place
// counts as set again.
func (s *Session) Get(key string) any {
	v, _ := s.Lookup(key)
	return v
}

// Lookup is Get for a caller that has to tell nil from an absent key.
func (s *Session) Lookup(key string) (value any, ok bool) {
	if s.load() != nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookup(key)
}

func (s *Session) lookup(key string) (any, bool) {
	sl := s.slot(key)
	if !sl.present() {
		return nil, false
	}
	if sl.isValue {
		return sl.value, true
	}
	for i := range s.handouts {
		if h := &s.handouts[i]; h.key == key {
			return h.value, true
		}
	}
	v, err := sl.natural()
	if err != nil {
		s.unread = err
		return nil, false
	}
	if canChange(v) {
		s.handOut(key, v, sl.raw)
	}
	return v, true
}

// slot returns what a key holds as this request sees it. mu is held.
func (s *Session) slot(key string) slot {
	sl := slot{codec: s.m.cfg.Codec}
	for _, c := range []*changes{&s.pending, s.sending} {
		if c == nil {
			continue
		}
		if ch := c.find(key); ch != nil {
			sl.value, sl.isValue = ch.value, true
			return sl
		}
		if c.cleared && !policyKey(key) {
			return sl
		}
	}
	sl.raw = s.state.doc.raw(key)
	return sl
}

func (s *Session) handOut(key string, v any, raw []byte) {
	s.handouts = append(s.handouts, handout{key: key, value: v, raw: raw})
}

// Set gives a key a value. Setting a value that encodes like the stored one
// is no change. A value that the codec cannot encode makes the save fail.
func (s *Session) Set(key string, value any) {
	s.change(func() { s.set(key, value) })
}

func (s *Session) set(key string, value any) {
	s.dropHandouts(key)
	s.pending.set(key, value)
}

// Delete removes a key.
func (s *Session) Delete(key string) { s.Set(key, absent{}) }

// Pop removes a key and returns the value it had, or nil.
func (s *Session) Pop(key string) any {
	var v any
	s.change(func() {
		var ok bool
		if v, ok = s.lookup(key); ok {
			s.set(key, absent{})
		}
	})
	return v
}

// Clear removes all keys, also those that another request adds until this
// one is saved. A session that is left empty is deleted with its cookie. To
// log out, call [Session.Destroy].
func (s *Session) Clear() {
	s.change(func() {
		s.handouts = nil
		s.pending.clear()
	})
}

// change records a change to the session, or reports that it comes too late.
func (s *Session) change(record func()) {
	_ = s.load() // a change on a failed load makes the save fail
	s.mu.Lock()
	over := s.phase == phaseOver
	if !over {
		s.version++
		record()
	}
	s.mu.Unlock()
	if over {
		s.late(errLate)
	}
}

func (s *Session) dropHandouts(key string) {
	s.handouts = slices.DeleteFunc(s.handouts, func(h handout) bool { return h.key == key })
}

// Keys returns the keys in use, in no particular order, without the reserved
// ones _permanent, _lifetime, _flashes, _principal and _login.
func (s *Session) Keys() []string {
	if s.load() != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	seen := make(map[string]bool)
	add := func(key string) {
		if !seen[key] && !hiddenKey(key) && s.slot(key).present() {
			keys = append(keys, key)
		}
		seen[key] = true
	}
	for i := range s.state.doc.len() {
		add(string(s.state.doc.key(i)))
	}
	for _, c := range []*changes{s.sending, &s.pending} {
		if c != nil {
			for i := range c.list {
				add(c.list[i].key)
			}
		}
	}
	return keys
}

// All ranges over the keys that [Session.Keys] returns and their values.
func (s *Session) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, key := range s.Keys() {
			if v, ok := s.Lookup(key); ok && !yield(key, v) {
				return
			}
		}
	}
}

// Len returns the number of keys that [Session.Keys] returns.
func (s *Session) Len() int { return len(s.Keys()) }

// Permanent tells whether the cookie outlives the browser. New sessions are
// permanent unless Config.NonPermanent is set.
func (s *Session) Permanent() bool {
	p, _ := Value[bool](s, keyPermanent)
	return p
}

// SetPermanent says whether the cookie outlives the browser. It is sent anew
// when that changes.
func (s *Session) SetPermanent(permanent bool) { s.Set(keyPermanent, permanent) }

// SetLifetime gives this session a lifetime of its own, in whole seconds, in
// place of Config.Lifetime. It must be between a second and 400 days, else
// nothing changes and the save fails. AbsoluteLifetime still holds.
func (s *Session) SetLifetime(d time.Duration) {
	if d < time.Second || d > maxCookieAge {
		s.change(func() { s.invalid = errLifetime })
		return
	}
	s.Set(keyLifetime, int64(d/time.Second))
}

// Err returns why the session could not be loaded, or why a change could not
// be recorded or a value not be returned, or nil. A handler that has seen a failed load in this way is
// taken to answer for itself: unless it has changed the session, its response
// is sent as it is, without a cookie.
func (s *Session) Err() error {
	err := s.load()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = true
	return cmp.Or(err, s.invalid, s.unread)
}
