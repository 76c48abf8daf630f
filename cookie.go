package sessions

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxCandidates is how many cookies of our name are looked at. There is more
// than one when a sibling domain or another path has set one as well, and the
// browser does not tell which is ours (RFC 6265bis, section 8.6).
const maxCandidates = 4

// cookieIDs returns the IDs that the request's cookies offer, each once: only
// those that this library could have issued, and with a Signer only those that
// it has. They are appended to ids.
func (m *Manager) cookieIDs(r *http.Request, ids []string) []string {
	eachCookie(r, m.cfg.Name, func(value string) bool {
		id := value
		if m.cfg.Signer != nil {
			var ok bool
			if id, ok = m.cfg.Signer.Verify(m.cfg.Name, value); !ok {
				return true
			}
		}
		if m.knowsID(id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		return len(ids) < maxCandidates
	})
	return ids
}

// hasCookie tells whether the request has a cookie of a name.
func hasCookie(r *http.Request, name string) bool {
	found := false
	eachCookie(r, name, func(string) bool {
		found = true
		return false
	})
	return found
}

// eachCookie calls yield with the values of the cookies of a name until it
// returns false. It compares names byte by byte, allocates nothing, and takes
// a value as it is: neither quotes nor escapes nor white space that RFC 6265
// does not know make something else of it.
func eachCookie(r *http.Request, name string, yield func(value string) bool) {
	for _, line := range r.Header["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			pair = strings.Trim(pair, " \t")
			if len(pair) > len(name) && pair[len(name)] == '=' && pair[:len(name)] == name {
				if !yield(pair[len(name)+1:]) {
					return
				}
			}
		}
	}
}

// cookieLine returns the Set-Cookie line that gives the browser an ID until a
// time; a zero time means until the browser ends. Without an ID it removes
// the cookie, with the same attributes: otherwise browsers take it for
// another one.
func (m *Manager) cookieLine(r *http.Request, id string, until time.Time) string {
	c := http.Cookie{
		Name:        m.cfg.Name,
		Path:        m.cfg.Path,
		Domain:      m.cfg.Domain,
		Secure:      m.secure(r),
		HttpOnly:    !m.cfg.ScriptAccess,
		SameSite:    m.cfg.SameSite,
		Partitioned: m.cfg.Partitioned,
	}
	switch {
	case id == "":
		c.MaxAge, c.Expires = -1, time.Unix(0, 0)
	default:
		c.Value = id
		if m.cfg.Signer != nil {
			c.Value = m.cfg.Signer.Sign(m.cfg.Name, id)
		}
		if !until.IsZero() {
			// Browsers do so by themselves.
			if latest := m.now().Add(maxCookieAge); until.After(latest) {
				until = latest
			}
			c.Expires = until
			c.MaxAge = max(1, int(until.Sub(m.now()).Round(time.Second)/time.Second))
		}
	}
	return c.String()
}

// secure tells whether the cookie gets the Secure attribute.
func (m *Manager) secure(r *http.Request) bool {
	switch m.cfg.Secure {
	case SecureAlways:
		return true
	case SecureNever:
		return false
	}
	if r.TLS != nil {
		return true
	}
	proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	if strings.EqualFold(strings.TrimSpace(proto), "https") {
		return true
	}
	first, _, _ := strings.Cut(r.Header.Get("Forwarded"), ",")
	for param := range strings.SplitSeq(first, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if strings.EqualFold(key, "proto") && strings.EqualFold(strings.Trim(value, `"`), "https") {
			return true
		}
	}
	return false
}
