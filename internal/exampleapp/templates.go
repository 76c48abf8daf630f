package exampleapp

import (
	"embed"
	"html/template"
	"io/fs"
	"log"
	"net/http"
)

//go:embed templates static
var files embed.FS

// Templates returns the pages: "home", "cart", "sign-in", "session",
// "goodbye", "missing" and "unavailable". Each shows a [Page].
func Templates() *template.Template {
	return template.Must(template.ParseFS(files, "templates/*.html"))
}

// Static returns the stylesheet and the icon.
func Static() fs.FS {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the name is not a path
	}
	return static
}

// Unavailable is a Config.ErrorHandler: it answers when the session could not
// be loaded or saved. What went wrong is in the log already.
func Unavailable(w http.ResponseWriter, _ *http.Request, _ error) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Retry-After", "5")
	w.WriteHeader(http.StatusServiceUnavailable)
	if err := Templates().ExecuteTemplate(w, "unavailable", Page{Name: "unavailable"}); err != nil {
		log.Print(err)
	}
}
