package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
)

// alive tells whether a cookie has a session in a box.
func (b *box) alive(cookie string) (alive bool) {
	b.t.Helper()
	b.visit(cookie, func(s *sessions.Session) { alive = !s.IsNew() })
	return alive
}

func (b *box) copyTo(to *box, state string) map[string]int {
	b.t.Helper()
	out, errs, code := b.ctl(to, "copy", "-json", "-state", state)
	if code != 0 || !strings.Contains(errs, "looking again\n") {
		b.t.Fatalf("copy: exit %d, %s", code, errs)
	}
	var v map[string]int
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		b.t.Fatal(err)
	}
	for k, n := range v {
		if n == 0 {
			delete(v, k)
		}
	}
	return v
}

// What ends, changes and comes between two copies is so in the other store.
func TestCopyAgain(t *testing.T) {
	for i, p := range places {
		t.Run(p.name, func(t *testing.T) {
			prefix := newPrefix()
			from, to := p.open(t, prefix), places[(i+1)%len(places)].open(t, prefix)
			state := filepath.Join(t.TempDir(), "state")
			gone, _ := from.login("ada", "n", 1)
			moved, _ := from.login("ada", "n", 2)
			changed, _ := from.login("eve", "n", 3)
			if got := from.copyTo(to, state); len(got) != 1 || got["created"] != 3 {
				t.Fatalf("first: %v", got)
			}
			if mode := must(os.Stat(state))(t).Mode().Perm(); mode != 0o600 {
				t.Errorf("the state file has mode %v", mode)
			}
			if got := from.copyTo(to, state); len(got) != 1 || got["unchanged"] != 3 {
				t.Fatalf("again: %v", got)
			}
			for _, cookie := range []string{gone, moved, changed} {
				if !to.alive(cookie) {
					t.Error("a session is not in the other store")
				}
			}
			from.visit(gone, func(s *sessions.Session) { _ = s.Destroy() })
			next, _ := from.visit(moved, func(s *sessions.Session) { _ = s.Regenerate() })
			from.visit(changed, func(s *sessions.Session) { s.Set("n", 4) })
			fresh, _ := from.login("", "n", 5)
			if got := from.copyTo(to, state); got["created"] != 2 || got["updated"] != 1 || got["ended"] != 2 {
				t.Fatalf("later: %v", got)
			}
			for cookie, want := range map[string]bool{gone: false, moved: false, next: true, changed: true, fresh: true} {
				if to.alive(cookie) != want {
					t.Errorf("alive in the other store: %v", !want)
				}
			}
			to.visit(changed, func(s *sessions.Session) {
				if n := s.Get("n"); n != 4 {
					t.Errorf("n is %v", n)
				}
			})
			// Its users are found there too.
			if n, err := to.m.RevokeAll(t.Context(), "ada"); n != 1 || err != nil {
				t.Errorf("revoked %d, %v", n, err)
			}
		})
	}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// A copy that was killed goes on where it was, and a session that was ended
// in between does not live on in what it had copied.
func TestCopyGoesOn(t *testing.T) {
	prefix := newPrefix()
	from, to := places[0].open(t, prefix), places[0].open(t, prefix)
	state := filepath.Join(t.TempDir(), "state")
	one, _ := from.login("", "n", 1)
	two, _ := from.login("", "n", 2)
	keys, _, err := from.m.KeyPage(t.Context(), "", 10)
	if err != nil || len(keys) != 2 {
		t.Fatal(keys, err)
	}
	// What a kill leaves between the passes: a state file with its last line
	// torn, and the copies.
	j := must(openJournal(state, prefix))(t)
	for _, p := range []page{{Keys: keys}, {Listed: true}} {
		if err := j.add(p); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.file.WriteString(`{"keys":["` + prefix); err != nil {
		t.Fatal(err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if _, err := from.m.CopyTo(t.Context(), to.m, key); err != nil {
			t.Fatal(err)
		}
	}
	from.visit(one, func(s *sessions.Session) { _ = s.Destroy() })
	if got := from.copyTo(to, state); len(got) != 1 || got["ended"] != 1 {
		t.Errorf("went on: %v", got)
	}
	if to.alive(one) || !to.alive(two) {
		t.Error("the ended session lives, or the other one does not")
	}
	lines := strings.Split(strings.TrimSpace(string(must(os.ReadFile(state))(t))), "\n")
	if len(lines) != 4 || lines[3] != `{"done":true}` {
		t.Errorf("state: %v", lines)
	}

	// From the middle of the list.
	j = must(openJournal(filepath.Join(t.TempDir(), "other"), prefix))(t)
	if err := j.add(page{Keys: keys[:1], Cursor: "x"}); err != nil {
		t.Fatal(err)
	}
	name := j.file.Name()
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	j = must(openJournal(name, prefix))(t)
	if j.cursor != "x" || j.listed || !slices.Equal(j.order, keys[:1]) {
		t.Errorf("read back: %q %v %v", j.cursor, j.listed, j.order)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(name, "other:"); err == nil || strings.Contains(err.Error(), prefix) {
		t.Errorf("a journal of another prefix: %v", err)
	}
	if err := os.WriteFile(name, []byte("rubbish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(name, prefix); err == nil {
		t.Error("rubbish is a journal")
	}
}

func TestCopyRefuses(t *testing.T) {
	prefix := newPrefix()
	from, to := places[0].open(t, prefix), places[0].open(t, prefix)
	cookie, handle := from.login("", "n", 1)
	damaged, _ := from.login("", "n", 2)
	damage(t, from, damaged)
	out, errs, code := from.ctl(to, "copy")
	if code != exitFailed || !strings.Contains(out, "created    1") || !strings.Contains(out, "failed     1") || !strings.Contains(errs, "not copied") {
		t.Errorf("exit %d\n%s\n%s", code, out, errs)
	}
	if !to.alive(cookie) {
		t.Error("the sound session was not copied")
	}
	if _, errs, code := from.ctl(nil, "copy"); code != exitUsage || !strings.Contains(errs, "TO_SESSION_TYPE") {
		t.Errorf("nowhere to copy to: exit %d, %s", code, errs)
	}
	to.env["SESSION_KEY_PREFIX"] = "other:"
	if _, errs, code := from.ctl(to, "copy"); code != exitFailed || !strings.Contains(errs, "Prefix") {
		t.Errorf("another prefix: exit %d, %s", code, errs)
	}
	if out, _, _ := from.ctl(nil, "list"); !strings.Contains(out, "(unreadable)") || !strings.Contains(out, handle) {
		t.Errorf("list: %s", out)
	}
}
