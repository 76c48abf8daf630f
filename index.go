package sessions

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/codec"
)

// openIndex finds out whether the store has an index of owners.
func (m *Manager) openIndex() {
	m.indexErr = fmt.Errorf("%w: the backend is no backend.Indexer", ErrNoIndex)
	if ix, ok := m.plain.(backend.Indexer); ok {
		if _, m.indexErr = ix.Indexed(m.owner("")); m.indexErr == nil {
			m.indexer = ix
		}
	}
}

// owner returns the name under which the store keeps the sessions of a
// principal: a hash, so that the store holds no names of users where the
// records are encrypted. It is bound to what the store keys begin with and to
// the cookie's name, as the sessions of other Managers are not ours.
func (m *Manager) owner(principal string) string {
	h := sha256.New()
	for _, part := range []string{"owner", m.cfg.Prefix, m.cfg.Name, principal} {
		_, _ = h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		_, _ = h.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// index returns the store as it is for the sessions of a principal.
func (m *Manager) index(principal string) (backend.Index, error) {
	if m.indexer == nil {
		return nil, m.indexErr
	}
	ix, err := m.indexer.Indexed(m.owner(principal))
	if err == nil && m.cfg.OnEvent != nil {
		ix = observedIndex{observed{ix, m}, ix}
	}
	return ix, err
}

// store returns what a session with this content is to be written through: a
// view of the index when it has a principal.
func (m *Manager) store(d *document) backend.Backend {
	if m.indexer == nil {
		return m.cfg.Backend
	}
	p := principalOf(d, m.cfg.Codec)
	if p == "" {
		return m.cfg.Backend
	}
	ix, err := m.index(p)
	if err != nil { // which it was not when the Manager was made
		return m.cfg.Backend
	}
	return ix
}

// storeFor returns what a stored session is to be updated through. The index
// need not hear of an update that neither changes the principal nor makes the
// session live longer.
func (m *Manager) storeFor(old, d *document, extended bool) backend.Backend {
	if !extended && string(old.raw(keyPrincipal)) == string(d.raw(keyPrincipal)) {
		return m.cfg.Backend
	}
	return m.store(d)
}

// principalOf returns whose session a document is, or "".
func principalOf(d *document, cdc codec.Codec) string {
	raw := d.raw(keyPrincipal)
	if raw == nil {
		return ""
	}
	p, err := as[string](slot{codec: cdc, raw: raw})
	if err != nil {
		return ""
	}
	return p
}

// loginOf returns when the principal was set, or the zero time.
func loginOf(d *document, cdc codec.Codec) time.Time {
	raw := d.raw(keyLogin)
	if raw == nil {
		return time.Time{}
	}
	ms, err := as[int64](slot{codec: cdc, raw: raw})
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// handle returns a name for a session that says nothing about its ID or its
// store key and that is no ID: it has 22 characters instead of 43.
func (m *Manager) handle(key string) string {
	sum := sha256.Sum256([]byte("handle\x00" + key))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
