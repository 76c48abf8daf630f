package main

import (
	"context"
	"net/http"
	"strings"
)

// guarantees are in the order of the table in README.md.
var guarantees = []guarantee{
	{"There is no `Save` to forget", func(newSite func(handler) *site) bool {
		b := newSite(pages(map[string]handler{"forget": func(w http.ResponseWriter, _ *http.Request, s held) {
			answer(w, s.Set("a", "kept"), "page")
		}})).browser()
		b.get("forget")
		return b.shows("get-a", "kept")
	}},
	{"Two requests at once change different keys: both stay", func(newSite func(handler) *site) bool {
		b := together(newSite, func(s held, page string) error { return s.Set(page, page) })
		return b.shows("get-one", "one") && b.shows("get-two", "two")
	}},
	{"Two requests at once count: it is two more", func(newSite func(handler) *site) bool {
		b := together(newSite, func(s held, _ string) error { return s.Increment("n") })
		return b.shows("get-n", "2")
	}},
	{"A slow request cannot undo a sign-out", func(newSite func(handler) *site) bool {
		meet := newMeeting()
		b := newSite(pages(map[string]handler{"slow": func(w http.ResponseWriter, _ *http.Request, s held) {
			_, err := s.Get("user")
			meet.hold()
			if err == nil {
				err = s.Set("seen", "x")
			}
			if err == nil {
				err = s.Save()
			}
			answer(w, err, "slow")
		}})).browser()
		b.get("signin")
		slow, old, done := b, b, make(chan struct{})
		go func() { slow.get("slow"); close(done) }()
		<-meet.arrived
		b.get("signout")
		close(meet.leave)
		<-done
		return !old.shows("get-user", "bob") && !slow.shows("get-user", "bob")
	}},
	{"A new ID at sign-in, and the old one opens nothing", func(newSite func(handler) *site) bool {
		b := newSite(pages(nil)).browser()
		b.get("set-cart")
		planted := b
		b.get("signin")
		return b.shows("get-user", "bob") && b.shows("get-cart", "cart") && !planted.shows("get-user", "bob")
	}},
	{"The ID of an ended session is never used again", func(newSite func(handler) *site) bool {
		b := newSite(pages(nil)).browser()
		b.get("signin")
		old := b
		b.get("signout")
		again := old
		again.get("set-a")
		return !old.shows("get-a", "a")
	}},
	{"In an outage nobody looks signed out", func(newSite func(handler) *site) bool {
		s := newSite(pages(nil))
		b := s.browser()
		b.get("signin")
		s.store.setCut(true)
		status, _ := b.get("get-user")
		s.store.setCut(false)
		return status >= 500 && b.shows("get-user", "bob")
	}},
	{"What could not be loaded is never overwritten", func(newSite func(handler) *site) bool {
		var s *site
		s = newSite(pages(map[string]handler{"write": func(w http.ResponseWriter, _ *http.Request, h held) {
			_, err := h.Get("user")
			s.store.setCut(false) // in time for what is written
			if err == nil {
				err = h.Set("a", "a")
			}
			if err == nil {
				err = h.Save()
			}
			answer(w, err, "written")
		}}))
		b := s.browser()
		b.get("signin")
		s.store.setCut(true)
		old := b
		b.get("write")
		s.store.setCut(false)
		return old.shows("get-user", "bob")
	}},
	{"A failed save is an error, and none of the page", func(newSite func(handler) *site) bool {
		var s *site
		s = newSite(pages(map[string]handler{"write": func(w http.ResponseWriter, _ *http.Request, h held) {
			_, err := h.Get("user")
			s.store.setCut(true)
			if err == nil {
				err = h.Set("a", "a")
			}
			if err == nil {
				err = h.Save()
			}
			answer(w, err, "written")
		}}))
		b := s.browser()
		b.get("signin")
		status, body := b.get("write")
		return status >= 500 && !strings.Contains(body, "written")
	}},
	{"A change after the first byte is saved", func(newSite func(handler) *site) bool {
		b := newSite(pages(map[string]handler{"late": late})).browser()
		b.get("signin")
		b.get("late")
		return b.shows("get-a", "a")
	}},
	{"A session begun after the first byte is reported", func(newSite func(handler) *site) bool {
		s := newSite(pages(map[string]handler{"late": late}))
		b := s.browser()
		_, body := b.get("late")
		return s.reported.Load() > 0 || strings.Contains(body, "error")
	}},
	{"A request without use of the session asks the store nothing", func(newSite func(handler) *site) bool {
		s := newSite(pages(nil))
		b := s.browser()
		b.get("signin")
		before := s.store.sent.Load()
		return b.shows("untouched", "untouched") && s.store.sent.Load() == before
	}},
	{"A `map[string]int` needs no registration", func(newSite func(handler) *site) bool {
		b := newSite(pages(map[string]handler{"cart": func(w http.ResponseWriter, _ *http.Request, s held) {
			err := s.Set("cart", map[string]int{"tea": 2})
			if err == nil {
				err = s.Save()
			}
			answer(w, err, "cart")
		}})).browser()
		b.get("cart")
		return b.shows("get-cart", "map[tea:2]")
	}},
	{"The cookie is HttpOnly and SameSite by default", func(newSite func(handler) *site) bool {
		b := newSite(pages(nil)).browser()
		b.get("signin")
		return b.cookie != nil && b.cookie.HttpOnly && b.cookie.SameSite >= http.SameSiteLaxMode
	}},
	{"A key out of the store does not work as a cookie", func(newSite func(handler) *site) bool {
		s := newSite(pages(nil))
		b := s.browser()
		b.get("signin")
		for _, key := range s.keys() {
			thief := browser{s: s, cookie: &http.Cookie{Name: cookieName, Value: key}}
			if thief.shows("get-user", "bob") {
				return false
			}
		}
		return b.shows("get-user", "bob")
	}},
	{"A damaged record locks nobody out", func(newSite func(handler) *site) bool {
		s := newSite(pages(nil))
		b := s.browser()
		b.get("signin")
		for _, key := range s.keys() {
			if err := s.redis.Set(context.Background(), s.prefix+key, "damaged", lifetime).Err(); err != nil {
				s.t.Fatal(err)
			}
		}
		b.get("signin")
		return b.shows("get-user", "bob")
	}},
}

// late changes the session when the answer is on its way.
func late(w http.ResponseWriter, _ *http.Request, s held) {
	_, _ = w.Write([]byte("first, "))
	_ = http.NewResponseController(w).Flush()
	err := s.Set("a", "a")
	if err == nil {
		err = s.Save()
	}
	answer(w, err, "late")
}
