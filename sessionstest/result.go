package sessionstest

import (
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/go-session2/sessions"
)

// A Result tells how a request has left its session.
type Result struct {
	// Values are all values in the session now, as Get returns them. It is
	// empty when there is no session any more.
	Values map[string]any

	// Changed are the keys that were added, removed or given another value,
	// in alphabetical order.
	Changed []string

	// Flashes are the messages that wait for the next page, oldest first.
	Flashes []sessions.Flash

	// Regenerated tells whether the session was given a new ID. A session
	// that was not stored yet has none that anybody knows: start with a
	// value to see a handler regenerate.
	Regenerated bool

	// Destroyed tells whether a session was removed from the store, by
	// Destroy or because it was left empty. When something was set after
	// Destroy, Values are those of the session that this has started.
	Destroyed bool

	// Cookie is the session cookie that the response sets, or nil. When it
	// removes the browser's cookie, its MaxAge is negative.
	Cookie *http.Cookie

	// Err is everything that was reported to Config.OnError, joined, or nil:
	// a value that cannot be encoded, a session that has ended meanwhile.
	Err error
}

// Result ends the request that [Visitor.Attach] or [Visitor.Session] has begun, if
// it has not ended yet, as the end of a response does: the session is saved. It returns how
// that request, or the last that was served, has left the session.
func (v *Visitor) Result() Result {
	v.finish()
	return v.result
}

// differences returns the sorted keys that do not have the same value in both.
func differences(a, b map[string]any) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	maps.DeleteFunc(all, func(key string, _ any) bool {
		x, inA := a[key]
		y, inB := b[key]
		return inA == inB && reflect.DeepEqual(x, y)
	})
	return slices.Sorted(maps.Keys(all))
}
