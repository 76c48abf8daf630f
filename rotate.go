package sessions

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-session2/sessions/backend"
)

// Regenerate gives the session a new ID, at once, and keeps its data. Call it
// whenever somebody signs in or gains rights, so that an ID that was known
// before is worth nothing afterwards. It saves the changes made so far.
//
// When Regenerate returns nil the old ID is dead, and requests that are still
// running under it can neither revive it nor write into the new session. It
// returns ErrGone when another request has ended or regenerated the session
// first, and ErrCommitted when the response was already sent. A session that
// is not stored yet has no ID that anybody knows, so there is nothing to do.
// The absolute lifetime goes on.
func (s *Session) Regenerate() error {
	if err := s.load(); err != nil {
		return err
	}
	ctx, cancel := s.m.detached(s.r.Context())
	defer cancel()
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	gone, sent := s.gone, s.phase != phaseOpen
	s.mu.Unlock()
	switch {
	case sent:
		return fmt.Errorf("sessions: regenerate: %w", ErrCommitted)
	case gone:
		return fmt.Errorf("sessions: regenerate: %w", ErrGone)
	}
	batch, st, replay, err := s.take()
	if err != nil {
		return err
	}
	if !st.exists {
		st.id, st.key = "", ""
		s.mu.Lock()
		s.pending, s.sending, s.state = *s.sending, nil, st
		s.mu.Unlock()
		return nil
	}
	w := writer{m: s.m, ctx: ctx, op: "regenerate"}
	st, err = w.rotate(st, &batch, replay)
	s.settle(st, cookieSet, w.merged, err)
	if err != nil && !errors.Is(err, ErrGone) {
		s.fail(err)
	}
	return err
}

// rotate moves the session to a new ID: first it creates the new record, which
// nobody knows yet, then it deletes the old one if it still is what was
// copied. A crash in between leaves an unreachable record, never two sessions.
func (w *writer) rotate(old state, batch *changes, replay bool) (state, error) {
	defer w.endTurn()
	next := state{created: old.created}
	next.name(w.m)
	for {
		doc, _, err := batch.apply(old.doc, w.m.cfg.Codec, replay || w.merged)
		if err != nil {
			return old, fmt.Errorf("sessions: regenerate: %w", err)
		}
		if !next.exists {
			next, err = w.m.createRecord(w.ctx, next, doc)
		} else {
			next, err = w.rewrite(next, doc)
		}
		if err == nil {
			err = w.writeError(w.m.cfg.Backend.Delete(w.ctx, old.key, old.revision))
		}
		if err == nil {
			w.m.ended.add(old.key)
		}
		if errors.Is(err, backend.ErrConflict) {
			old, err = w.reload(old)
			if err == nil {
				continue
			}
		}
		if err != nil {
			// Nobody knows the new ID; if this fails too, the record expires.
			_ = w.m.cfg.Backend.Delete(w.ctx, next.key, nil)
			return old, err
		}
		return next, nil
	}
}

// rewrite replaces the content of the record that rotate has created.
func (w *writer) rewrite(st state, doc *document) (state, error) {
	data, err := w.m.encode(st, doc)
	if err != nil {
		return st, err
	}
	rev, err := w.m.cfg.Backend.Update(w.ctx, st.key, data, ttl(w.m.now(), st.expires), st.revision)
	if err != nil {
		return st, storeError("regenerate", err)
	}
	st.doc, st.revision = doc, rev
	return st, nil
}

// Destroy deletes the session from the store, at once, and removes the
// cookie: it is how to log out. When it returns nil the ID is dead, and
// requests still running under it cannot revive it. A change afterwards
// starts a fresh session under a new ID. Without a session it does nothing.
func (s *Session) Destroy() error {
	// The ID is all that is needed: a session that was not loaded yet is
	// not loaded for this.
	loaded := true
	s.loading.Do(func() { loaded = false; s.used.Store(true) })
	ctx, cancel := s.m.detached(s.r.Context())
	defer cancel()
	s.saving.Lock()
	defer s.saving.Unlock()

	s.mu.Lock()
	over := s.phase == phaseOver
	known := loaded && s.loadErr == nil
	var keys []string
	if known && s.state.exists {
		keys = []string{s.state.key}
	}
	s.mu.Unlock()
	if over {
		return errLate
	}
	if !known {
		for _, id := range s.m.cookieIDs(s.r) {
			keys = append(keys, s.m.storeKey(id))
		}
	}
	err := s.m.deleteAll(ctx, keys)

	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
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
	if s.line != "" || hasCookie(s.r, s.m.cfg.Name) {
		s.cookie = cookieRemove
	}
	return nil
}

func (m *Manager) deleteAll(ctx context.Context, keys []string) error {
	for _, key := range keys {
		if err := m.cfg.Backend.Delete(ctx, key, nil); err != nil {
			return storeError("destroy", err)
		}
		m.ended.add(key)
	}
	return nil
}

// fail makes the response fail.
func (s *Session) fail(err error) {
	s.mu.Lock()
	s.invalid = err
	s.mu.Unlock()
}
