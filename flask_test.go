package sessions_test

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/codec"
)

// TestFlaskCaptured reads every session that an extension has stored, through
// its cookie, changes one key, and looks at what is stored then.
func TestFlaskCaptured(t *testing.T) {
	routes := routes{"/all": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
		s := sessions.Default(c)
		if s.IsNew() {
			return text(w, "new")
		}
		var keys []string
		for key, v := range s.All() {
			keys = append(keys, fmt.Sprintf("%s %T", key, v))
		}
		s.Set("go", "was here")
		return text(w, s.ID()+" "+strings.Join(keys, ", "))
	}}
	for stack, layout := range map[string]struct {
		layout backend.FlaskLayout
		codec  codec.Codec
	}{
		"fs2-pickle":   {backend.FlaskSession2, codec.Pickle{}},
		"fs08-msgpack": {backend.FlaskSession, codec.FlaskMessagePack{}},
		"fs08-json":    {backend.FlaskSession, codec.FlaskJSON{}},
	} {
		site := mountFlask(t, layout.layout, routes, sessions.Config{Codec: layout.codec})
		sessions := 0
		for _, c := range loadCaptures(t).Stacks[stack].Redis {
			if c.Data == "" {
				continue
			}
			sessions++
			site.put(c.ID, unhex(t, c.Data))
			before := site.values(unhex(t, c.Data))
			r := site.get("/all", "session="+c.ID)
			if r.StatusCode != http.StatusOK || !strings.HasPrefix(r.body, c.ID+" ") || len(site.errors) > 0 {
				t.Errorf("%s %s: status %d, %.200q, %v", stack, c.Name, r.StatusCode, r.body, site.errors)
				site.errors = nil
				continue
			}
			after := site.values(site.data(c.ID))
			if after["go"] != "was here" {
				t.Errorf("%s %s: %.200v was stored", stack, c.Name, after)
			}
			delete(after, "go")
			if fmt.Sprintf("%#v", after) != fmt.Sprintf("%#v", before) && !reflect.DeepEqual(after, before) {
				t.Errorf("%s %s: %.200v became %.200v", stack, c.Name, before, after)
			}
		}
		if sessions < 30 {
			t.Errorf("%s: only %d sessions were captured", stack, sessions)
		}
	}
}

// TestFlaskSignedCookies has sessions whose cookies were signed.
func TestFlaskSignedCookies(t *testing.T) {
	for _, c := range loadCaptures(t).Stacks["fs2-pickle"].Cookies {
		signer, err := sessions.NewFlaskSigner([]byte(c.Key))
		if err != nil {
			t.Fatal(err)
		}
		site := mountFlask(t, backend.FlaskSession2, nil, sessions.Config{Signer: signer})
		site.put(c.ID, unhex(t, c.Data))
		if r := site.get("/get?key=s", "session="+c.Value); r.body != "str" {
			t.Errorf("signed: %q", r.body)
		}
		if r := site.get("/get?key=s", "session="+c.ID); r.body != "" || site.store.visits.Load() != 1 {
			t.Errorf("unsigned: %q, %d loads", r.body, site.store.visits.Load())
		}
		if r := site.get("/set?a=1", "session="+c.Value); r.cookie(t, "session") != nil && r.cookie(t, "session").Value != c.Value {
			t.Errorf("cookie %v", r.cookie(t, "session"))
		}
	}
}

// TestFlaskIDs has what a cookie can hold. Only what Flask or this library
// can have made is looked up.
func TestFlaskIDs(t *testing.T) {
	site := mountFlask(t, backend.FlaskSession2, nil, sessions.Config{})
	for _, good := range []string{
		flaskID, "00000000-0000-0000-0000-000000000000", id(1), strings.Repeat("A", 22), strings.Repeat("z", 24), strings.Repeat("-", 86-1) + "w",
	} {
		site.put(good, pickled(t, map[string]any{"a": "x"}))
		if r := site.get("/get?key=a", "session="+good); r.body != "x" {
			t.Errorf("%q is not looked up", good)
		}
	}
	for _, bad := range []string{
		"", "a", strings.Repeat("A", 21), strings.Repeat("A", 25), strings.Repeat("A", 87), strings.Repeat("A", 88),
		strings.Repeat("A", 21) + "B", strings.Repeat("A", 85) + "B", strings.Repeat("A", 24) + "\n", flaskID[:35] + "\n", flaskID + "=", flaskID[:35] + "!",
		"../" + flaskID, flaskID + ":", "{" + flaskID[1:], strings.Repeat("é", 22), strings.Repeat("A", 5000), `"` + flaskID + `"`, flaskID[:35] + "+",
	} {
		before := site.store.visits.Load()
		if r := site.get("/get?key=a", "session="+bad); r.StatusCode != http.StatusOK || site.store.visits.Load() != before {
			t.Errorf("%q is looked up, status %d", bad, r.StatusCode)
		}
	}
	v := site.visitor()
	v.ok("/set?a=1")
	if len(v.jar["session"]) != 43 || site.data(v.jar["session"]) == nil {
		t.Errorf("a new session has the ID %q", v.jar["session"])
	}
	// An ID that nobody has issued is never adopted.
	r := site.get("/set?a=1", "session="+flaskID[:35]+"0")
	if c := r.cookie(t, "session"); c == nil || len(c.Value) != 43 {
		t.Errorf("the cookie is %v", c)
	}
}

