package sessions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-session2/sessions/backend"
)

// Destroy deletes the session from the store, at once, and removes the
// cookie: it is how to log out. When it returns nil the ID is dead, and
// requests still running under it cannot revive it. A change afterwards
// starts a fresh session under a new ID. Without a session it does nothing.
//
// Destroy beats Regenerate: of two requests that run at the same time, one
// that destroys the session and one that regenerates it, the outcome is no
// session. Either Regenerate returns ErrGone, or the session that it has made
// is destroyed as well. That takes the same process, which remembers where
// the session has gone. When another process has ended the session since this
// request loaded it, nothing here tells whether it goes on under a new ID:
// then Destroy returns ErrGone and leaves the cookie alone. Two requests that
// destroy the same session both succeed. It is an ErrUnavailable when the
// store failed, and an ErrCommitted after the request.
func (s *Session) Destroy() error {
	// The ID is all that is needed: a session that was not loaded yet is
	// not loaded for this.
	loaded := true
	s.loading.Do(func() { loaded = false; s.used.Store(true) })
	ctx := s.m.detached(s.r.Context())
	defer ctx.end()
	s.saving.Lock()
	defer s.saving.Unlock()

	s.mu.Lock()
	over, gone := s.phase == phaseOver, s.gone
	known := loaded && s.loadErr == nil
	st := s.state
	s.mu.Unlock()
	if over {
		return errLate
	}
	// A session that another request has ended already takes no cookie of
	// ours: the browser may have a new one.
	already := false
	var err error
	switch {
	case known && st.exists:
		already = s.m.endedHere(st.key, s.began)
		err = s.m.destroy(ctx, s.m.store(st.doc), st.key, st.revision, s.began)
	case !known || gone:
		for _, id := range s.m.cookieIDs(s.r, nil) {
			key := s.m.storeKey(id)
			already = already || s.m.endedHere(key, s.began)
			if err = s.m.destroy(ctx, s.m.cfg.Backend, key, nil, s.began); err != nil {
				break
			}
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case errors.Is(err, ErrGone):
		if !known {
			s.state, s.isNew, s.loadErr = s.m.fresh(), true, nil
		}
		s.pending, s.handouts = changes{}, nil
		s.giveUp()
		return err
	case err != nil:
		if !loaded {
			s.state, s.loadErr = s.m.fresh(), err
		}
		s.invalid = err
		return err
	}
	s.state, s.isNew, s.loadErr, s.invalid, s.unread = s.m.fresh(), true, nil, nil, nil
	s.pending, s.sending, s.stale, s.gone, s.handouts = changes{}, nil, false, false, nil
	s.version++
	s.cookie = cookieKeep
	switch {
	case already:
		s.withdrawLine()
	case s.line != "" || hasCookie(s.r, s.m.cfg.Name):
		s.cookie = cookieRemove
	}
	return nil
}

// endedHere tells whether a session was destroyed in this process after a
// time. One that was regenerated goes on.
func (m *Manager) endedHere(key string, began time.Time) bool {
	x, _ := m.ended.how(key, began)
	return x.kind == endDestroyed || x.kind == endDeleted
}

// destroy ends a session for a request that began at a time, through store,
// which is the backend or a view of its index. With a base, a revision that
// was seen since then, it makes sure that the session does not go on elsewhere.
func (m *Manager) destroy(ctx context.Context, store backend.Backend, key string, base backend.Revision, began time.Time) error {
	m.ended.begin(key, "")
	err := m.remove(ctx, store, key, base)
	switch {
	case err == nil && base != nil:
		m.ended.finish(key, "", endDestroyed)
		m.event(ctx, EventDestroyed, key)
		return nil
	case err == nil, errors.Is(err, backend.ErrNotFound):
		if err == nil {
			m.event(ctx, EventDestroyed, key)
		}
		err = m.follow(ctx, key, base != nil, began)
		m.ended.finish(key, "", endDeleted)
		return err
	}
	m.ended.finish(key, "", endNone)
	err = storeError("destroy", err)
	m.failed(ctx, "destroy", key, err)
	return err
}

// remove deletes a record at whatever revision it is. With a base it is an
// ErrNotFound when the record is gone already.
func (m *Manager) remove(ctx context.Context, store backend.Backend, key string, base backend.Revision) error {
	for {
		err := store.Delete(ctx, key, base)
		if !errors.Is(err, backend.ErrConflict) {
			return err
		}
		rec, err := m.cfg.Backend.Load(ctx, key)
		switch {
		case err == nil:
			base = rec.Revision
		case errors.Is(err, backend.ErrCorrupt):
			base = nil
		default:
			return err
		}
	}
}

// follow destroys what became of a session whose record is absent. It returns
// ErrGone when that is not known, if the session was seen alive.
func (m *Manager) follow(ctx context.Context, key string, seen bool, began time.Time) error {
	x, coming := m.ended.how(key, began)
	for _, next := range coming {
		// Nobody has this ID yet. If the session is going to have it, this
		// ends it; else the record is about to be deleted anyway.
		if err := m.destroy(ctx, m.cfg.Backend, next, nil, began); err != nil {
			return err
		}
	}
	switch {
	case x.kind == endMoved:
		rec, err := m.cfg.Backend.Load(ctx, x.next)
		switch {
		case err == nil:
			return m.destroy(ctx, m.cfg.Backend, x.next, rec.Revision, began)
		case errors.Is(err, backend.ErrNotFound):
			return m.follow(ctx, x.next, true, began)
		}
		return storeError("destroy", err)
	case x.kind == endDestroyed, !seen:
		return nil
	}
	return fmt.Errorf("sessions: destroy: %w", ErrGone)
}
