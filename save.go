package sessions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-session2/sessions/backend"
)

// A cookieChange is what the browser has to be told.
type cookieChange int

const (
	cookieKeep cookieChange = iota
	cookieSet
	cookieRemove
)

// Save saves the session now, instead of before the first byte of the
// response; that saves again if more is changed. Afterwards the cookie is in
// the response's header, for a handler that hands the header to something
// that answers by itself, such as a WebSocket upgrade. It returns ErrGone
// when the session has ended meanwhile.
func (s *Session) Save() error {
	if err := s.load(); err != nil {
		return err
	}
	err := s.save()
	s.showCookie()
	return err
}

// detached returns a context for a save: it survives the client's leaving,
// because what the handler has done has happened, but not Config.Timeout.
// The caller must call its end.
func (m *Manager) detached(ctx context.Context) *timeout {
	return newTimeout(context.WithoutCancel(ctx), m.cfg.Timeout)
}

// unchanged tells whether there is nothing to save and nothing to extend.
// saving is held.
func (s *Session) unchanged() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pending.none() || len(s.handouts) > 0 || s.loadErr != nil || s.invalid != nil {
		return false
	}
	return s.gone || !s.state.exists || s.m.touchDue(&s.state, s.phase != phaseOpen).IsZero()
}

// take returns the changes that are to be saved, as well as the state that
// they are based on, and marks them as being saved. saving is held.
func (s *Session) take() (changes, state, bool, error) {
	s.mu.Lock()
	handouts := s.handouts
	s.mu.Unlock()
	// Encoding calls methods of the handler's types, so without mu.
	var inPlace []change
	for i := range handouts {
		raw, err := handouts[i].changed(s.m.cfg.Codec)
		if err != nil {
			return changes{}, state{}, false, err
		}
		if raw != nil {
			inPlace = append(inPlace, change{key: handouts[i].key, value: handouts[i].value, raw: raw})
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.loadErr != nil:
		if s.pending.none() && len(inPlace) == 0 {
			return changes{}, state{}, false, s.loadErr
		}
		return changes{}, state{}, false, fmt.Errorf("%w; its changes are lost", s.loadErr)
	case s.invalid != nil:
		return changes{}, state{}, false, s.invalid
	}
	batch := s.pending
	for _, ch := range inPlace {
		if !s.slot(ch.key).isValue { // else it was set again since
			batch.set(ch.key, ch.value)
			batch.find(ch.key).raw = ch.raw
		}
		for i := range s.handouts {
			if h := &s.handouts[i]; h.key == ch.key {
				h.raw = ch.raw
			}
		}
	}
	replay := s.stale
	s.pending, s.sending, s.stale = changes{}, &batch, false
	// The writer works on a copy, since others may read what is being sent.
	work := changes{cleared: batch.cleared, list: slices.Clone(batch.list)}
	return work, s.state, replay, nil
}

// settle records how saving a batch has ended. saving is held.
func (s *Session) settle(st state, cookie cookieChange, merged bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := s.sending
	s.sending = nil
	switch {
	case err == nil:
		s.state = st
		s.stale = merged && !s.pending.none()
		if cookie != cookieKeep {
			s.cookie = cookie
		}
	case errors.Is(err, ErrGone):
		s.pending = changes{}
		s.giveUp()
	default: // another Save may have more luck
		later := s.pending
		s.pending, s.stale = *batch, s.stale || merged
		s.pending.append(later)
	}
}

// giveUp is for a session that somebody else has ended: from here on nothing
// is saved, and no cookie goes out that could replace a newer one. mu is held.
func (s *Session) giveUp() {
	s.gone = true
	s.cookie = cookieKeep
	s.withdrawLine()
}

// save writes what was changed since the last save, or extends the session if
// that is due.
func (s *Session) save() error {
	s.saving.Lock()
	defer s.saving.Unlock()
	if s.unchanged() {
		return nil
	}
	ctx := s.m.detached(s.r.Context())
	defer ctx.end()
	batch, st, replay, err := s.take()
	if err != nil {
		s.unsaved(ctx, err)
		return err
	}
	s.mu.Lock()
	gone, sent := s.gone, s.phase != phaseOpen
	s.mu.Unlock()
	if gone {
		err := error(nil)
		if !batch.none() {
			err = fmt.Errorf("sessions: save: %w", ErrGone)
			s.unsaved(ctx, err)
		}
		s.settle(st, cookieKeep, false, err)
		return err
	}
	w := writer{m: s.m, ctx: ctx, op: "save", sent: sent}
	st, err = w.write(st, &batch, replay)
	s.settle(st, w.cookie, w.merged, err)
	if w.unsure && batch.derived() {
		s.fail(err) // saved again it could count twice
	}
	w.tell(st.key, "", err)
	if w.ended {
		s.mu.Lock()
		s.giveUp()
		s.mu.Unlock()
	}
	if w.touchErr != nil {
		s.report(w.touchErr)
	}
	return err
}

// A writer brings one batch of changes into the store.
type writer struct {
	m      *Manager
	ctx    context.Context
	op     string // for errors
	sent   bool   // the response header is out: no cookie can follow
	done   func() // ends the turn, if it was taken
	merged bool   // the batch was applied to other data than it was made on
	unsure bool   // an update may have happened, and nothing tells whether it has

	// What came of it.
	cookie   cookieChange
	ended    bool // by somebody else: there was nothing to touch
	touchErr error
	kind     EventKind // for Config.OnEvent, as are key and rounds
	key      string
	rounds   int
}

// write makes the changes on st and returns the state that is stored then.
func (w *writer) write(st state, batch *changes, replay bool) (state, error) {
	defer w.endTurn()
	for {
		doc, differs, err := batch.apply(st.doc, w.m.cfg.Codec, replay || w.merged)
		if err != nil {
			return st, fmt.Errorf("sessions: save: %w", err)
		}
		var next state
		switch {
		case !st.exists:
			return w.create(st, doc, differs)
		case !differs:
			return w.touch(st)
		case doc.empty():
			next, err = w.remove(st)
		default:
			next, err = w.update(st, doc)
		}
		if !errors.Is(err, backend.ErrConflict) {
			return next, err
		}
		if st, err = w.reload(st); err != nil {
			return st, err
		}
	}
}

func (w *writer) create(st state, doc *document, differs bool) (state, error) {
	if !differs || doc.empty() {
		st.doc = doc
		return st, nil
	}
	if w.sent {
		return st, fmt.Errorf("sessions: save: the browser has no cookie for this new session: %w; change it before writing the response", ErrCommitted)
	}
	st.name(w.m)
	next, err := w.m.createRecord(w.ctx, st, doc)
	if err != nil {
		return st, err
	}
	w.cookie = cookieSet
	w.did(EventCreated, next.key)
	return next, nil
}

// createRecord stores a new record for a named state.
func (m *Manager) createRecord(ctx context.Context, st state, doc *document) (state, error) {
	data, err := m.encode(st, doc)
	if err != nil {
		return st, err
	}
	now := m.now()
	until := m.deadline(&st, doc, now)
	rev, err := m.store(doc).Create(ctx, st.key, data, ttl(now, until))
	if err != nil {
		return st, storeError("save", err)
	}
	st.exists, st.doc, st.revision, st.expires = true, doc, rev, until
	return st, nil
}

func (w *writer) update(st state, doc *document) (state, error) {
	data, err := w.m.encode(st, doc)
	if err != nil {
		return st, err
	}
	now := w.m.now()
	until := w.m.deadline(&st, doc, now)
	cookie := cookieSet
	if !policyChanged(st.doc, doc) && !w.m.refreshDue(&st, now, until) {
		// The expiry moves together with the cookie's, in steps: so the
		// browser never gives a session up that the store still has, and
		// not every write needs a cookie. Seen from a clock that is behind
		// the store's, the expiry is too late: it must not grow by that
		// with every write.
		if st.expires.Before(until) {
			until = st.expires
		}
		cookie = cookieKeep
	}
	if cookie == cookieSet && !policyChanged(st.doc, doc) && !permanent(doc, w.m.cfg.Codec) {
		cookie = cookieKeep // it has no expiry that could have changed
	}
	store := w.m.storeFor(st.doc, doc, !until.Equal(st.expires))
	rev, err := store.Update(w.ctx, st.key, data, ttl(now, until), st.revision)
	if err != nil {
		err = w.writeError(err)
		w.unsure = w.m.cfg.flask && errors.Is(err, ErrUnavailable)
		return st, err
	}
	st.doc, st.revision, st.expires = doc, rev, until
	w.cookie = cookie
	w.did(EventUpdated, st.key)
	return st, nil
}

// remove deletes a session that was left empty. The next change in this
// request starts a fresh one.
func (w *writer) remove(st state) (state, error) {
	if err := w.m.store(st.doc).Delete(w.ctx, st.key, st.revision); err != nil {
		return st, w.writeError(err)
	}
	w.cookie = cookieRemove
	w.did(EventDestroyed, st.key)
	return w.m.fresh(), nil
}

// touch extends a session that was not changed. That it fails is no failure
// of the request, which has changed nothing.
func (w *writer) touch(st state) (state, error) {
	until := w.m.touchDue(&st, w.sent)
	if until.IsZero() {
		return st, nil
	}
	err := w.m.store(st.doc).Touch(w.ctx, st.key, ttl(w.m.now(), until))
	if err != nil {
		if w.ended = errors.Is(err, backend.ErrNotFound); !w.ended {
			w.touchErr = storeError("touch", err)
		}
		return st, nil
	}
	st.expires = until
	w.did(EventTouched, st.key)
	if permanent(st.doc, w.m.cfg.Codec) {
		w.cookie = cookieSet
	}
	return st, nil
}

// reload gets the fresh state after a conflict. The first time, the writer
// waits until it is its turn.
func (w *writer) reload(st state) (state, error) {
	if w.done == nil {
		done, err := w.m.takeTurn(w.ctx, st.key)
		if err != nil {
			return st, storeError(w.op, fmt.Errorf("%w: %w", backend.ErrConflict, err))
		}
		w.done = done
	} else if err := pause(w.ctx); err != nil { // another process is in the way
		return st, storeError(w.op, fmt.Errorf("%w: %w", backend.ErrConflict, err))
	}
	w.merged = true
	w.rounds++
	next, err := w.m.fetch(w.ctx, st.id, st.key)
	if err != nil {
		return st, storeErrorOrGone(w.op, err)
	}
	return next, nil
}

func (w *writer) endTurn() {
	if w.done != nil {
		w.done()
	}
}

// writeError returns an error of a conditional write as the core knows it;
// an ErrConflict stays one.
func (w *writer) writeError(err error) error {
	if errors.Is(err, backend.ErrConflict) {
		return err
	}
	return storeErrorOrGone(w.op, goneError(err))
}

// encode returns the bytes to store for a document.
func (m *Manager) encode(st state, doc *document) ([]byte, error) {
	entries := doc.entries
	if doc.spans != nil {
		entries = doc.appendTo(nil)
	}
	size := recordHeader + 16
	for i := range entries {
		size += len(entries[i].Key) + len(entries[i].Raw) + 5
	}
	data := make([]byte, 0, size)
	if !m.cfg.flask {
		data = appendRecordHeader(data, st.created)
	}
	data, err := m.join(st.key, data, entries)
	if err != nil {
		return nil, fmt.Errorf("sessions: save: %w: %w", ErrValue, err)
	}
	if len(data) > m.cfg.MaxSize {
		return nil, fmt.Errorf("sessions: save: %w; keep less in the session or raise Config.MaxSize", backend.TooLarge(len(data), m.cfg.MaxSize))
	}
	if !m.cfg.flask {
		sealRecord(st.key, data)
	}
	return data, nil
}

func policyChanged(a, b *document) bool {
	return string(a.raw(keyPermanent)) != string(b.raw(keyPermanent)) ||
		string(a.raw(keyLifetime)) != string(b.raw(keyLifetime))
}

// goneError turns the store's word for an absent record into the core's.
func goneError(err error) error {
	if errors.Is(err, backend.ErrNotFound) {
		return ErrGone
	}
	return err
}

func storeErrorOrGone(op string, err error) error {
	if errors.Is(err, ErrGone) {
		return fmt.Errorf("sessions: %s: %w", op, ErrGone)
	}
	return storeError(op, err)
}

// pause waits a little before another try.
func pause(ctx context.Context) error {
	t := time.NewTimer(jitter(5 * time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
