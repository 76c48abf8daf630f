package sessions

import (
	"context"
	"errors"
	"fmt"
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
	ids := s.m.cookieIDs(s.r)
	st, err := s.m.find(s.r.Context(), ids, func(err error) { s.m.report(s.r, err) })
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

// find returns the state of the first of the given IDs that the store knows,
// else a fresh one. Damaged records are passed over and given to damaged.
func (m *Manager) find(ctx context.Context, ids []string, damaged func(error)) (state, error) {
	if len(ids) == 0 {
		return m.fresh(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.cfg.Timeout)
	defer cancel()
	for _, id := range ids {
		st, err := m.fetch(ctx, id, m.storeKey(id))
		switch {
		case err == nil:
			return st, nil
		case errors.Is(err, ErrGone):
		case errors.Is(err, ErrCorrupt):
			damaged(storeError("load", err))
		default:
			return m.fresh(), storeError("load", err)
		}
	}
	return m.fresh(), nil
}

// fetch loads one record. ErrGone means that there is none.
func (m *Manager) fetch(ctx context.Context, id, key string) (state, error) {
	rec, err := m.cfg.Backend.Load(ctx, key)
	if err != nil {
		return state{}, goneError(err)
	}
	created, data, err := openRecord(key, rec.Data)
	if err != nil {
		return state{}, err
	}
	now := m.now()
	if m.cfg.AbsoluteLifetime > 0 && now.Sub(created) >= m.cfg.AbsoluteLifetime {
		return state{}, fmt.Errorf("%w: absolute lifetime is over", ErrGone)
	}
	doc, err := parseDocument(m.cfg.Codec, data)
	if err != nil {
		return state{}, err
	}
	return state{id: id, key: key, exists: true, doc: doc, revision: rec.Revision, created: created, expires: rec.Expires}, nil
}
