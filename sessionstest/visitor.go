// Package sessionstest is for the unit tests of handlers: it gives them a
// session with values and tells what they have made of it, without a store,
// without a server and without a cookie to carry around.
//
//	visitor := sessionstest.New(map[string]any{"user": "ada"})
//	c, _ := gin.CreateTestContext(httptest.NewRecorder())
//	visitor.Attach(c)
//	signOut(c)
//	if !visitor.Result().Destroyed {
//		t.Error("still signed in")
//	}
//
// The session is a real one, with its codec, its cookie and its rules, on
// records in memory. The package imports no framework: [Visitor.Attach] takes
// the contexts of Gin, Echo v4 and Echo v5 alike.
package sessionstest

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/go-session2/sessions"
)

// A Visitor is a browser with a session, or without one yet. Each Attach,
// Session or Serve is its next request: it has the cookie that the one before
// has set.
//
// A Visitor is for one goroutine; the handlers that it visits may use as many
// as they like.
type Visitor struct {
	manager *sessions.Manager
	store   *journal
	cookie  *http.Cookie // as the browser has it, or nil

	open   *sessions.Exchange // the request that Attach has begun, or nil
	header http.Header        // of its response
	before map[string]any     // the values when the request began
	result Result

	mu   sync.Mutex // guards errs
	errs []error
}

// New returns a visitor whose session has the given values, or who has no
// session yet if there are none. The values go through the codec, so handlers
// get them as they would from a store. New panics when one cannot be encoded.
func New(values map[string]any) *Visitor {
	return NewWithConfig(sessions.Config{}, values)
}

// NewWithConfig is [New] for sessions with a Config of their own, for
// instance with a Name. The records are in memory whatever cfg.Backend says,
// and nothing is logged unless cfg.Logger is set. It panics when cfg is
// invalid; one from sessions.FlaskCompatible is, as Flask knows no records in
// memory.
func NewWithConfig(cfg sessions.Config, values map[string]any) *Visitor {
	store, err := newJournal()
	if err != nil {
		panic(err)
	}
	v := &Visitor{store: store}
	cfg.Backend, cfg.SweepInterval = v.store, -1
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	told := cfg.OnError
	cfg.OnError = func(r *http.Request, err error) {
		v.mu.Lock()
		v.errs = append(v.errs, err)
		v.mu.Unlock()
		if told != nil {
			told(r, err)
		}
	}
	if v.manager, err = sessions.NewManager(cfg); err != nil {
		panic(err)
	}
	s := v.Session()
	for key, value := range values {
		s.Set(key, value)
	}
	v.finish()
	if err := v.result.Err; err != nil {
		panic(fmt.Errorf("sessionstest: the values cannot be stored: %w", err))
	}
	v.result = Result{}
	return v
}

// Manager returns the visitor's Manager. It makes a Visitor a sessions.Source:
// ginsession.New(visitor) is the middleware for an application that
// [Visitor.Serve] is to visit. The error is always nil.
func (v *Visitor) Manager() (*sessions.Manager, error) { return v.manager, nil }

// Attach begins a request: it puts the visitor's session where sessions.Default
// and sessions.Named find it, as the middleware does, into a *gin.Context, an
// Echo v4 echo.Context or an Echo v5 *echo.Context. Then call the handler, and
// then [Visitor.Result]. It panics when c is another type, or has a session of
// that name already.
//
// The response counts as sent when Result is called; the response that the
// handler writes does not get the session's cookie, which is in the Result,
// and no ErrorHandler is called. Where these matter use [Visitor.Serve].
func (v *Visitor) Attach(c sessions.Context) {
	v.finish()
	first := sessions.FromContext(c)
	if !v.begin(first) {
		panic("sessionstest: Attach: this context has a session of that name already: use a new context for each request")
	}
	if first != nil {
		return // which leads to ours
	}
	switch c := c.(type) {
	case interface{ Set(key string, value any) }: // Echo, and Gin before 1.11
		c.Set(sessions.ContextKey, v.open)
	case interface{ Set(key, value any) }: // Gin
		c.Set(sessions.ContextKey, v.open)
	default:
		panic(fmt.Sprintf("sessionstest: Attach: a %T is no context of Gin or Echo", c))
	}
}

// Session begins a request without a framework, for code that is given a
// *sessions.Session, and returns its session. Call [Visitor.Result] in the
// end, as with [Visitor.Attach].
func (v *Visitor) Session() *sessions.Session {
	v.finish()
	v.begin(nil)
	return sessions.Default(holder{v.open})
}

// Serve runs a request through a whole application, whose session middleware
// was made from this Visitor, and returns the response. The request is given
// the visitor's cookie.
func (v *Visitor) Serve(app http.Handler, r *http.Request) *httptest.ResponseRecorder {
	v.finish()
	v.start()
	if v.cookie != nil {
		r.AddCookie(v.cookie)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	v.end(w.Result().Header)
	return w
}

// begin begins a request without a server. It returns false when there is a
// session of that name already.
func (v *Visitor) begin(first *sessions.Exchange) bool {
	v.start()
	v.header = make(http.Header)
	x := new(sessions.Exchange)
	if !v.manager.Begin(x, v.request(), v.header, first) {
		return false
	}
	v.open = x
	return true
}

// start notes how everything was before a request.
func (v *Visitor) start() {
	v.before, _ = v.look()
	v.store.restart()
	v.mu.Lock()
	v.errs = nil
	v.mu.Unlock()
}

// finish ends the request that is open, if any.
func (v *Visitor) finish() {
	if v.open == nil {
		return
	}
	err := v.open.Commit() // which is reported as well
	if err == nil {
		v.open.Finish()
	}
	v.open = nil
	v.end(v.header)
}

// end notes what a request has done.
func (v *Visitor) end(header http.Header) {
	v.result = Result{}
	for _, c := range (&http.Response{Header: header}).Cookies() {
		if c.Name != v.manager.Name() {
			continue
		}
		v.result.Cookie, v.cookie = c, nil
		if c.MaxAge >= 0 {
			v.cookie = &http.Cookie{Name: c.Name, Value: c.Value}
		}
	}
	v.result.Values, v.result.Flashes = v.look()
	v.result.Changed = differences(v.before, v.result.Values)
	v.result.Regenerated, v.result.Destroyed = v.store.fate()
	v.mu.Lock()
	v.result.Err = errors.Join(v.errs...)
	v.mu.Unlock()
}

// look returns what the visitor's session holds, and leaves it as it is.
func (v *Visitor) look() (map[string]any, []sessions.Flash) {
	var x sessions.Exchange
	v.manager.Begin(&x, v.request(), make(http.Header), nil)
	s := sessions.Default(holder{&x})
	values, flashes := maps.Collect(s.All()), s.Flashes()
	x.Abandon()
	return values, flashes
}

// request returns a request of the visitor.
func (v *Visitor) request() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if v.cookie != nil {
		r.AddCookie(v.cookie)
	}
	return r
}

// A holder is a context that holds nothing but a session.
type holder struct{ x *sessions.Exchange }

func (holder) Param(string) string { return "" }
func (h holder) Get(string) any    { return h.x }
