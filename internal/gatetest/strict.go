package gatetest

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
)

// strictIDs visits with IDs that are not those of a live session, and then
// writes: the session must get another ID, and nothing may be stored under the
// client's.
func strictIDs(t *testing.T, b backend.Backend, o Options) {
	for name, plain := range map[string]bool{"hashed": false, "plain": true} {
		t.Run(name, func(t *testing.T) {
			cfg := sessions.Config{Backend: b, PlainIDs: plain}
			key := storeKey
			if plain {
				key = func(id string) string { return prefix + id }
			}
			s := newSite(t, cfg)

			destroyed, moved, emptied := s.visitor(), s.visitor(), s.visitor()
			s.end(destroyed)
			next, _ := s.serve(moved, func(v *sessions.Session) {
				if err := v.Regenerate(); err != nil {
					t.Error(err)
				}
			})
			s.serve(emptied, func(v *sessions.Session) { v.Clear() })
			expired := unknownID()
			if !plain {
				short := cfg
				short.Lifetime = time.Second
				expired = newSite(t, short).visitor()
			}
			for deadline := time.Now().Add(30 * time.Second); !absent(t, b, key(expired)); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the session does not expire")
				}
			}

			for what, id := range map[string]string{
				"unknown":        unknownID(),
				"destroyed":      destroyed,
				"regenerated":    moved,
				"emptied":        emptied,
				"expired":        expired,
				"too short":      "abc",
				"too long":       strings.Repeat("A", 4000),
				"a path":         "../../../../../../../../../../../etc/passwd00",
				"another's key":  strings.TrimPrefix(storeKey(destroyed), prefix),
				"a spare bit on": strings.Repeat("A", 42) + "B",
			} {
				for range max(1, min(20, o.Schedules/100)) {
					var got string
					c, ok := s.serve(id, func(v *sessions.Session) {
						if !v.IsNew() || v.Len() > 0 {
							t.Errorf("%s: there is a session", what)
						}
						v.Set("n", 1)
						got = v.ID()
					})
					switch {
					case !ok || c == nil:
						t.Fatalf("%s: the visitor gets no session", what)
					case got == id || c.Value == id:
						t.Errorf("%s: the ID of the client was adopted", what)
					case got != c.Value:
						t.Errorf("%s: the cookie is not that of the session", what)
					}
					if len(id) < 100 && !strings.Contains(id, "/") && !absent(t, b, key(id)) {
						t.Errorf("%s: there is a record under the ID of the client", what)
					}
					s.end(c.Value)
				}
			}
			if next == nil {
				t.Fatal("Regenerate sends no cookie")
			}
			s.serve(next.Value, func(v *sessions.Session) {
				if v.IsNew() {
					t.Error("the new ID of a regenerated session is unknown")
				}
			})
			s.end(next.Value)
		})
	}
}

// unknownID returns an ID as the library makes them, which it has not made.
func unknownID() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
