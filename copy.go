package sessions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-session2/sessions/backend"
)

// Copied says what [Manager.CopyTo] has found to do.
type Copied string

// The outcomes of CopyTo.
const (
	CopyCreated Copied = "created"   // it was missing there
	CopyUpdated Copied = "updated"   // it was older there
	CopySame    Copied = "unchanged" // it was the same there, but perhaps for its expiry
	CopyNewer   Copied = "newer"     // it is newer there, and stays so
	CopyEnded   Copied = "ended"     // it has ended here, and so it has there
)

// maxCopies bounds how often a session that changes all the time is copied.
const maxCopies = 100

// CopyTo brings the session under a store key, as [Manager.KeyPage] lists
// them, into the store of another Manager, with its time left and its
// principal. Both must have the same Name, Prefix and PlainIDs, and to must
// be able to read what m has written: the bytes are taken over as they are.
//
// It may be called while requests use the sessions of m: when it returns, the
// copy is what m had after it was made. A session that has ended in m,
// before or meanwhile, is deleted from the other store, so that no copy brings
// it back. One that differs there is overwritten unless its expiry is later,
// by more than a second.
//
// The errors are ErrUnavailable, also for a session that changes faster than
// it can be copied; ErrCorrupt for one that m or to cannot read; and
// ErrTooLarge for one that is too large for the other store.
func (m *Manager) CopyTo(ctx context.Context, to *Manager, key string) (Copied, error) {
	if m.cfg.Name != to.cfg.Name || m.cfg.Prefix != to.cfg.Prefix || m.cfg.PlainIDs != to.cfg.PlainIDs || m.cfg.flask != to.cfg.flask {
		return "", errCopy
	}
	ctx, cancel := context.WithTimeout(ctx, m.cfg.Timeout+to.cfg.Timeout)
	defer cancel()
	var outcome Copied
	var copied []byte // nil: nothing yet
	for range maxCopies {
		rec, err := m.cfg.Backend.Load(ctx, key)
		switch {
		case errors.Is(err, backend.ErrNotFound):
			if err := to.cfg.Backend.Delete(ctx, key, nil); err != nil {
				return "", storeError("copy", err)
			}
			return CopyEnded, nil
		case err != nil:
			return "", storeError("copy", err)
		case copied != nil && bytes.Equal(copied, rec.Data):
			return outcome, nil
		}
		done, err := m.copyRecord(ctx, to, key, rec)
		switch {
		case errors.Is(err, backend.ErrConflict), errors.Is(err, backend.ErrExists), errors.Is(err, backend.ErrNotFound):
			copied = nil
			continue
		case err != nil:
			return "", storeError("copy", err)
		}
		if outcome == "" || done != CopySame {
			outcome = done
		}
		copied = rec.Data
	}
	return "", fmt.Errorf("sessions: copy: %w: the session changes all the time", ErrUnavailable)
}

// copyRecord brings one state of a session into the store of to.
func (m *Manager) copyRecord(ctx context.Context, to *Manager, key string, rec backend.Record) (Copied, error) {
	st, err := to.decode("", key, rec)
	if err != nil {
		return "", err
	}
	now := m.now()
	until := rec.Expires
	if until.IsZero() {
		until = to.deadline(&st, st.doc, now)
	}
	store := to.store(st.doc)
	old, err := to.cfg.Backend.Load(ctx, key)
	switch {
	case errors.Is(err, backend.ErrNotFound):
		_, err := store.Create(ctx, key, rec.Data, ttl(now, until))
		return CopyCreated, err
	case err != nil:
		return "", err
	case bytes.Equal(old.Data, rec.Data):
		if !old.Expires.IsZero() && old.Expires.Before(until.Add(-time.Second)) {
			return CopySame, store.Touch(ctx, key, ttl(now, until))
		}
		return CopySame, nil
	case old.Expires.After(until.Add(time.Second)):
		return CopyNewer, nil
	}
	_, err = store.Update(ctx, key, rec.Data, ttl(now, until), old.Revision)
	return CopyUpdated, err
}
