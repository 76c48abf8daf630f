package sessions

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

var errOverdue = fmt.Errorf("%w: absolute lifetime is over", ErrGone)

// rejectedCookies tells of the cookies that are no ID of ours. It looks at the
// same number of them as cookieIDs does, however many a client sends.
func (m *Manager) rejectedCookies(r *http.Request) {
	if m.cfg.OnEvent == nil {
		return
	}
	n := 0
	eachCookie(r, m.cfg.Name, func(value string) bool {
		reason := ReasonMalformed
		id, ok := value, true
		if m.cfg.Signer != nil {
			if id, ok = m.cfg.Signer.Verify(m.cfg.Name, value); !ok {
				reason = ReasonSignature
			}
		}
		if !ok || !m.knowsID(id) {
			m.emit(r.Context(), "", Event{Kind: EventRejected, Reason: reason})
		}
		n++
		return n < maxCandidates
	})
}

// rejected tells of an ID that has brought no session.
func (m *Manager) rejected(ctx context.Context, id string, err error) {
	if m.cfg.OnEvent == nil {
		return
	}
	e := Event{Kind: EventRejected, Reason: ReasonUnknown}
	switch {
	case errors.Is(err, errOverdue):
		e.Reason = ReasonExpired
	case errors.Is(err, ErrCorrupt):
		e.Reason, e.Err = ReasonCorrupt, err
	case errors.Is(err, ErrAmbiguous):
		e.Reason, e.Err = ReasonAmbiguous, err
	}
	m.emit(ctx, m.storeKey(id), e)
}

// loaded tells how the loading of a session has ended.
func (s *Session) loaded(ids []string, st *state, err error) {
	switch {
	case s.m.cfg.OnEvent == nil:
	case st.exists:
		s.m.event(s.r.Context(), EventLoaded, st.key)
	case err != nil && !errors.Is(err, ErrAmbiguous): // else rejected
		s.m.failed(s.r.Context(), "load", s.m.storeKey(ids[0]), err)
	}
}

// unsaved tells of a save that did not get as far as the store. That the load
// has failed was told before.
func (s *Session) unsaved(ctx context.Context, err error) {
	if s.m.cfg.OnEvent == nil {
		return
	}
	s.mu.Lock()
	told := s.loadErr != nil && errors.Is(err, s.loadErr)
	s.mu.Unlock()
	if !told {
		s.m.failed(ctx, "save", s.logKey(), err)
	}
}

// swept tells how a sweep has ended.
func (m *Manager) swept(ctx context.Context, removed int, took time.Duration, err error) {
	if removed > 0 && m.cfg.OnEvent != nil {
		m.emit(ctx, "", Event{Kind: EventExpired, Count: removed, Duration: took})
	}
	if err != nil {
		m.failed(ctx, "sweep", "", err)
	}
}

// did notes what the writer has done to the session under a key.
func (w *writer) did(kind EventKind, key string) { w.kind, w.key = kind, key }

// tell tells what came of the write of the session under a key.
func (w *writer) tell(key, previous string, err error) {
	m := w.m
	if m.cfg.OnEvent == nil {
		return
	}
	if err != nil {
		m.failed(w.ctx, w.op, key, err)
		return
	}
	if w.kind != "" {
		e := Event{Kind: w.kind}
		if previous != "" {
			e.Previous = m.handle(previous)
		}
		m.emit(w.ctx, w.key, e)
		if w.rounds > 0 {
			m.emit(w.ctx, w.key, Event{Kind: EventMerged, Rounds: w.rounds})
		}
	}
	if w.touchErr != nil {
		m.failed(w.ctx, "touch", key, w.touchErr)
	}
}

// report tells the operator about a failure of this request.
func (s *Session) report(err error) { s.m.report(s.r, s.logKey(), err) }

// late reports a change that comes too late to be saved.
func (s *Session) late(err error) {
	s.m.failed(s.r.Context(), "save", s.logKey(), err)
	s.report(err)
}

// logKey returns the store key of the session that the request has, or that
// its first cookie asks for, or "". Only for failures: it may take a hash.
func (s *Session) logKey() string {
	s.mu.Lock()
	key := s.state.key
	s.mu.Unlock()
	if key == "" {
		if ids := s.m.cookieIDs(s.r, nil); len(ids) > 0 {
			key = s.m.storeKey(ids[0])
		}
	}
	return key
}
