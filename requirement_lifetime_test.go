package sessions_test

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-session2/sessions"
)

var lifetimeRequirements = []requirement{
	{"TO-1", idleTimeout},
	{"TO-2", absoluteLimit},
	{"TO-3", assuranceLevels},
	{"TO-4", expiredCookies},
	{"TO-5", expiryInTheRecord},
	{"TO-6", clockSkew},
	{"TO-7", touches},
	{"TO-8", shorterLifetime},
}

// That every backend forgets a record to the second, whatever its own removal
// of expired records does, is backendtest's rule expiry/load. Fails when
// createRecord stores with twice the time to live.
func idleTimeout(t *testing.T) {
	inEach(t, func(t *testing.T, _ func(routes, ...sessions.Config) *site) {
		synctest.Test(t, func(t *testing.T) {
			for lifetime, cfg := range map[time.Duration]sessions.Config{31 * day: {}, time.Hour: {Lifetime: time.Hour}} {
				for _, over := range []time.Duration{-time.Millisecond, time.Millisecond} {
					s := mount(t, cfg)
					v := s.visitor()
					v.ok("/set?a=1")
					time.Sleep(lifetime + over)
					if got := s.get("/get?key=a", v.pair()).body; (got == "1") != (over < 0) {
						t.Errorf("%v after a lifetime of %v: %q", over, lifetime, got)
					}
				}
			}
		})
	})
}

// Fails when Regenerate begins a new absolute lifetime.
func absoluteLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mount(t, sessions.Config{Lifetime: 10 * time.Hour, AbsoluteLifetime: 24 * time.Hour, RefreshInterval: sessions.RefreshAlways})
		v := s.visitor()
		v.ok("/set?a=1")
		for i := range 23 {
			time.Sleep(time.Hour)
			v.ok([]string{"/get?key=a", fmt.Sprintf("/set?b=%d", i), "/login"}[i%3])
			if v.value("a") != "1" {
				t.Fatalf("ended after %d hours", i+1)
			}
		}
		time.Sleep(time.Hour - time.Millisecond)
		if v.value("a") != "1" {
			t.Error("ended early")
		}
		time.Sleep(time.Millisecond)
		if v.value("a") != "" {
			t.Error("activity has extended the absolute lifetime")
		}
		// Signing in again, after Destroy, does begin a new one.
		v.ok("/logout")
		v.ok("/set?a=2")
		time.Sleep(9 * time.Hour)
		if v.value("a") != "2" {
			t.Error("a new session has the old one's limit")
		}
	})
}

// NIST SP 800-63B's limits are two fields of Config. Fails when checkLifetimes
// refuses less than an hour.
func assuranceLevels(t *testing.T) {
	for _, cfg := range []sessions.Config{
		{Lifetime: 30 * day, AbsoluteLifetime: 30 * day},
		{Lifetime: time.Hour, AbsoluteLifetime: 24 * time.Hour, NonPermanent: true},
		{Lifetime: 15 * time.Minute, AbsoluteLifetime: 12 * time.Hour, NonPermanent: true},
	} {
		newManager(t, cfg)
	}
}

// Fails when a request without a stored session removes the cookie.
func expiredCookies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mount(t, sessions.Config{Lifetime: time.Hour})
		v := s.visitor()
		v.ok("/set?a=1")
		time.Sleep(2 * time.Hour)
		for range 3 { // the client goes on sending it
			r := s.get("/get?key=a", v.pair())
			if r.StatusCode != http.StatusOK || r.body != "" || len(r.Cookies()) != 0 {
				t.Errorf("status %d, body %q, cookies %v", r.StatusCode, r.body, r.Cookies())
			}
		}
		if r := s.get("/set?a=2", v.pair()); r.cookie(t, "session") == nil || r.cookie(t, "session").Value == v.jar["session"] {
			t.Errorf("cookies %v", r.Cookies())
		}
	})
}

// Fails when fetch does not look at the creation time, and when update writes
// the present for it.
func expiryInTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mount(t, sessions.Config{Lifetime: 10 * time.Hour, AbsoluteLifetime: 24 * time.Hour})
		v := s.visitor()
		v.ok("/set?a=0")
		began := time.Now()
		created := func() (at time.Time) {
			for _, rec := range s.store.rows(t) {
				at = time.UnixMilli(int64(binary.BigEndian.Uint64(rec.Data[2:])))
			}
			return at
		}
		for i := range 5 {
			time.Sleep(time.Hour)
			v.ok(fmt.Sprintf("/set?a=%d", i+1))
			if at := created(); !at.Equal(began) {
				t.Fatalf("created %v, the record says %v", began, at)
			}
		}
		// A store that keeps the record for longer changes nothing.
		for key := range s.store.rows(t) {
			if err := s.store.Backend.Touch(t.Context(), key, 1000*day); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(19*time.Hour + time.Millisecond)
		if n := len(s.store.rows(t)); n != 1 {
			t.Fatalf("%d records", n)
		}
		if v.value("a") != "" {
			t.Error("the session lives as long as the store likes")
		}
	})
	// Nobody can set the clock back without the record's checksum.
	s := mount(t, sessions.Config{AbsoluteLifetime: time.Hour})
	v := s.visitor()
	v.ok("/set?a=1")
	s.store.rewrite(t, func(_ string, data []byte) []byte { data[9]++; return data })
	if v.value("a") != "" {
		t.Error("a record with another creation time is taken")
	}
}

