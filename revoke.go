package sessions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-session2/sessions/backend"
)

const (
	// firstLooks is how many looks end also what is signed in meanwhile.
	firstLooks = 10

	// maxLooks bounds how often the index is looked at for one call. Each
	// look after the second means that the sessions have changed meanwhile.
	maxLooks = 1000
)

// Sessions returns the live sessions of a principal, the last that was signed
// in first. It takes one command for the list and one for each session,
// whatever else is in the store. A session that cannot be read is left out
// and reported to Config.Logger.
//
// The error is an ErrNoIndex when the store cannot find them, an
// ErrUnavailable when it failed.
func (m *Manager) Sessions(ctx context.Context, principal string) ([]Info, error) {
	states, err := m.settled(ctx, "list", principal)
	if err != nil {
		return nil, err
	}
	infos := make([]Info, len(states))
	for i := range states {
		infos[len(infos)-1-i] = m.info(&states[i])
	}
	return infos, nil
}

// RevokeAll ends all sessions of a principal and returns how many it has
// ended. Each is as dead as after [Session.Destroy], and none that was saved
// or regenerated before or during the call escapes: when it returns nil, it
// has looked again and found none. One that is signed in after that last look
// is a new session, and so are those of somebody who signs in again and again
// faster than they can be ended: it does not wait for the end of that. After a
// change of the password, store the new one first.
//
// It costs what [Manager.Sessions] does, a command for each session that it
// ends, and two more looks. On an error, of which the kinds are those of
// Sessions, n sessions were ended and others may not be. A session that cannot
// be read is not ended, as nothing shows that it is the principal's; that is
// an ErrCorrupt when all the others were ended.
func (m *Manager) RevokeAll(ctx context.Context, principal string) (n int, err error) {
	return m.revoke(ctx, principal, "")
}

// RevokeOthers ends all sessions of the principal of s but s itself, as
// [Manager.RevokeAll] does: to sign out everywhere else. It is an ErrGone when
// s was ended meanwhile by another request of this process, and an ErrValue
// when nobody is signed in.
func (m *Manager) RevokeOthers(ctx context.Context, s *Session) (n int, err error) {
	if err := s.load(); err != nil {
		return 0, err
	}
	principal := s.Principal()
	if principal == "" {
		return 0, fmt.Errorf("sessions: revoke: %w", errNobody)
	}
	s.mu.Lock()
	gone, key := s.gone, s.state.key
	s.mu.Unlock()
	if gone || s.m.endedHere(key, s.began) {
		return 0, fmt.Errorf("sessions: revoke: %w", ErrGone)
	}
	return m.revoke(ctx, principal, key)
}

// Revoke ends the one session of a principal that has a handle, as
// [Info] and [Session.Handle] return it. It is an ErrGone when there is none.
func (m *Manager) Revoke(ctx context.Context, principal, handle string) error {
	states, err := m.settled(ctx, "revoke", principal)
	if err != nil {
		return err
	}
	for i := range states {
		if m.handle(states[i].key) == handle {
			return m.end(ctx, &states[i])
		}
	}
	return fmt.Errorf("sessions: revoke: %w", ErrGone)
}

// revoke ends all sessions of a principal but the one under a key.
//
// A session that moves to a new ID has the new record in the index before the
// old one is deleted. So a look that sees neither, because the store cannot
// look at all entries at one moment, is followed by one that sees the new. Two
// looks in a row that find nothing to end are the end.
//
// Where new sessions come faster than that, it is enough that two looks in a
// row find none of those that the first looks have found. They are known by
// when they were signed in, which a new ID does not change.
func (m *Manager) revoke(ctx context.Context, principal, keep string) (n int, err error) {
	type birth struct{ created, login int64 }
	known := make(map[birth]bool)
	for clean, looks := 0, 0; clean < 2; looks++ {
		if looks == maxLooks {
			return n, fmt.Errorf("sessions: revoke: %w: sessions change faster than they can be ended", ErrUnavailable)
		}
		seen, err := m.look(ctx, "revoke", principal)
		if err != nil {
			return n, err
		}
		clean++
		if seen.moved && looks < firstLooks {
			clean = 0
		}
		for i := range seen.states {
			st := &seen.states[i]
			if st.key == keep {
				continue
			}
			b := birth{st.created.UnixMilli(), loginOf(st.doc, m.cfg.Codec).UnixMilli()}
			if looks < firstLooks {
				known[b] = true
			}
			if known[b] {
				clean = 0
			}
			err := m.end(ctx, st)
			switch {
			case err == nil:
				n++
			case !errors.Is(err, ErrGone): // by itself, or it has moved and is looked for
				return n, err
			}
		}
		if clean == 2 && seen.corrupt != nil {
			return n, seen.corrupt
		}
	}
	return n, nil
}

