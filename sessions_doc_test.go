package sessions

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestTwoRequests plays the table "Two requests at once" of docs/sessions.md:
// one request loads the session, another one loads, changes and commits it,
// and then the first makes its change.
func TestTwoRequests(t *testing.T) {
	count := func(s *Session) { Update(s, "n", func(n int) int { return n + 1 }) }
	flash := func(s *Session) { s.AddFlash("hello") }
	clearAll := func(s *Session) { s.Clear() }
	remove := func(s *Session) { s.Delete("a") }
	var err error // of the first request
	destroy := func(s *Session) { err = s.Destroy() }
	regenerate := func(s *Session) { err = s.Regenerate() }

	page := readDoc(t, "sessions")
	for _, test := range []struct {
		row        string // how the table's row begins
		one, other func(*Session)
		want       string // what the visitor has then: a, b, n, the number of messages; "" for no session
		err        error
		reports    error
	}{
		{row: "| `Set(\"a\", …)` | `Set(\"b\", …)` | both |", one: set("a", 1), other: set("b", 2), want: "1 2 <nil> 0"},
		{row: "| `Set(\"a\", 1)` | `Set(\"a\", 2)` | 1:", one: set("a", 1), other: set("a", 2), want: "1 <nil> <nil> 0"},
		{row: "| `Update(\"n\", …)` | `Update(\"n\", …)` | both counted", one: count, other: count, want: "0 <nil> 2 0"},
		{row: "| `Set(\"a\", …)` | `Delete(\"a\")` | set |", one: set("a", 1), other: remove, want: "1 <nil> <nil> 0"},
		{row: "| `AddFlash` | `AddFlash` | both messages |", one: flash, other: flash, want: "0 <nil> <nil> 2"},
		{row: "| `Clear()` | `Set(\"b\", …)` | cleared, `b` too |", one: clearAll, other: set("b", 2)},
		{row: "| any change | `Destroy()` or `Regenerate()` | the change is dropped and reported as `ErrGone`", one: set("b", 2), other: destroy, reports: ErrGone},
		{row: "| any change | `Destroy()` or `Regenerate()` | the change is dropped", one: set("b", 2), other: regenerate, want: "0 <nil> <nil> 0", reports: ErrGone},
		{row: "| `Regenerate()` | `Set(\"b\", …)` | the new session has `b` |", one: regenerate, other: set("b", 2), want: "0 2 <nil> 0"},
		{row: "| `Regenerate()` | `Regenerate()` | the first one's; the second returns `ErrGone` |", one: regenerate, other: regenerate, want: "0 <nil> <nil> 0", err: ErrGone},
		{row: "| `Destroy()` | a change | no session |", one: destroy, other: set("b", 2)},
		{row: "| `Destroy()` | `Regenerate()` | no session;", one: destroy, other: regenerate},
	} {
		t.Run(test.row, func(t *testing.T) {
			if !strings.Contains(page, "\n"+test.row) {
				t.Error("docs/sessions.md has no such row")
			}
			b := newBench(t, Config{})
			b.request(func(s *Session) { s.Set("a", 0); s.Set("other", true) }) // or Delete would leave it empty
			b.request(func(s *Session) {
				s.Get("a")
				b.request(test.other)
				err = nil
				test.one(s)
			})
			got := ""
			b.request(func(s *Session) {
				if !s.IsNew() {
					got = fmt.Sprint(s.Get("a"), " ", s.Get("b"), " ", s.Get("n"), " ", len(s.Flashes()))
				}
			})
			if got != test.want {
				t.Errorf("the visitor has %q, want %q", got, test.want)
			}
			if !errors.Is(err, test.err) {
				t.Errorf("the call returns %v, want %v", err, test.err)
			}
			if reported := errors.Join(b.errs...); !errors.Is(reported, test.reports) {
				t.Errorf("reported: %v, want %v", reported, test.reports)
			}
		})
	}
}
