package ginsession

import (
	"bufio"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions/internal/commit"
)

// A writer is Gin's response writer with a Gate before it. It overrides each
// method that can send something: those that the embedded writer calls among
// its own would go past it.
type writer struct {
	gin.ResponseWriter
	gate commit.Gate
}

func (w *writer) WriteHeaderNow() {
	if commit.Interim(w.Status()) {
		w.gate.Interim(w.ResponseWriter.WriteHeaderNow)
		return
	}
	if w.gate.Pass(w.ResponseWriter) {
		w.ResponseWriter.WriteHeaderNow()
	}
}

func (w *writer) Write(p []byte) (int, error) {
	if !w.gate.Pass(w.ResponseWriter) {
		return 0, commit.ErrReplaced
	}
	return w.ResponseWriter.Write(p)
}

func (w *writer) WriteString(s string) (int, error) {
	if !w.gate.Pass(w.ResponseWriter) {
		return 0, commit.ErrReplaced
	}
	return w.ResponseWriter.WriteString(s)
}

func (w *writer) Flush() {
	w.gate.Pass(w.ResponseWriter)
	w.ResponseWriter.Flush()
}

func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !w.gate.Pass(w.ResponseWriter) {
		return nil, nil, commit.ErrReplaced
	}
	return w.ResponseWriter.Hijack()
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
