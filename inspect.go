package sessions

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/go-session2/sessions/backend"
)

// listPage is how many keys the store is asked for at a time.
const listPage = 500

// All ranges over the sessions in the store under Config.Prefix, in no
// particular order: those of other Managers as well that share it under
// another name. It reads the whole store, with a command for each session and
// memory for a page, so it is for operators and not for requests. A session
// that comes or goes meanwhile may be seen or not, and one may be seen twice.
//
// A session that cannot be read is an Info with a Handle alone and an
// ErrCorrupt, and the range goes on. Any other error ends it: ErrNoList when
// the store cannot list what it has, ErrUnavailable when it failed.
func (m *Manager) All(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for key, err := range m.keys(ctx) {
			if err != nil {
				yield(Info{}, err)
				return
			}
			i, err := m.inspect(ctx, key)
			switch {
			case errors.Is(err, ErrGone):
			case !yield(i, err) || err != nil && !errors.Is(err, ErrCorrupt):
				return
			}
		}
	}
}

// Find returns the session that has a handle, as [Session.Handle] and events
// show it, or a store key. For a handle it asks the store for all its keys.
// It is an ErrGone when there is no such session; a damaged one is an
// ErrCorrupt, with an Info that can be revoked. Otherwise the errors are
// those of [Manager.All].
func (m *Manager) Find(ctx context.Context, handleOrKey string) (Info, error) {
	if strings.HasPrefix(handleOrKey, m.cfg.Prefix) {
		return m.inspect(ctx, handleOrKey)
	}
	for key, err := range m.keys(ctx) {
		if err != nil {
			return Info{}, err
		}
		if m.handle(key) == handleOrKey {
			return m.inspect(ctx, key)
		}
	}
	return Info{}, fmt.Errorf("sessions: find: %w", ErrGone)
}

// Principal returns whose session it is, or "" when nobody has signed in.
func (i Info) Principal() string {
	if i.st == nil {
		return ""
	}
	return principalOf(i.st.doc, i.m.cfg.Codec)
}

// Keys returns the keys that [Session.Keys] returns, in the order in which
// they are stored.
func (i Info) Keys() []string {
	if i.st == nil {
		return nil
	}
	var keys []string
	for n := range i.st.doc.len() {
		if key := string(i.st.doc.key(n)); !hiddenKey(key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// Size returns how many bytes the keys and values have in the store.
func (i Info) Size() int {
	if i.st == nil {
		return 0
	}
	n := 0
	for at := range i.st.doc.len() {
		e := i.st.doc.at(at)
		n += len(e.Key) + len(e.Raw)
	}
	return n
}

// Revoke ends the session, as [Session.Destroy] does. It is an ErrGone when
// it has ended meanwhile.
func (i Info) Revoke(ctx context.Context) error {
	if i.st == nil {
		return fmt.Errorf("sessions: revoke: %w", ErrGone)
	}
	return i.m.end(ctx, i.st)
}

// inspect reads the session under a store key.
func (m *Manager) inspect(ctx context.Context, key string) (Info, error) {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.Timeout)
	defer cancel()
	st, err := m.fetch(ctx, "", key)
	switch {
	case errors.Is(err, ErrCorrupt):
		return Info{Handle: m.handle(key), st: &state{key: key, exists: true, doc: m.blank}, m: m}, storeError("list", err)
	case err != nil:
		return Info{}, storeErrorOrGone("list", err)
	}
	return m.info(&st), nil
}

// keys ranges over the store keys under the prefix, and ends with an error.
func (m *Manager) keys(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for cursor := ""; ; {
			keys, next, err := m.KeyPage(ctx, cursor, listPage)
			if err != nil {
				yield("", err)
				return
			}
			for _, key := range keys {
				if !yield(key, nil) {
					return
				}
			}
			if cursor = next; cursor == "" {
				return
			}
		}
	}
}

// KeyPage returns up to limit store keys and the cursor for the next page,
// empty after the last: see [backend.Lister]. The first page's cursor is
// empty. With Config.PlainIDs a store key holds the ID, and is as secret;
// else it is a hash of it. The errors are those of [Manager.All].
func (m *Manager) KeyPage(ctx context.Context, cursor string, limit int) (keys []string, next string, err error) {
	l, ok := m.plain.(backend.Lister)
	if !ok {
		return nil, "", fmt.Errorf("sessions: list: %w", ErrNoList)
	}
	ctx, cancel := context.WithTimeout(ctx, m.cfg.Timeout)
	defer cancel()
	start := time.Now()
	keys, next, err = l.List(ctx, m.cfg.Prefix, cursor, limit)
	m.observe(ctx, "list", "", start, err)
	return keys, next, storeError("list", err)
}
