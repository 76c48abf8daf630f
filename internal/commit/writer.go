package commit

import (
	"bufio"
	"net"
	"net/http"
)

// A Writer is an http.ResponseWriter with a Gate before it.
type Writer struct {
	http.ResponseWriter
	Gate Gate
}

// WriteHeader commits and sends the header.
func (w *Writer) WriteHeader(code int) {
	if Interim(code) {
		w.Gate.Interim(func() { w.ResponseWriter.WriteHeader(code) })
		return
	}
	if w.Gate.Pass(w.ResponseWriter) {
		w.ResponseWriter.WriteHeader(code)
	}
}

// Write commits and sends bytes of the body.
func (w *Writer) Write(p []byte) (int, error) {
	if !w.Gate.Pass(w.ResponseWriter) {
		return 0, ErrReplaced
	}
	return w.ResponseWriter.Write(p)
}

// FlushError commits and sends what was written so far.
func (w *Writer) FlushError() error {
	w.Gate.Pass(w.ResponseWriter)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is FlushError for those who do not ask.
func (w *Writer) Flush() { _ = w.FlushError() }

// Hijack commits and hands the connection over. The cookie is in the header
// then, for a handler that sends it with its own response.
func (w *Writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !w.Gate.Pass(w.ResponseWriter) {
		return nil, nil, ErrReplaced
	}
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap is for http.ResponseController.
func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
