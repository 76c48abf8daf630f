package sessions

import (
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
	ctx := s.m.detached(s.r.Context())
	defer ctx.end()
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	gone, sent := s.gone, s.phase != phaseOpen
	if gone && !sent {
		s.pending = changes{}
	}
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
	old := st.key
	st, err = w.rotate(st, &batch, replay)
	s.settle(st, cookieSet, w.merged, err)
	w.did(EventRotated, st.key)
	w.tell(old, old, err)
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
	outcome := endNone
	w.m.ended.begin(old.key, next.key)
	defer func() { w.m.ended.finish(old.key, next.key, outcome) }()
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
			err = w.writeError(w.m.store(old.doc).Delete(w.ctx, old.key, old.revision))
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
		outcome = endMoved
		return next, nil
	}
}

// rewrite replaces the content of the record that rotate has created.
func (w *writer) rewrite(st state, doc *document) (state, error) {
	data, err := w.m.encode(st, doc)
	if err != nil {
		return st, err
	}
	store := w.m.storeFor(st.doc, doc, false)
	rev, err := store.Update(w.ctx, st.key, data, ttl(w.m.now(), st.expires), st.revision)
	if err != nil {
		return st, storeErrorOrGone(w.op, goneError(err)) // gone by a Destroy
	}
	st.doc, st.revision = doc, rev
	return st, nil
}

// fail makes the response fail.
func (s *Session) fail(err error) {
	s.mu.Lock()
	s.invalid = err
	s.mu.Unlock()
}
