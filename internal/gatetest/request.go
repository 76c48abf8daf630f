package gatetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/go-session2/sessions"
)

// A browser has a cookie, or none.
type browser struct{ cookie string }

// A request is a visit on its way.
type request struct {
	sch  *schedule
	n    int
	v    visit
	task *task // nil: nothing makes it stop

	x        sessions.Exchange
	header   http.Header
	session  *sessions.Session
	doing    verb
	reported error

	cookie    string // the ID it came with
	began     int64
	loaded    bool
	found     bool
	id        string // of the session it has
	base      values // as it was loaded or saved last
	changes   []change
	gone      bool
	destroyed bool // by itself
	emptied   bool // by itself
}

// handler is the context that a framework would give to the handler.
type handler struct{ x *sessions.Exchange }

func (handler) Param(string) string { return "" }
func (h handler) Get(string) any    { return h.x }

func (r *request) stop(where string) {
	if r.task != nil {
		r.task.stop(where, true)
	}
}

// serve is the life of a request.
func (r *request) serve() {
	b := r.sch.browsers[r.v.browser]
	ctx := context.Background()
	if r.task != nil {
		ctx = context.WithValue(ctx, taskKey{}, r)
	}
	hr := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
	if r.cookie = b.cookie; r.cookie != "" {
		hr.Header.Set("Cookie", sessions.DefaultName+"="+r.cookie)
	}
	r.header = http.Header{}
	r.began = r.sch.tick()
	r.sch.processes[r.v.process].Begin(&r.x, hr, r.header, nil)
	r.session = sessions.Default(handler{&r.x})
	r.sch.mu.Lock()
	r.sch.serving[hr] = r
	r.sch.mu.Unlock()

	script := r.v.script
	if r.v.late {
		script = script[:len(script)-1]
	}
	for _, st := range script {
		r.stop(fmt.Sprintf("is about to %v", st))
		r.do(st)
	}
	r.stop("is about to commit")
	r.commit()
	if r.v.late {
		st := r.v.script[len(script)]
		r.stop(fmt.Sprintf("is about to %v after its response", st))
		if st.verb == set || st.verb == update || st.verb == remove {
			r.do(st)
		}
	}
	r.save(func() error { r.x.Finish(); return nil })
	r.stop("delivers its response")
	for _, line := range r.header["Set-Cookie"] {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			r.sch.fail("request %d: Set-Cookie cannot be parsed: %v", r.n, err)
			continue
		}
		if b.cookie = c.Value; c.MaxAge < 0 {
			b.cookie = ""
		}
	}
}

// do does one step.
func (r *request) do(st step) {
	r.doing = st.verb
	if st.verb != destroy {
		r.load()
	}
	s := r.session
	c := change{verb: st.verb, key: st.key}
	switch st.verb {
	case read:
		if got, want := r.content(), apply(r.base, r.changes); !maps.Equal(got, want) {
			r.sch.fail("request %d sees %v, want what it has loaded and changed, %v", r.n, show(got), show(want))
		}
	case set:
		c.value = r.sch.unique()
		s.Set(c.key, c.value)
		r.changes = append(r.changes, c)
	case update:
		sessions.Update(s, c.key, func(n int) int { return n + 1 })
		r.changes = append(r.changes, c)
	case remove:
		s.Delete(c.key)
		r.changes = append(r.changes, c)
	case empty:
		s.Clear()
		r.changes = append(r.changes, c)
	case save:
		r.save(s.Save)
	case regenerate:
		r.regenerate()
	case destroy:
		r.destroy()
	}
}

// load loads the session, once.
func (r *request) load() {
	if r.loaded {
		return
	}
	e := r.event(load)
	isNew := r.session.IsNew()
	r.loaded, r.found = true, !isNew
	if isNew {
		r.id = ""
	} else {
		r.id = r.session.ID()
		r.base = r.content()
		if r.id != r.cookie {
			r.sch.fail("request %d has another session than its cookie says", r.n)
		}
	}
	e.result = r.base
	if r.cookie != "" {
		r.sch.record(e)
	}
}

// content returns what the session shows.
func (r *request) content() values {
	v := values{}
	for _, key := range r.session.Keys() {
		n, ok := sessions.Value[int](r.session, key)
		if !ok {
			r.sch.fail("request %d cannot read its key %s", r.n, key)
		}
		v[key] = n
	}
	return v
}

