package sessions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-session2/sessions/backend"
)

// load loads the session once and returns the error that this ended with.
func (s *Session) load() error {
	s.loading.Do(s.loadNow)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loadErr
}

// loadNow finds the session of the request's cookie. What it leaves behind is
// always usable: without a stored session it is a fresh one, under an ID that
// no client has chosen.
func (s *Session) loadNow() {
	s.used.Store(true)
	var room [maxCandidates]string
	ids := s.m.cookieIDs(s.r, room[:0])
	s.m.rejectedCookies(s.r)
	st, err := s.m.find(s.r.Context(), ids, func(id string, err error) { s.m.report(s.r, s.m.storeKey(id), err) })
	s.loaded(ids, &st, err)
	gone := false
	if err == nil && !st.exists {
		for _, id := range ids {
			gone = gone || s.m.ended.since(s.m.storeKey(id), s.began)
		}
	}
	s.mu.Lock()
	s.state, s.isNew, s.loadErr, s.gone = st, !st.exists, err, gone
	s.mu.Unlock()
}

// find returns the state of the one of the given IDs that the store knows,
// else a fresh one. Damaged records are passed over and reported, and so is
// that there was a choice: somebody else has set a cookie of our name. When
// the store knows several it is an ErrAmbiguous, as nothing tells which one is
// the visitor's and which was planted there.
func (m *Manager) find(ctx context.Context, ids []string, report func(id string, err error)) (state, error) {
	if len(ids) == 0 {
		return m.fresh(), nil
	}
	within := newTimeout(ctx, m.cfg.Timeout)
	defer within.end()
	var found state
	for _, id := range ids {
		st, err := m.fetch(within, id, m.storeKey(id)) //nolint:contextcheck // within is made from ctx
		switch {
		case err == nil && found.exists:
			err = fmt.Errorf("sessions: load: %w, and more than one has a session", ErrAmbiguous)
			m.rejected(ctx, id, err)
			return m.fresh(), err
		case err == nil:
			found = st
		case errors.Is(err, ErrGone):
			m.rejected(ctx, id, err)
		case errors.Is(err, ErrCorrupt):
			m.rejected(ctx, id, err)
			report(id, storeError("load", err))
		default:
			return m.fresh(), storeError("load", err)
		}
	}
	if !found.exists {
		return m.fresh(), nil
	}
	if len(ids) > 1 {
		report(found.id, fmt.Errorf("sessions: load: %w; the only one that has a session is used", ErrAmbiguous))
	}
	return found, nil
}

// fetch loads one session. ErrGone means that there is none.
func (m *Manager) fetch(ctx context.Context, id, key string) (state, error) {
	st, err := m.read(ctx, id, key)
	if err != nil {
		return state{}, goneError(err)
	}
	if m.overdue(&st) {
		return state{}, errOverdue
	}
	return st, nil
}

// overdue tells whether a session's absolute lifetime is over.
func (m *Manager) overdue(st *state) bool {
	return m.cfg.AbsoluteLifetime > 0 && m.now().Sub(st.created) >= m.cfg.AbsoluteLifetime
}

// read loads one record.
func (m *Manager) read(ctx context.Context, id, key string) (state, error) {
	rec, err := m.cfg.Backend.Load(ctx, key)
	if err != nil {
		return state{}, err
	}
	return m.decode(id, key, rec)
}

// decode reads what was loaded from a store key.
func (m *Manager) decode(id, key string, rec backend.Record) (state, error) {
	created, data := time.Time{}, rec.Data
	var err error
	if !m.cfg.flask {
		if created, data, err = openRecord(key, rec.Data); err != nil {
			return state{}, err
		}
	}
	doc, err := m.parseDocument(key, rec.Data, data) // which may be what shows that the header is right
	if err != nil {
		return state{}, err
	}
	return state{id: id, key: key, exists: true, doc: doc, revision: rec.Revision, created: created, expires: rec.Expires}, nil
}
