package sessions

import (
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/codec"
)

// A state is a session as the store holds it, as far as a request knows.
type state struct {
	id, key  string // empty until a new session needs them
	exists   bool   // the store holds a record
	doc      *document
	revision backend.Revision
	created  time.Time
	expires  time.Time // zero: unknown
}

// fresh returns the state of a session that is not stored yet.
func (m *Manager) fresh() state {
	return state{doc: m.blank, created: m.now()}
}

// name gives a state its ID, unless it has one.
func (st *state) name(m *Manager) {
	if st.id == "" {
		st.id = newID()
		st.key = m.storeKey(st.id)
	}
}

// permanent tells whether the cookie outlives the browser.
func permanent(d *document, cdc codec.Codec) bool {
	raw := d.raw(keyPermanent)
	if raw == nil {
		return false
	}
	v, err := as[bool](slot{codec: cdc, raw: raw})
	return err == nil && v
}

// lifetime returns how long a session lives after its last use.
func (m *Manager) lifetime(d *document) time.Duration {
	if raw := d.raw(keyLifetime); raw != nil {
		seconds, err := as[int64](slot{codec: m.cfg.Codec, raw: raw})
		if err == nil && seconds >= 1 && seconds <= int64(maxCookieAge/time.Second) {
			return time.Duration(seconds) * time.Second
		}
	}
	return m.cfg.Lifetime
}

// deadline returns when a session used now will expire.
func (m *Manager) deadline(st *state, d *document, now time.Time) time.Time {
	t := now.Add(m.lifetime(d))
	if m.cfg.AbsoluteLifetime > 0 {
		if end := st.created.Add(m.cfg.AbsoluteLifetime); end.Before(t) {
			return end
		}
	}
	return t
}

// refreshDue tells whether the stored expiry lags so far behind the deadline
// that a write, or else a touch, has to move it.
func (m *Manager) refreshDue(st *state, now, deadline time.Time) bool {
	if st.expires.IsZero() {
		return true
	}
	lag := deadline.Sub(st.expires)
	if m.cfg.RefreshInterval < 0 {
		return lag > 0
	}
	interval := deadline.Sub(now) / 10
	if m.cfg.RefreshInterval > 0 && m.cfg.RefreshInterval < interval {
		interval = m.cfg.RefreshInterval
	}
	return lag >= interval
}

// touchDue returns when a session that is not changed is to expire from now
// on, or the zero time when it may be left as it is. sent tells that no cookie
// can follow.
func (m *Manager) touchDue(st *state, sent bool) time.Time {
	if sent || m.cfg.RefreshInterval == RefreshNever {
		return time.Time{}
	}
	now := m.now()
	until := m.deadline(st, st.doc, now)
	if !m.refreshDue(st, now, until) {
		return time.Time{}
	}
	return until
}

// ttl returns the time from now to a moment, as a Backend takes it.
func ttl(now, until time.Time) time.Duration {
	return max(until.Sub(now), time.Second)
}
