package sessions

import "strconv"

// A Context is the context that a framework gives to handlers: *gin.Context,
// Echo v4's echo.Context or Echo v5's *echo.Context. They have this method in
// common, which keeps most other types out at compile time, and it lets this
// package know neither framework.
type Context interface {
	Param(name string) string
}

// Default returns the session of a request. When several middlewares were
// mounted, it is that of the first; [Named] finds the others. It panics when
// there is none.
func Default(c Context) *Session {
	x := FromContext(c)
	if x == nil {
		panic("sessions: no session here: mount the middleware before this route, for instance r.Use(ginsession.New(cfg)) or e.Use(echosession.New(cfg))")
	}
	return &x.session
}

// Named returns the session with the cookie name name. It panics when no
// middleware with that Config.Name was mounted before the route.
func Named(c Context, name string) *Session {
	for x := FromContext(c); x != nil; x = x.next {
		if x.session.m.cfg.Name == name {
			return &x.session
		}
	}
	panic("sessions: no session named " + strconv.Quote(name) + " here: mount a middleware with that Config.Name before this route")
}

// FromContext returns what an adapter has put into a framework's context, or
// nil. It is for adapters.
func FromContext(c Context) *Exchange {
	var v any
	switch c := c.(type) {
	case interface{ Value(key any) any }: // Gin
		v = c.Value(ContextKey)
	case interface{ Get(key string) any }: // Echo
		v = c.Get(ContextKey)
	}
	x, _ := v.(*Exchange)
	return x
}
