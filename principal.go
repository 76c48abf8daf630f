package sessions

import (
	"errors"
	"time"
)

// Login makes the session that of a principal, the name or number by which
// the application knows a user, under a new ID, and saves it: all that a
// sign-in needs, in one call. When it returns nil the ID from before is dead
// and the new one is in the store. What the visitor did before the sign-in,
// such as filling a cart, is kept, unless it was as another principal: then
// the session is emptied first.
//
// With Config.MaxPerPrincipal it ends the principal's oldest sessions above
// that number. It returns ErrGone when another request has ended this session
// meanwhile, or so many others have signed in at the same moment that this
// session is one of the oldest; ErrValue for an empty principal; and
// otherwise what [Session.Regenerate] and [Session.Save] do.
func (s *Session) Login(principal string) error {
	if principal == "" {
		return errPrincipal
	}
	if err := s.load(); err != nil {
		return err
	}
	if old := s.Principal(); old != "" && old != principal {
		s.Clear()
	}
	at, err := s.m.loginTime(s, principal)
	if err == nil {
		s.stamp(principal, at)
		err = s.renew()
	}
	if err == nil {
		err = s.m.evict(s, principal)
	}
	if err != nil && !errors.Is(err, ErrGone) {
		s.fail(err) // also so that nothing of it is saved under the old ID
	}
	return err
}

// renew saves the session under an ID that nobody has known before.
func (s *Session) renew() error {
	s.mu.Lock()
	stored := s.state.exists
	s.mu.Unlock()
	if err := s.Regenerate(); err != nil {
		return err
	}
	if !stored {
		return s.Save()
	}
	s.showCookie()
	return nil
}

// Logout ends the session, as [Session.Destroy] does.
func (s *Session) Logout() error { return s.Destroy() }

// Principal returns whose session this is, or "" when nobody has signed in.
func (s *Session) Principal() string {
	p, _ := Value[string](s, keyPrincipal)
	return p
}

// SetPrincipal says whose session this is, so that [Manager.Sessions] and
// [Manager.RevokeAll] find it once it is saved; "" says nobody's. It changes
// nothing else: to sign a user in, call [Session.Login], which also gives the
// session a new ID.
func (s *Session) SetPrincipal(principal string) {
	if s.Principal() != principal {
		s.stamp(principal, s.m.now())
	}
}

func (s *Session) stamp(principal string, at time.Time) {
	s.change(func() {
		if principal == "" {
			s.set(keyPrincipal, absent{})
			s.set(keyLogin, absent{})
			return
		}
		s.set(keyPrincipal, principal)
		s.set(keyLogin, at.UnixMilli())
	})
}

// Handle returns a name for the session that may be shown and logged: it is
// no ID, nor does it lead to one. It changes with the ID. See [Info]. It
// returns "" when the session could not be loaded.
func (s *Session) Handle() string {
	if s.ID() == "" {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m.handle(s.state.key)
}

// Manager returns the Manager that keeps the session, for [Manager.Sessions]
// and the like.
func (s *Session) Manager() *Manager { return s.m }
