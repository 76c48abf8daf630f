package sessions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend/memorybackend"
)

// A recorder keeps the events of a Manager.
type recorder struct {
	mu   sync.Mutex
	list []Event
}

func (r *recorder) record(_ context.Context, e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, e)
}

// take returns the events so far, but for those of the store, and forgets
// them all.
func (r *recorder) take() (events []Event, store []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.list {
		if e.Kind == EventStore {
			store = append(store, e.Op)
		} else {
			events = append(events, e)
		}
	}
	r.list = nil
	return events, store
}

// want takes the events and checks their kinds, with what else tells them
// apart, and the commands of the store.
func (r *recorder) want(t *testing.T, kinds, ops string) []Event {
	t.Helper()
	events, store := r.take()
	var got []string
	for _, e := range events {
		s := string(e.Kind)
		for _, detail := range []string{string(e.Reason), e.Op} {
			if detail != "" {
				s += ":" + detail
			}
		}
		if e.Rounds != 0 {
			s += fmt.Sprintf(":%d", e.Rounds)
		}
		if e.Count != 0 {
			s += fmt.Sprintf(":%d", e.Count)
		}
		got = append(got, s)
		if e.Name != DefaultName {
			t.Errorf("%s: name %q", s, e.Name)
		}
	}
	if strings.Join(got, " ") != kinds || strings.Join(store, " ") != ops {
		t.Errorf("events %v, store %v; want %s and %s", got, store, kinds, ops)
	}
	return events
}

