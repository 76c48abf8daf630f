package sessions

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// showCookie brings the response's header up to date with what the browser
// has to be told: at most one Set-Cookie line of this name, whatever happened
// before. Once the header was sent it does nothing.
func (s *Session) showCookie() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.exists && (s.line != "" || s.cookie == cookieSet) && s.m.ended.since(s.state.key, s.began) {
		s.cookie = cookieKeep // the browser has a newer one, or none
		s.withdrawLine()
	}
	if s.phase != phaseOpen || s.cookie == cookieKeep {
		return
	}
	id, until := "", time.Time{}
	if s.cookie == cookieSet {
		id = s.state.id
		if permanent(s.state.doc, s.m.cfg.Codec) {
			until = s.state.expires
		}
	}
	s.dropLine()
	s.line = s.m.cookieLine(s.r, id, until)
	s.header["Set-Cookie"] = append(s.header["Set-Cookie"], s.line)
	uncacheCookie(s.header)
	s.cookie = cookieKeep
}

// withdrawLine takes the session's Set-Cookie line back, if it is not on its
// way yet. mu is held.
func (s *Session) withdrawLine() {
	if s.phase == phaseOpen && s.line != "" {
		s.dropLine()
		s.line = ""
	}
}

// dropLine removes the Set-Cookie lines of this name from the header.
func (s *Session) dropLine() {
	lines := slices.DeleteFunc(s.header["Set-Cookie"], func(line string) bool {
		return strings.HasPrefix(line, s.m.cfg.Name) && strings.HasPrefix(line[len(s.m.cfg.Name):], "=")
	})
	if len(lines) == 0 {
		delete(s.header, "Set-Cookie")
	} else {
		s.header["Set-Cookie"] = lines
	}
}

// varyByCookie adds Cookie to the Vary header (RFC 9110, section 12.5.5).
func (s *Session) varyByCookie() {
	h := s.header
	for _, line := range h["Vary"] {
		for field := range strings.SplitSeq(line, ",") {
			if field = strings.TrimSpace(field); field == "*" || strings.EqualFold(field, "Cookie") {
				return
			}
		}
	}
	if lines := h["Vary"]; lines != nil {
		h["Vary"] = append(lines, "Cookie")
		return
	}
	s.vary[0] = "Cookie"
	h["Vary"] = s.vary[:]
}

// uncacheCookie keeps shared caches from handing a Set-Cookie line to other
// visitors, which RFC 9111, section 7.3, leaves to the origin. no-store and
// private stay as they are; what invites shared caches is taken out.
func uncacheCookie(h http.Header) {
	const noCookie = `no-cache="Set-Cookie"`
	var kept []string
	for _, line := range h["Cache-Control"] {
		for directive := range strings.SplitSeq(line, ",") {
			directive = strings.TrimSpace(directive)
			name, _, _ := strings.Cut(strings.ToLower(directive), "=")
			switch {
			case name == "no-store":
				return
			case directive == "", name == "public", name == "s-maxage", directive == noCookie, name == "private":
			default:
				kept = append(kept, directive)
			}
		}
	}
	h["Cache-Control"] = []string{strings.Join(append(kept, "private", noCookie), ", ")}
}
