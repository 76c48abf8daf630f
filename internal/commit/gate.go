// Package commit holds what the response writers of the adapters have in
// common: the session is committed exactly once, before the first byte that
// leaves, and when that fails the response is replaced.
package commit

import (
	"errors"
	"net/http"

	"github.com/go-session2/sessions"
)

// ErrReplaced is what a handler gets that goes on writing after its response
// was replaced because the session could not be saved.
var ErrReplaced = errors.New("session could not be loaded or saved; the response was replaced")

// A Gate stands between the handler's response and the wire. The zero Gate
// with a begun Exchange is ready. It is for the goroutine of the request.
type Gate struct {
	Exchange sessions.Exchange
	// Status is that of the response that has replaced the handler's, or 0.
	Status int
	state  state
}

type state int

const (
	open     state = iota // nothing was sent
	passing               // committed: everything passes
	replaced              // everything is dropped
)

// Pass is called before anything is sent to w, the writer below. It commits
// the first time. When it returns false the response was replaced, and what
// the handler writes is to be dropped.
func (g *Gate) Pass(w http.ResponseWriter) bool {
	if g.state == open {
		g.state = passing
		if err := g.Exchange.Commit(); err != nil {
			g.state = replaced
			rec := statusRecorder{ResponseWriter: w, status: http.StatusOK}
			g.Exchange.Fail(&rec, err)
			g.Status = rec.status
		}
	}
	return g.state == passing
}

// Interim sends an interim response (1xx but 101), which is not the response
// and commits nothing.
func (g *Gate) Interim(send func()) {
	if g.state == open {
		g.Exchange.Informational(send)
	} else if g.state == passing {
		send()
	}
}

// Interim tells whether a status code is that of an interim response. 101
// ends HTTP on the connection, so it is final (RFC 9110, section 15.2.2).
func Interim(code int) bool {
	return code >= 100 && code < 200 && code != http.StatusSwitchingProtocols
}

// Abandon is called when the handler panics: nothing is saved, and what a
// recovering middleware writes passes.
func (g *Gate) Abandon() {
	if g.state == open {
		g.state = passing
	}
	g.Exchange.Abandon()
}

// statusRecorder remembers the status that an error handler chooses.
type statusRecorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (r *statusRecorder) WriteHeader(code int) {
	if !r.wrote && !Interim(code) {
		r.status, r.wrote = code, true
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *statusRecorder) Write(p []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(p)
}

func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
