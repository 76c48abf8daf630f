package exampleapp

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-session2/sessions"
)

// A Page is what the templates show.
type Page struct {
	Name    string // of the template
	Served  string // by which framework
	Store   string // where the sessions are
	User    User   // the zero User when nobody has signed in
	Bags    int    // in the cart
	Flashes []sessions.Flash
	Content any // what only this page has: a Home, a Cart, a SessionView or nil
}

// A Home is the content of the page "home".
type Home struct {
	Visits int
	Goods  []Tea
}

// A SessionView is the content of the page "session": what the store holds of
// a visitor.
type SessionView struct {
	ID        string // shortened, see Shorten
	New       bool
	Permanent bool
	Started   time.Time
	Rows      []Row
}

// A Row is one key of a session.
type Row struct{ Key, Type, Value string }

// Add adds a key of the session. The rows are kept in order.
func (v *SessionView) Add(key string, value any) {
	text, err := json.Marshal(value)
	if err != nil { // a type that JSON does not have
		text = fmt.Append(nil, value)
	}
	typ := strings.ReplaceAll(fmt.Sprintf("%T", value), "interface {}", "any")
	v.Rows = append(v.Rows, Row{Key: key, Type: typ, Value: string(text)})
	slices.SortFunc(v.Rows, func(a, b Row) int { return cmp.Compare(a.Key, b.Key) })
}

// Shorten returns the beginning of a session ID, enough to see that it has
// changed. The whole ID is a secret and belongs nowhere but into the cookie.
func Shorten(id string) string {
	return id[:min(len(id), 4)] + "…"
}