// event begins an event.
func (r *request) event(v verb) event {
	id := r.id
	if id == "" {
		id = r.cookie
	}
	return event{
		verb: v, request: r.n, process: r.v.process, id: id, base: r.base,
		changes: r.changes, began: r.began, called: r.sch.tick(),
	}
}

// outcome is what a call returned or reported.
func (r *request) outcome(call func() error) (gone bool) {
	r.reported = nil
	err := errors.Join(call(), r.reported)
	switch {
	case err == nil:
		return false
	case errors.Is(err, sessions.ErrGone):
		return true
	case errors.Is(err, sessions.ErrCommitted) && r.v.late && r.base == nil:
		r.changes = nil // a new session after the header: reported
		return false
	}
	r.sch.fail("request %d: %v", r.n, err)
	return false
}

// save is for all that saves changes under the same ID.
func (r *request) save(call func() error) {
	r.doing = save
	e := r.event(save)
	e.gone = r.outcome(call)
	if len(r.changes) == 0 {
		if e.gone {
			r.sch.fail("request %d is told that its session is gone although it has changed nothing", r.n)
		}
		return
	}
	r.changes = nil
	if e.gone {
		r.gone = true
		r.sch.record(e)
		return
	}
	changed := !maps.Equal(apply(e.base, e.changes), e.base)
	e.result = r.content()
	switch {
	case e.base == nil && len(e.result) == 0:
		return
	case e.base == nil:
		e.next = r.session.ID()
		r.id, r.base = e.next, e.result
		r.sch.known(e.next)
		if e.next == r.cookie {
			r.sch.fail("request %d: the ID of the client was adopted", r.n)
		}
	case len(e.result) == 0 && changed:
		r.sch.end(ending{id: r.id, process: -1, request: r.n, acked: r.sch.tick()})
		r.id, r.base, r.emptied = "", nil, true
	default:
		r.base = e.result
	}
	r.sch.record(e)
}

func (r *request) regenerate() {
	e := r.event(regenerate)
	e.gone = r.outcome(r.session.Regenerate)
	if e.gone {
		r.gone, r.changes = true, nil
		r.sch.record(e)
		return
	}
	if e.base == nil {
		return // there is no session yet
	}
	e.next = r.session.ID()
	r.sch.known(e.next)
	e.result = r.content()
	r.changes, r.id, r.base = nil, e.next, e.result
	r.sch.end(ending{id: e.id, process: r.v.process, request: r.n, acked: r.sch.tick()})
	r.sch.record(e)
}

func (r *request) destroy() {
	if r.loaded && r.base == nil && (r.found || r.emptied || r.destroyed) {
		r.outcome(r.session.Destroy) // there is nothing left to end
		r.changes, r.destroyed = nil, true
		return
	}
	e := r.event(destroy)
	e.changes = nil
	late := r.loaded && r.base == nil // it has found nothing, so it ends nothing
	e.gone = r.outcome(r.session.Destroy)
	if e.gone {
		r.gone, r.changes = true, nil
		r.loaded = true
	} else {
		if !late {
			r.sch.end(ending{id: e.id, process: r.v.process, request: r.n, acked: r.sch.tick()})
		}
		r.loaded, r.id, r.base, r.changes, r.gone, r.destroyed = true, "", nil, nil, false, true
	}
	if e.id != "" {
		r.sch.record(e)
	}
}

// commit ends the handler and looks at the response's header.
func (r *request) commit() {
	called := r.sch.tick()
	r.save(func() error { return r.x.Commit() })
	lines := r.header["Set-Cookie"]
	switch {
	case len(lines) > 1:
		r.sch.fail("request %d sends %d cookies", r.n, len(lines))
	case len(lines) == 0 || r.destroyed:
	case r.gone:
		r.sch.fail("request %d was told that its session is gone, and sends a cookie", r.n)
	case !r.emptied:
		r.sch.sent(reply{
			request: r.n, process: r.v.process, cookie: r.cookie, id: r.id, found: r.found,
			began: r.began, called: called, removal: strings.HasPrefix(lines[0], sessions.DefaultName+"=;"),
		})
	}
}
