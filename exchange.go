package sessions

import (
	"errors"
	"net/http"
	"time"
)

// An Exchange is one request and its response as the adapter of a framework
// handles them. Handlers never see it. Begin it, put it into the framework's
// context under [ContextKey], and call Commit before the first byte of the
// response, or after the handler when it wrote none; then Finish.
//
// An Exchange is for the goroutine that serves the request, and must not be
// used again for another one.
type Exchange struct {
	redacted
	session  Session
	first    *Exchange // of the request
	next     *Exchange // of another name, mounted later
	encoding []string  // Content-Encoding as it was at the beginning
	failed   bool      // Commit has returned an error
}

// ContextKey is the key under which an adapter puts the first Exchange of a
// request into the framework's context.
const ContextKey = "github.com/go-session2/sessions"

// Begin prepares x for a request, with the header of its response. It does no
// I/O. first is what the framework's context has under [ContextKey], or nil;
// then the adapter puts x there. Begin returns false when a session of the
// same name was begun already, because the middleware is mounted twice: then
// the adapter has nothing to do.
func (m *Manager) Begin(x *Exchange, r *http.Request, header http.Header, first *Exchange) bool {
	for x := first; x != nil; x = x.next {
		if x.session.m.cfg.Name == m.cfg.Name {
			return false
		}
	}
	x.session.m, x.session.r, x.session.header, x.session.began = m, r, header, time.Now()
	x.encoding = header["Content-Encoding"]
	x.first = first
	if first == nil {
		x.first = x
	} else {
		last := first
		for last.next != nil {
			last = last.next
		}
		last.next = x
	}
	return true
}

// Commit saves the session, if there is anything to save, and puts its cookie
// into the response's header. When it returns an error the response must be
// replaced: see [Exchange.Fail].
func (x *Exchange) Commit() error {
	s := &x.session
	if !s.used.Load() {
		s.advance(phaseSent)
		return nil
	}
	s.varyByCookie()
	err := s.save()
	if errors.Is(err, ErrGone) {
		s.report(err)
		err = nil
	}
	if err != nil {
		s.report(err)
		if s.forgives() {
			err = nil
		}
	}
	s.showCookie()
	s.advance(phaseSent)
	x.failed = err != nil
	return err
}

// Fail replaces the response by that of Config.ErrorHandler. w is what the
// handler's own bytes would have been written to. Of the cookies only those
// are kept that say what the stores have done: an ID that was regenerated
// before the failure is dead, and a browser without the new one signed out.
func (x *Exchange) Fail(w http.ResponseWriter, err error) {
	h := w.Header()
	for _, name := range []string{
		"Accept-Ranges", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language",
		"Content-Length", "Content-Location", "Content-Range", "Content-Type", "Etag", "Expires",
		"Last-Modified", "Location", "Refresh", "Retry-After", "Set-Cookie", "Trailer",
	} {
		delete(h, name)
	}
	// Middleware outside of ours goes on encoding as it has announced.
	if x.encoding != nil {
		h["Content-Encoding"] = x.encoding
	}
	h.Set("Cache-Control", "no-store")
	for other := x.first; other != nil; other = other.next {
		if line := other.session.line; line != "" {
			h["Set-Cookie"] = append(h["Set-Cookie"], line)
		}
	}
	x.session.m.cfg.ErrorHandler(w, x.session.r, err)
}

// Informational calls send, which sends an interim response (1xx), without
// the session's cookie in the header: it belongs to the final response.
func (x *Exchange) Informational(send func()) {
	s := &x.session
	s.mu.Lock()
	line := s.line
	if line != "" {
		s.dropLine()
	}
	s.mu.Unlock()
	send()
	if line != "" {
		s.header["Set-Cookie"] = append(s.header["Set-Cookie"], line)
	}
}

// Abandon is for a handler that panics: what it has changed is not saved. A
// cookie for what was already done in the store, by Save, Regenerate or
// Destroy, goes into the header nevertheless, for the response that a
// recovering middleware may send.
func (x *Exchange) Abandon() {
	x.session.showCookie()
	x.session.advance(phaseOver)
}

// Finish ends the request: it saves changes that were made after the response
// was sent, if the browser has the session's ID, and reports the others.
func (x *Exchange) Finish() {
	s := &x.session
	if s.used.Load() && !x.failed {
		s.mu.Lock()
		late := !s.pending.none() || len(s.handouts) > 0
		s.mu.Unlock()
		if late {
			if err := s.save(); err != nil {
				s.report(err)
			}
		}
	}
	s.advance(phaseOver)
}

func (s *Session) advance(p phase) {
	s.mu.Lock()
	s.phase = p
	s.mu.Unlock()
}

// forgives tells whether the handler's response stands although the session
// could not be loaded or saved.
func (s *Session) forgives() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m.cfg.FailOpen {
		return true
	}
	return s.loadErr != nil && s.seen && s.pending.none() && s.invalid == nil
}
