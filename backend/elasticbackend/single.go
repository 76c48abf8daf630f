package elasticbackend

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
)

var errLost = errors.New("the reply to a write was lost or is no clear one, and the write is not sent again")

// A single watches over a request that the client must not repeat once the
// server may have it.
type single struct {
	asked atomic.Bool  // the transport tells what it does
	sent  atomic.Int32 // how often the server may have got the request
}

// guard returns the request as it is to be given to the client, which asks it
// for the body again when it repeats it.
func (s *single) guard(req *http.Request) *http.Request {
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn:      func(string) { s.asked.Store(true) },
		WroteHeaders: func() { s.sent.Add(1) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err != nil {
				s.sent.Add(-1)
			}
		},
	}))
	body := req.GetBody
	if body == nil { // the client does not ask for one that is not there
		body = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }
		req.Body, _ = body()
	}
	req.GetBody = func() (io.ReadCloser, error) {
		if !s.asked.Load() || s.sent.Load() > 0 {
			return nil, errLost
		}
		return body()
	}
	return req
}

// repeated reports whether the request was sent again nevertheless, as a
// client does that compresses the bodies of requests. Then a refusal may be
// due to the first time.
func (s *single) repeated() bool { return s.sent.Load() > 1 }
