package sessions_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"sync"
	"testing"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/codec"
)

// TestFlaskMerge has Flask write between the load and the save.
func TestFlaskMerge(t *testing.T) {
	var site *flaskSite
	site = mountFlask(t, backend.FlaskSession2, routes{
		"/count": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			s := sessions.Default(c)
			sessions.Update(s, "n", func(n int) int { return n + 1 })
			site.put(flaskID, pickled(t, map[string]any{"n": 41, "flask": codec.Tuple{1, "x"}}))
			s.Set("go", true)
			return text(w, "counted")
		},
	}, sessions.Config{})
	site.put(flaskID, pickled(t, map[string]any{"n": 1, "gone": true}))
	site.get("/count", "session="+flaskID)
	want := map[string]any{"n": 42, "flask": codec.Tuple{1, "x"}, "go": true}
	if got := site.values(site.data(flaskID)); !reflect.DeepEqual(got, want) {
		t.Errorf("stored is %#v", got)
	}
}

// TestFlaskCorrupt has records that are no pickles, or that Python would run.
func TestFlaskCorrupt(t *testing.T) {
	for name, data := range map[string]string{
		"empty": "", "garbage": "garbage", "truncated": string(pickled(t, map[string]any{"a": "x"})[:10]), "list": "\x80\x04]\x94.",
		"class": "cos\nsystem\n(S'true'\ntR.", "msgpack": "\x81\xa1a\xa1x", "header": "\xc1\x01",
	} {
		site := mountFlask(t, backend.FlaskSession2, nil, sessions.Config{})
		site.put(flaskID, []byte(data))
		v := site.visitor()
		v.jar["session"] = flaskID
		v.ok("/set?a=1")
		if v.jar["session"] == flaskID || v.value("a") != "1" || string(site.data(flaskID)) != data {
			t.Errorf("%s: the ID is %q, stored is %q", name, v.jar["session"], site.data(flaskID))
		}
		if len(site.errors) != 1 || !errors.Is(site.errors[0], sessions.ErrCorrupt) {
			t.Errorf("%s: reported %v", name, site.errors)
		}
	}
}

// TestFlaskLostReply loses the replies to writes that have happened. None is
// repeated where it would count twice, and no response claims anything.
func TestFlaskLostReply(t *testing.T) {
	for _, failOpen := range []bool{false, true} {
		var site *flaskSite
		count := func(c sessions.Context) {
			sessions.Update(sessions.Default(c), "n", func(n int) int { return n + 1 })
			site.store.lose.Store(true)
		}
		site = mountFlask(t, backend.FlaskSession2, routes{
			"/count": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
				count(c)
				return text(w, "counted")
			},
			"/save": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
				count(c)
				first := sessions.Default(c).Save()
				second := sessions.Default(c).Save()
				if !errors.Is(first, sessions.ErrUnavailable) || !errors.Is(second, sessions.ErrUnavailable) {
					t.Errorf("Save: %v, and then %v", first, second)
				}
				return text(w, "counted")
			},
			"/resave": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
				sessions.Default(c).Set("a", "new")
				site.store.lose.Store(true)
				if err := sessions.Default(c).Save(); err == nil {
					t.Error("the lost reply is not told")
				}
				return text(w, "set")
			},
		}, sessions.Config{FailOpen: failOpen})
		site.put(flaskID, pickled(t, map[string]any{"n": 1}))
		want := http.StatusServiceUnavailable
		if failOpen {
			want = http.StatusOK
		}
		for i, target := range []string{"/count", "/save"} {
			r := site.get(target, "session="+flaskID)
			if r.StatusCode != want || r.cookie(t, "session") != nil || len(site.errors) == 0 {
				t.Errorf("%s: status %d, %v", target, r.StatusCode, site.errors)
			}
			if n := site.values(site.data(flaskID))["n"]; n != i+2 || site.store.lose.Load() {
				t.Errorf("%s: n is %v", target, n)
			}
		}
		// To set a value again counts nothing twice.
		if r := site.get("/resave", "session="+flaskID); r.StatusCode != http.StatusOK || site.values(site.data(flaskID))["a"] != "new" {
			t.Errorf("/resave: status %d", r.StatusCode)
		}

		// A new session whose ID no browser learns.
		site.store.lose.Store(true)
		if r := site.get("/set?a=1"); r.StatusCode != want || r.cookie(t, "session") != nil {
			t.Errorf("a new session: status %d, cookie %v", r.StatusCode, r.cookie(t, "session"))
		}
	}
}

// TestFlaskLogin regenerates and destroys.
func TestFlaskLogin(t *testing.T) {
	site := mountFlask(t, backend.FlaskSession, nil, sessions.Config{Codec: codec.Pickle{}})
	site.put(flaskID, pickled(t, map[string]any{"cart": codec.Tuple{1}}))
	v := site.visitor()
	v.jar["session"] = flaskID
	v.ok("/login")
	id := v.jar["session"]
	if id == flaskID || site.data(flaskID) != nil {
		t.Fatalf("the ID is %q", id)
	}
	if got := site.values(site.data(id)); !reflect.DeepEqual(got, map[string]any{"cart": codec.Tuple{1}, "user": "ada"}) {
		t.Errorf("stored is %#v", got)
	}
	v.ok("/logout")
	if keys := site.redis.Keys(context.Background(), site.prefix+"*").Val(); len(keys) > 0 || v.jar["session"] != "" {
		t.Errorf("left are %q and the cookie %q", keys, v.jar["session"])
	}
	if len(site.errors) > 0 {
		t.Error(site.errors)
	}
}

// TestFlaskCounts has many requests of one session count at once, and Flask
// add a key meanwhile.
func TestFlaskCounts(t *testing.T) {
	var site *flaskSite
	const requests = 50
	ready := make(chan struct{}, requests)
	start := make(chan struct{})
	site = mountFlask(t, backend.FlaskSession2, routes{
		"/count": func(c sessions.Context, w http.ResponseWriter, _ *http.Request) error {
			s := sessions.Default(c)
			sessions.Update(s, "n", func(n int) int { return n + 1 })
			ready <- struct{}{}
			<-start
			return text(w, "counted")
		},
	}, sessions.Config{})
	site.put(flaskID, pickled(t, map[string]any{"n": 1}))
	var wg sync.WaitGroup
	for range requests {
		wg.Go(func() {
			if r := site.get("/count", "session="+flaskID); r.StatusCode != http.StatusOK {
				t.Errorf("status %d", r.StatusCode)
			}
		})
	}
	for range requests {
		<-ready
	}
	site.put(flaskID, pickled(t, map[string]any{"n": 1, "flask": codec.FrozenSet{1}}))
	close(start)
	wg.Wait()
	want := map[string]any{"n": 1 + requests, "flask": codec.FrozenSet{1}}
	if got := site.values(site.data(flaskID)); !reflect.DeepEqual(got, want) {
		t.Errorf("stored is %#v", got)
	}
}