// end ends a session as [Session.Destroy] does.
func (m *Manager) end(ctx context.Context, st *state) error {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.Timeout)
	defer cancel()
	return m.destroy(ctx, m.store(st.doc), st.key, st.revision, time.Now())
}

// settled returns the sessions of a principal, the oldest first, as they were
// at some moment of the call.
func (m *Manager) settled(ctx context.Context, op, principal string) ([]state, error) {
	var seen look
	var err error
	for range 3 { // one that moves all the time may be left out
		if seen, err = m.look(ctx, op, principal); err != nil {
			return nil, err
		}
		if !seen.moved {
			break
		}
	}
	if seen.corrupt != nil {
		m.log(ctx, "session failure", seen.corruptKey, seen.corrupt)
	}
	return seen.states, nil
}

// A look is what the index has of a principal.
type look struct {
	states  []state // live, and with this very principal; the oldest first
	moved   bool    // some have ended since the index was asked
	corrupt error   // some cannot be read

	corruptKey string // of one of these
}

// look asks the index for a principal, and each record that it names whether
// it is the principal's.
func (m *Manager) look(ctx context.Context, op, principal string) (seen look, err error) {
	ix, err := m.index(principal)
	if err != nil {
		return seen, fmt.Errorf("sessions: %s: %w", op, err)
	}
	if principal == "" {
		return seen, nil
	}
	bounded, cancel := context.WithTimeout(ctx, m.cfg.Timeout)
	keys, err := ix.Owned(bounded)
	cancel()
	if err != nil {
		return seen, storeError(op, err)
	}
	for _, key := range keys {
		bounded, cancel := context.WithTimeout(ctx, m.cfg.Timeout)
		st, err := m.read(bounded, "", key)
		cancel()
		switch {
		case errors.Is(err, backend.ErrNotFound):
			seen.moved = true
		case errors.Is(err, ErrCorrupt):
			seen.corrupt, seen.corruptKey = storeError(op, err), key
		case err != nil:
			return seen, storeError(op, err)
		case m.overdue(&st): // dead already, though still there
		case principalOf(st.doc, m.cfg.Codec) == principal:
			seen.states = append(seen.states, st)
		}
	}
	slices.SortFunc(seen.states, m.byLogin)
	return seen, nil
}

// byLogin compares sessions by when their principal was set, in an order that
// all processes agree on.
func (m *Manager) byLogin(a, b state) int {
	return cmp.Or(loginOf(a.doc, m.cfg.Codec).Compare(loginOf(b.doc, m.cfg.Codec)), cmp.Compare(a.key, b.key))
}

// loginTime returns the time to note for a sign-in. Where the oldest sessions
// are ended it is after all that the principal has, so that a clock that is
// behind makes no new session the oldest.
func (m *Manager) loginTime(s *Session, principal string) (time.Time, error) {
	now := m.now()
	if m.cfg.MaxPerPrincipal == 0 {
		return now, nil
	}
	ctx := m.detached(s.r.Context())
	defer ctx.end()
	states, err := m.settled(ctx, "limit", principal)
	if err != nil {
		return now, err
	}
	if len(states) > 0 {
		last := loginOf(states[len(states)-1].doc, m.cfg.Codec)
		if !last.Before(now.Truncate(time.Millisecond)) {
			return last.Add(time.Millisecond), nil
		}
	}
	return now, nil
}

// evict ends the principal's oldest sessions above Config.MaxPerPrincipal. Of
// several sign-ins at once each sees the sessions of those that have saved
// theirs before, and all agree which are the oldest: so whoever is last leaves
// no more than there may be, and one of them may find its own too old.
func (m *Manager) evict(s *Session, principal string) error {
	if m.cfg.MaxPerPrincipal == 0 {
		return nil
	}
	ctx := m.detached(s.r.Context())
	defer ctx.end()
	for again := true; again; {
		seen, err := m.look(ctx, "limit", principal)
		if err != nil {
			return err
		}
		again = seen.moved
		excess := len(seen.states) - m.cfg.MaxPerPrincipal
		for i := range max(0, excess) {
			st := &seen.states[i]
			err := m.end(ctx, st)
			if errors.Is(err, ErrGone) {
				again = true
			} else if err != nil {
				return err
			}
			if s.forfeits(st.key) {
				return fmt.Errorf("sessions: login: %w", ErrGone)
			}
		}
	}
	return nil
}

// forfeits tells whether a session that was ended is s, and then leaves
// nothing of s to be saved or sent.
func (s *Session) forfeits(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.key != key {
		return false
	}
	s.pending = changes{}
	s.giveUp()
	return true
}