// TestFlaskPermanence has sessions of either kind, made on either side.
func TestFlaskPermanence(t *testing.T) {
	site := mountFlask(t, backend.FlaskSession, nil, sessions.Config{NonPermanent: true, RefreshInterval: sessions.RefreshAlways, Codec: codec.Pickle{}})
	for name, c := range map[string]struct {
		values    map[string]any
		permanent bool
	}{
		"permanent": {map[string]any{"_permanent": true, "a": "x"}, true},
		"not":       {map[string]any{"_permanent": false, "a": "x"}, false},
		"absent":    {map[string]any{"a": "x"}, false},
	} {
		site.put(flaskID, pickled(t, c.values))
		if err := site.redis.Expire(context.Background(), site.prefix+flaskID, time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
		r := site.get("/get?key=a", "session="+flaskID)
		if cookie := r.cookie(t, "session"); (cookie != nil) != c.permanent || cookie != nil && cookie.MaxAge < 1 {
			t.Errorf("%s: cookie %v", name, cookie)
		}
		if left := site.redis.TTL(context.Background(), site.prefix+flaskID).Val(); left < 30*24*time.Hour {
			t.Errorf("%s: the record lives for %v", name, left)
		}
	}
	v := site.visitor()
	r := v.ok("/set?a=1")
	if c := r.cookie(t, "session"); c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Errorf("cookie %v", c)
	}
	if values := site.values(site.data(v.jar["session"])); len(values) != 1 {
		t.Errorf("stored %v", values)
	}
}

// TestFlaskEmptySession has what Flask-Session2 stores for every visitor.
func TestFlaskEmptySession(t *testing.T) {
	site := mountFlask(t, backend.FlaskSession2, nil, sessions.Config{})
	empty := pickled(t, map[string]any{"_permanent": true})
	site.put(flaskID, empty)
	v := site.visitor()
	v.jar["session"] = flaskID
	v.ok("/")
	if site.store.visits.Load() != 0 {
		t.Error("an untouched session costs something")
	}
	if v.value("a") != "" || string(site.data(flaskID)) != string(empty) || site.store.writes.Load() != 0 {
		t.Error("reading an empty session changes it")
	}
	v.ok("/set?a=1")
	if v.jar["session"] != flaskID || site.values(site.data(flaskID))["a"] != "1" {
		t.Errorf("the ID is %q", v.jar["session"])
	}
	if r := v.ok("/clear"); site.data(flaskID) != nil || r.cookie(t, "session").MaxAge >= 0 {
		t.Errorf("the session is there, the cookie is %v", r.cookie(t, "session"))
	}
	if len(site.errors) > 0 {
		t.Error(site.errors)
	}
}

// TestFlaskFlashes reads messages of Flask, and leaves some that Flask reads.
func TestFlaskFlashes(t *testing.T) {
	site := mountFlask(t, backend.FlaskSession2, routes{
		"/flashes": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			return text(w, fmt.Sprint(sessions.Default(c).Flashes()))
		},
		"/error": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			return text(w, fmt.Sprint(sessions.Default(c).Flashes("error")))
		},
		"/flash": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			sessions.Default(c).AddFlash("hi")
			sessions.Default(c).AddFlash(codec.Markup("<b>"), "error")
			return text(w, "flashed")
		},
	}, sessions.Config{})
	theirs := []any{codec.Tuple{"message", "one"}, codec.Tuple{"error", codec.Markup("<i>")}, []any{"message", "two"}, "no message", codec.Tuple{"a", "b", "c"}}
	site.put(flaskID, pickled(t, map[string]any{"_flashes": theirs}))
	cookie := "session=" + flaskID
	if r := site.get("/error", cookie); r.body != "[{error <i>}]" {
		t.Errorf("errors: %s", r.body)
	}
	left := []any{theirs[0], theirs[2], theirs[3], theirs[4]}
	if got := site.values(site.data(flaskID))["_flashes"]; !reflect.DeepEqual(got, left) {
		t.Errorf("left are %#v", got)
	}
	site.get("/flash", cookie)
	left = append(left, codec.Tuple{"message", "hi"}, codec.Tuple{"error", codec.Markup("<b>")})
	if got := site.values(site.data(flaskID))["_flashes"]; !reflect.DeepEqual(got, left) {
		t.Errorf("stored are %#v", got)
	}
	if r := site.get("/flashes", cookie); r.body != "[{message one} {message two} {message hi} {error <b>}]" {
		t.Errorf("all: %s", r.body)
	}
	if len(site.errors) > 0 {
		t.Error(site.errors)
	}
}