func TestEvents(t *testing.T) {
	var rec recorder
	b := newBench(t, Config{OnEvent: rec.record, AbsoluteLifetime: 90 * 24 * time.Hour})
	var handle string
	b.request(func(*Session) {})
	rec.want(t, "", "")
	b.request(func(s *Session) { s.Set("a", 1); handle = s.Handle() })
	if e := rec.want(t, "created", "create"); e[0].Handle != handle {
		t.Errorf("created %q, want %q", e[0].Handle, handle)
	}
	b.clock.advance(10 * 24 * time.Hour)
	b.request(func(s *Session) { s.Get("a") })
	rec.want(t, "loaded touched", "load touch")
	b.request(func(s *Session) { s.Set("a", 2) })
	for _, e := range rec.want(t, "loaded updated", "load update") {
		if e.Handle != handle {
			t.Errorf("%s: handle %q, want %q", e.Kind, e.Handle, handle)
		}
	}
	b.request(func(s *Session) {
		_ = s.Get("a")
		b.request(func(s *Session) { s.Set("b", 1) })
		s.Set("a", 3)
	})
	rec.want(t, "loaded loaded updated updated merged:1", "load load update update load update")

	var next string
	b.request(func(s *Session) {
		if err := s.Regenerate(); err != nil {
			t.Fatal(err)
		}
		next = s.Handle()
	})
	if e := rec.want(t, "loaded rotated", "load create delete"); e[1].Handle != next || e[1].Previous != handle || next == handle {
		t.Errorf("rotated from %q to %q, want %q and %q", e[1].Previous, e[1].Handle, handle, next)
	}
	b.request(func(s *Session) { s.Clear() })
	if e := rec.want(t, "loaded destroyed", "load delete"); e[1].Handle != next {
		t.Errorf("destroyed %q", e[1].Handle)
	}
	b.request(func(s *Session) { s.Set("a", 1) })
	rec.want(t, "created", "create")
	b.request(func(s *Session) {
		if err := s.Destroy(); err != nil {
			t.Fatal(err)
		}
	})
	rec.want(t, "destroyed", "delete")

	b.request(func(s *Session) { s.Set("a", 1) })
	b.clock.advance(60 * 24 * time.Hour)
	rec.take()
	if n, err := b.m.Sweep(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if e := rec.want(t, "expired:1", "sweep"); e[0].Duration <= 0 {
		t.Error("the sweep took no time")
	}
	if err := b.m.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestEventsOfUsers(t *testing.T) {
	var rec recorder
	u := newUsers(t, Config{OnEvent: rec.record})
	u.login("a", "ada")
	rec.want(t, "created", "create")
	if n, err := u.m.RevokeAll(t.Context(), "ada"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	rec.want(t, "destroyed", "index load delete index index")
}

func TestRejectedEvents(t *testing.T) {
	var rec recorder
	signer, err := NewSigner(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []Config{{}, {Signer: signer}} {
		cfg.OnEvent, cfg.AbsoluteLifetime = rec.record, 24*time.Hour
		b := newBench(t, cfg)
		visit := func(values ...string) {
			r := httptest.NewRequest("GET", "/", nil)
			for _, v := range values {
				r.Header.Add("Cookie", "session="+v)
			}
			x := &Exchange{}
			b.m.Begin(x, r, make(http.Header), nil)
			_ = x.session.Get("a")
			_ = x.Commit()
			x.Finish()
		}
		cookie := func() string {
			clear(b.cookies)
			return b.request(func(s *Session) { s.Set("a", 1) }).Value
		}
		one, two := cookie(), cookie()
		rec.take()

		if cfg.Signer == nil {
			visit("rubbish", newID())
			if e := rec.want(t, "rejected:malformed rejected:unknown", "load"); e[0].Handle != "" || e[1].Handle == "" {
				t.Errorf("handles %q and %q", e[0].Handle, e[1].Handle)
			}
			visit(slices.Repeat([]string{"rubbish"}, 1000)...)
			if events, _ := rec.take(); len(events) != maxCandidates {
				t.Errorf("%d events of 1000 cookies", len(events))
			}
		} else {
			visit("rubbish", newID(), signer.Sign(DefaultName, "rubbish"), signer.Sign(DefaultName, newID()))
			rec.want(t, "rejected:signature rejected:signature rejected:malformed rejected:unknown", "load")
		}
		visit(one, two)
		if e := rec.want(t, "rejected:ambiguous", "load load"); !errors.Is(e[0].Err, ErrAmbiguous) {
			t.Error(e[0].Err)
		}
		b.clock.advance(25 * time.Hour)
		b.m.cfg.AbsoluteLifetime = 24 * time.Hour
		long := b.m.cfg.Backend
		if _, err := long.Create(t.Context(), b.m.storeKey(idOf(b.m, two)), []byte("damaged"), time.Hour); err != nil {
			t.Fatal(err)
		}
		rec.take()
		visit(two)
		if e := rec.want(t, "rejected:corrupt", "load"); !errors.Is(e[0].Err, ErrCorrupt) {
			t.Error(e[0].Err)
		}
		// A store whose clock is behind still has what is over.
		three := cookie()
		b.m.now = func() time.Time { return b.clock.now().Add(23*time.Hour + 59*time.Minute) }
		visit(three)
		rec.take()
		b.m.now = func() time.Time { return b.clock.now().Add(25 * time.Hour) }
		visit(three)
		rec.want(t, "rejected:expired", "load")
	}
}

func idOf(m *Manager, cookie string) string {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", m.cfg.Name+"="+cookie)
	return m.cookieIDs(r, nil)[0]
}

// No event shows what works as a cookie or leads to a record.
func TestEventsShowNoSecret(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	b := newBench(t, Config{OnEvent: func(ctx context.Context, e Event) {
		logger.InfoContext(ctx, "event", "event", e)
		fmt.Fprintf(&log, "%+v %#v\n", e, e)
	}})
	var ids []string
	b.request(func(s *Session) { s.Set("hidden key", "hidden value"); ids = append(ids, s.ID()) })
	b.request(func(s *Session) { _ = s.Regenerate(); ids = append(ids, s.ID()) })
	b.request(func(s *Session) { _ = s.Destroy() })
	text := log.String()
	if strings.Count(text, "\n") != 2*9 {
		t.Errorf("%d lines", strings.Count(text, "\n"))
	}
	for _, id := range ids {
		for _, secret := range []string{id, b.m.storeKey(id), strings.TrimPrefix(b.m.storeKey(id), DefaultPrefix), "hidden"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is shown", secret)
			}
		}
		if h := b.m.handle(b.m.storeKey(id)); validID(h) || !strings.Contains(text, "event.handle="+h) {
			t.Errorf("handle %q", h)
		}
	}
}

func TestNoEventCostsNothing(t *testing.T) {
	m := newBench(t, Config{}).m
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "session=rubbish")
	s := &Session{m: m, r: r}
	st := m.fresh()
	w := writer{m: m, ctx: t.Context()}
	if n := testing.AllocsPerRun(100, func() {
		m.event(w.ctx, EventLoaded, "key")
		m.rejectedCookies(r)
		m.rejected(w.ctx, "id", ErrGone)
		s.loaded(nil, &st, nil)
		w.did(EventUpdated, "key")
		w.tell("key", "", nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if _, ok := m.cfg.Backend.(observed); ok {
		t.Error("the store is observed and nobody listens")
	}
}

func BenchmarkEvents(b *testing.B) {
	for name, hook := range map[string]func(context.Context, Event){"none": nil, "empty": func(context.Context, Event) {}} {
		b.Run(name, func(b *testing.B) {
			mem, err := memorybackend.New(memorybackend.Config{})
			if err != nil {
				b.Fatal(err)
			}
			m, err := NewManager(Config{Backend: mem, OnEvent: hook, SweepInterval: -1})
			if err != nil {
				b.Fatal(err)
			}
			visit := func(cookie string) string {
				r := httptest.NewRequest("GET", "/", nil)
				r.Header.Set("Cookie", cookie)
				x, h := &Exchange{}, make(http.Header)
				m.Begin(x, r, h, nil)
				Update(&x.session, "n", func(n int) int { return n + 1 })
				_ = x.Commit()
				x.Finish()
				line, _, _ := strings.Cut(h.Get("Set-Cookie"), ";")
				return line
			}
			cookie := visit("")
			b.ReportAllocs()
			for b.Loop() {
				visit(cookie)
			}
		})
	}
}
