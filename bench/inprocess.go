package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// A recorder is a response writer that is used again and again.
type recorder struct {
	header http.Header
	status int
	size   int
}

func (r *recorder) Header() http.Header  { return r.header }
func (r *recorder) WriteHeader(code int) { r.status = code }
func (r *recorder) Write(p []byte) (int, error) {
	r.size += len(p)
	return len(p), nil
}

func (r *recorder) reset() {
	clear(r.header)
	r.status, r.size = http.StatusOK, 0
}

// call returns a function that makes one request and reports whether the
// answer was a 200 with a body.
func (a app) call(path, cookie string) func() bool {
	if a.fast != nil {
		return fastCall(a.fast, path, cookie)
	}
	rec := &recorder{header: make(http.Header)}
	template := httptest.NewRequest(http.MethodGet, path, nil)
	if cookie != "" {
		template.Header.Set("Cookie", cookie)
	}
	req := new(http.Request)
	return func() bool {
		rec.reset()
		*req = *template // gorilla/sessions changes the request
		a.http.ServeHTTP(rec, req)
		return rec.status == http.StatusOK && rec.size > 0
	}
}

func fastCall(h fasthttp.RequestHandler, path, cookie string) func() bool {
	ctx := new(fasthttp.RequestCtx)
	value := strings.TrimPrefix(cookie, cookieName+"=")
	return func() bool {
		ctx.Request.Reset()
		ctx.Response.Reset()
		ctx.ResetUserValues()
		ctx.Request.SetRequestURI(path)
		if cookie != "" {
			ctx.Request.Header.SetCookie(cookieName, value)
		}
		h(ctx)
		return ctx.Response.StatusCode() == fasthttp.StatusOK && len(ctx.Response.Body()) > 0
	}
}

// newCookie makes a session in process and returns its cookie.
func (a app) newCookie(path string) (string, error) {
	header := ""
	if a.fast != nil {
		ctx := new(fasthttp.RequestCtx)
		ctx.Request.SetRequestURI(path)
		a.fast(ctx)
		for _, value := range ctx.Response.Header.Cookies() {
			header = string(value)
		}
	} else {
		rec := &recorder{header: make(http.Header)}
		a.http.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		header = rec.header.Get("Set-Cookie")
	}
	cookie, _, _ := strings.Cut(header, ";")
	if cookie == "" {
		return "", errors.New("no cookie was set")
	}
	return cookie, nil
}

// A cost is what one operation costs, in one goroutine.
type cost struct {
	nanos  float64
	allocs float64
	bytes  float64
}

var errCall = errors.New("a request failed")

// measure calls f for about as long as is asked for.
func measure(f func() bool, duration time.Duration) (cost, error) {
	for range 16 { // warms up
		if !f() {
			return cost{}, errCall
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n := 0
	begin := time.Now()
	var elapsed time.Duration
	for batch := 1; elapsed < duration; batch = min(2*batch, 1024) {
		for range batch {
			if !f() {
				return cost{}, errCall
			}
		}
		n += batch
		elapsed = time.Since(begin)
	}
	runtime.ReadMemStats(&after)
	return cost{
		nanos:  float64(elapsed) / float64(n),
		allocs: float64((after.Mallocs - before.Mallocs) / uint64(n)), // as package testing does
		bytes:  float64((after.TotalAlloc - before.TotalAlloc) / uint64(n)),
	}, nil
}

// inProcess measures one scenario of one contender, with a new store in
// memory.
func (c contender) inProcess(sc scenario, duration time.Duration) (cost, error) {
	a, err := c.build(place{})
	if err != nil {
		return cost{}, err
	}
	defer a.close()
	cookie := ""
	switch {
	case sc.cookie == noCookie:
	case c.floor:
		cookie = cookieName + "=0123456789abcdef0123456789abcdef0123456789a"
	case sc.cookie == bigCookie:
		cookie, err = a.newCookie("/seedbig")
	default:
		cookie, err = a.newCookie("/seed")
	}
	if err != nil {
		return cost{}, err
	}
	return measure(a.call(sc.path, cookie), duration)
}

// runInProcess measures all scenarios of all contenders, each in turn with
// its reference.
func runInProcess(opt options) (section, error) {
	out := section{}
	for _, c := range contenders {
		for i, sc := range scenarios {
			if !c.runs(i) {
				continue
			}
			var cell cell
			for range opt.rounds {
				mine, err := c.inProcess(sc, opt.inProcess)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", c.name, sc.name, err)
				}
				cell.add("ns", mine.nanos)
				cell.add("allocs", mine.allocs)
				cell.add("bytes", mine.bytes)
				if c.reference == "" {
					continue
				}
				ref, err := contenderNamed(c.reference)
				if err != nil {
					return nil, err
				}
				its, err := ref.inProcess(sc, opt.inProcess)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", ref.name, sc.name, err)
				}
				cell.add("ratio", mine.nanos/its.nanos)
			}
			out.put(c.name, sc.name, cell)
		}
		progress("in process: %s", c.name)
	}
	return out, nil
}