// Fails when update keeps an expiry that is later than the deadline: with a
// clock that is behind the store's, every save then moves it further.
func clockSkew(t *testing.T) {
	const skew, lifetime, absolute = 5 * time.Minute, time.Hour, 3 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t)
		cfg := sessions.Config{Backend: store, Lifetime: lifetime, AbsoluteLifetime: absolute}
		ahead, behind := newManager(t, cfg), newManager(t, cfg)
		ahead.SetNow(func() time.Time { return time.Now().Add(skew) })
		behind.SetNow(func() time.Time { return time.Now().Add(-skew) })
		visit := func(m *sessions.Manager, cookie string, h func(*sessions.Session)) http.Header {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Cookie", cookie)
			return serve(m, r, h)
		}
		for _, order := range [][]*sessions.Manager{{ahead}, {behind}, {ahead, behind}, {behind, ahead}} {
			line := visit(order[0], "", func(s *sessions.Session) { s.Set("n", 0) }).Get("Set-Cookie")
			cookie, began := line[:len("session=")+43], time.Now()
			alive := func(m *sessions.Manager) (ok bool) {
				visit(m, cookie, func(s *sessions.Session) { ok = s.Get("n") != nil })
				return ok
			}
			// In use it lives to its absolute limit, give or take the skew
			// between the two.
			for n := 1; ; n++ {
				m := order[n%len(order)]
				if !alive(m) {
					break
				}
				visit(m, cookie, func(s *sessions.Session) { s.Set("n", n) })
				time.Sleep(2 * time.Minute)
			}
			if age := time.Since(began); age < absolute-2*skew-2*time.Minute || age > absolute+2*skew+2*time.Minute {
				t.Errorf("a session in use has lived %v", age)
			}
			// Left alone after many writes it lives for its lifetime, give
			// or take the skew and the step in which its expiry is moved.
			line = visit(order[0], "", func(s *sessions.Session) { s.Set("n", 0) }).Get("Set-Cookie")
			cookie = line[:len("session=")+43]
			for n := range 40 {
				visit(order[n%len(order)], cookie, func(s *sessions.Session) { s.Set("n", n+1) })
				time.Sleep(time.Second)
			}
			last := time.Now()
			for rows := store.rows(t); len(rows) > 0; rows = store.rows(t) {
				time.Sleep(time.Minute)
			}
			if left := time.Since(last); left < lifetime-lifetime/10-2*skew || left > lifetime+2*skew {
				t.Errorf("a session left alone has lived %v", left)
			}
		}
	})
}

// Fails when refreshDue returns true.
func touches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mount(t, sessions.Config{Lifetime: 10 * time.Hour})
		v := s.visitor()
		v.ok("/set?a=1")
		var before []byte
		for _, rec := range s.store.rows(t) {
			before = rec.Data
		}
		for range 600 { // for ten hours
			time.Sleep(time.Minute)
			v.ok("/get?key=a")
		}
		if n := s.store.touches.Load(); n < 9 || n > 10 {
			t.Errorf("%d touches in a lifetime, want one for each tenth", n)
		}
		if s.store.creates.Load() != 1 || s.store.updates.Load() != 0 {
			t.Error("reading wrote the record")
		}
		for _, rec := range s.store.rows(t) {
			if string(rec.Data) != string(before) {
				t.Error("a touch changed the record")
			}
		}
		// A touch creates nothing, and never shortens.
		for key, rec := range s.store.rows(t) {
			if err := s.store.Backend.Touch(t.Context(), key, time.Second); err != nil {
				t.Fatal(err)
			}
			if now := s.store.rows(t)[key]; now.Expires.Before(rec.Expires) {
				t.Error("a touch made the session shorter")
			}
		}
		v.ok("/logout")
		time.Sleep(2 * time.Hour)
		s.get("/get?key=a", "session="+id(1))
		if n := len(s.store.rows(t)); n != 0 {
			t.Errorf("%d records", n)
		}
	})
}

// Fails when lifetime ignores the session's own.
func shorterLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, sessions.Config{Lifetime: 10 * day, AbsoluteLifetime: 20 * day})
		for own, want := range map[time.Duration]time.Duration{time.Hour: time.Hour, 400 * day: 20 * day} {
			var c *http.Cookie
			h := serve(m, httptest.NewRequest("GET", "/", nil), func(s *sessions.Session) {
				s.Set("a", 1)
				s.SetLifetime(own)
			})
			if cs := (&http.Response{Header: h}).Cookies(); len(cs) == 1 {
				c = cs[0]
			}
			if c == nil || time.Duration(c.MaxAge)*time.Second != want {
				t.Errorf("SetLifetime(%v): cookie %v", own, c)
			}
		}
	})
}
