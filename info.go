package sessions

import "time"

// An Info describes one session of a principal, for a page that lists where
// somebody is signed in.
type Info struct {
	// Handle names the session for [Manager.Revoke]. It may be shown: it is
	// a hash, of no use as a cookie. It changes with the session's ID.
	Handle string

	// Created is when the session began, and SignedIn when it became the
	// principal's, by the clock of the program that wrote it.
	Created, SignedIn time.Time

	// Used is when the session was last used, up to Config.RefreshInterval
	// before its last use. It is zero when that is not known: the store
	// does not tell the expiry, or Config.AbsoluteLifetime has cut it.
	Used time.Time

	// Expires is when the session will end if it is not used any more. It
	// is zero when the store does not say.
	Expires time.Time

	st *state // behind pointers, so that formatting shows none of it
	m  *Manager
}

// Get returns what the session holds under a key, as [Session.Get] does: for
// instance the name of the browser, if the application has kept it there. A
// value that cannot be decoded is nil.
func (i Info) Get(key string) any {
	if i.st == nil {
		return nil
	}
	sl := slot{codec: i.m.cfg.Codec, raw: i.st.doc.raw(key)}
	if !sl.present() {
		return nil
	}
	v, err := sl.natural()
	if err != nil {
		return nil
	}
	return v
}

// Is tells whether i describes a request's own session.
func (i Info) Is(s *Session) bool { return i.Handle != "" && i.Handle == s.Handle() }

// info describes a stored session.
func (m *Manager) info(st *state) Info {
	i := Info{
		Handle:   m.handle(st.key),
		Created:  st.created,
		SignedIn: loginOf(st.doc, m.cfg.Codec),
		Expires:  st.expires,
		st:       st, m: m,
	}
	if st.expires.IsZero() {
		return i
	}
	if a := m.cfg.AbsoluteLifetime; a == 0 || st.expires.Before(st.created.Add(a-time.Second)) {
		i.Used = st.expires.Add(-m.lifetime(st.doc))
	}
	return i
}
