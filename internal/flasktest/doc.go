// Package flasktest shares sessions between real Flask applications and ours:
// one browser goes back and forth between a Python process, with
// Flask-Session2 or Flask-Session, and applications on Gin and Echo, which all
// have the same store and the same routes.
//
// The tests need the servers of scripts/services and the Python environments
// of scripts/flask.
package flasktest
