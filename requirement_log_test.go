package sessions_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
)

var logRequirements = []requirement{
	{"LG-2", reports},
	{"LG-3", rejections},
	{"LG-4", hostileLog},
	{"LG-5", typedErrors},
	{"LG-6", boundedWaits},
}

// Fails when report does not call OnError.
func reports(t *testing.T) {
	var log bytes.Buffer
	var kinds []string
	s := mount(t, sessions.Config{Logger: slog.New(slog.NewJSONHandler(&log, nil)), OnEvent: func(_ context.Context, e sessions.Event) {
		if kinds = append(kinds, string(e.Kind)); e.Handle == "" {
			t.Errorf("%s without a handle", e.Kind)
		}
	}})
	v := s.visitor()
	v.ok("/set?a=1")
	s.store.meddle = func(context.Context, string, string) error { return errors.New("no answer") }
	v.get("/set?a=2")
	if len(s.errors) != 1 || !errors.Is(s.errors[0], sessions.ErrUnavailable) {
		t.Errorf("OnError: %v", s.errors)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), `"level":"ERROR"`) || !strings.Contains(log.String(), `"name":"session"`) || !strings.Contains(log.String(), `"handle":"`) {
		t.Errorf("log: %s", &log)
	}
	if got := strings.Join(kinds, " "); got != "store created store failed" {
		t.Errorf("events: %s", got)
	}
}

// Fails when damaged records are not reported.
func rejections(t *testing.T) {
	reasons := make(map[sessions.Reason]int)
	s := mount(t, sessions.Config{OnEvent: func(_ context.Context, e sessions.Event) {
		if e.Kind == sessions.EventRejected {
			reasons[e.Reason]++
		}
	}})
	v := s.visitor()
	v.ok("/set?a=1")
	for _, value := range append(hostileValues(), id(1)) {
		s.get("/get?key=a", "session="+value)
	}
	if len(s.errors) != 0 {
		t.Errorf("a stranger can write into the log: %v", s.errors)
	}
	s.store.rewrite(t, func(_ string, data []byte) []byte { return append(data, 0) })
	v.ok("/get?key=a")
	if len(s.errors) != 1 || !errors.Is(s.errors[0], sessions.ErrCorrupt) {
		t.Errorf("reported: %v", s.errors)
	}
	if len(reasons) != 3 || reasons[sessions.ReasonMalformed] == 0 || reasons[sessions.ReasonUnknown] != 1 || reasons[sessions.ReasonCorrupt] != 1 {
		t.Errorf("events: %v", reasons)
	}
}

// Fails when the errors of a load quote the cookie.
func hostileLog(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := mount(t, sessions.Config{Logger: logger})
	v := s.visitor()
	v.ok("/set?mark=hostile&hostilekey=1")
	const mark = "hostile"
	s.store.rewrite(t, func(_ string, data []byte) []byte { return append(data, mark...) })
	r := request(v.pair() + "; session=" + mark + "\r\n" + mark + "; " + mark + "=" + strings.Repeat(mark, 1000))
	r.Header.Set("User-Agent", mark)
	r.URL.RawQuery = "key=" + mark
	r.URL.Path = "/get"
	s.do(r)
	s.store.meddle = func(context.Context, string, string) error { return errors.New("no answer") }
	s.do(r)
	if n := len(s.errors); n != 2 {
		t.Errorf("%d reports", n)
	}
	if text := log.String(); strings.Contains(text, mark) || strings.Contains(text, v.jar["session"]) || len(text) > 1000 {
		t.Errorf("log: %s", text)
	}
}

// Fails when storeError forgets ErrFull, and when goneError forgets ErrGone.
func typedErrors(t *testing.T) {
	down := errors.New("connection refused")
	for name, test := range map[string]struct {
		cfg  sessions.Config
		run  func(s *sessions.Session, store *store)
		want []error
	}{
		"unavailable": {run: func(s *sessions.Session, store *store) {
			store.meddle = func(context.Context, string, string) error { return fmt.Errorf("load: %w", down) }
			s.Get("a")
		}, want: []error{sessions.ErrUnavailable, down}},
		"gone": {run: func(s *sessions.Session, store *store) {
			s.Get("a")
			for key := range store.rows(t) {
				_ = store.Backend.Delete(context.Background(), key, nil)
			}
			s.Set("a", 2)
		}, want: []error{sessions.ErrGone}},
		"regenerated": {run: func(s *sessions.Session, store *store) {
			s.Get("a")
			for key := range store.rows(t) {
				_ = store.Backend.Delete(context.Background(), key, nil)
			}
			if err := s.Regenerate(); !errors.Is(err, sessions.ErrGone) {
				t.Errorf("Regenerate: %v", err)
			}
			s.Set("a", 2)
		}, want: []error{sessions.ErrGone}},
		"conflict for ever": {cfg: sessions.Config{Timeout: 50 * time.Millisecond}, run: func(s *sessions.Session, store *store) {
			store.meddle = func(_ context.Context, op, _ string) error {
				if op == "update" {
					return backend.ErrConflict
				}
				return nil
			}
			s.Set("a", 2)
		}, want: []error{sessions.ErrUnavailable}},
		"too large": {cfg: sessions.Config{MaxSize: 100}, run: func(s *sessions.Session, _ *store) {
			s.Set("a", make([]byte, 100))
		}, want: []error{sessions.ErrTooLarge, backend.ErrTooLarge}},
		"too large for the store": {run: func(s *sessions.Session, store *store) {
			store.meddle = func(_ context.Context, op, _ string) error {
				if op == "update" {
					return backend.TooLarge(2, 1)
				}
				return nil
			}
			s.Set("a", 2)
		}, want: []error{sessions.ErrTooLarge}},
		"full": {run: func(s *sessions.Session, store *store) {
			store.meddle = func(_ context.Context, op, _ string) error { return backend.ErrFull }
			s.Get("a")
		}, want: []error{backend.ErrFull}},
		"corrupt": {run: func(s *sessions.Session, store *store) {
			store.rewrite(t, func(_ string, data []byte) []byte { return data[:len(data)-1] })
			s.Get("a")
		}, want: []error{sessions.ErrCorrupt, backend.ErrCorrupt}},
		"value":    {run: func(s *sessions.Session, _ *store) { s.Set("a", make(chan int)) }, want: []error{sessions.ErrValue}},
		"lifetime": {run: func(s *sessions.Session, _ *store) { s.SetLifetime(-1) }, want: []error{sessions.ErrValue}},
	} {
		store := newStore(t)
		var got []error
		cfg := test.cfg
		cfg.Backend = store
		cfg.OnError = func(_ *http.Request, err error) { got = append(got, err) }
		m := newManager(t, cfg)
		line := serve(m, request(""), func(s *sessions.Session) { s.Set("a", 1) }).Get("Set-Cookie")
		pair, _, _ := strings.Cut(line, ";")
		serve(m, request(pair), func(s *sessions.Session) { test.run(s, store) })
		if len(got) != 1 {
			t.Errorf("%s: reported %v", name, got)
			continue
		}
		for _, want := range test.want {
			if !errors.Is(got[0], want) {
				t.Errorf("%s: %v is no %v", name, got[0], want)
			}
		}
		if errors.Is(got[0], sessions.ErrUnavailable) != (test.want[0] == sessions.ErrUnavailable) {
			t.Errorf("%s: %v does not tell whether the store was there", name, got[0])
		}
		id, _ := strings.CutPrefix(pair, "session=")
		if strings.Contains(got[0].Error(), id) || regexp.MustCompile(`[\w-]{43}`).MatchString(got[0].Error()) {
			t.Errorf("%s: the error holds an ID or a key: %v", name, got[0])
		}
	}

	var late error
	m := newManager(t, sessions.Config{OnError: func(_ *http.Request, err error) { late = err }})
	var kept *sessions.Session
	serve(m, request(""), func(s *sessions.Session) { kept = s })
	kept.Set("a", 1)
	if !errors.Is(late, sessions.ErrCommitted) {
		t.Errorf("after the request: %v", late)
	}
	late = nil
	none, err := sessions.NewManager(sessions.Config{Logger: quiet, OnError: func(_ *http.Request, err error) { late = err }})
	if err != nil {
		t.Fatal(err)
	}
	serve(none, request(""), func(s *sessions.Session) { s.Set("a", 1) })
	if !errors.Is(late, sessions.ErrNotConfigured) {
		t.Errorf("without a store: %v", late)
	}
}

// Fails when reload pauses for a microsecond, and when find waits for twice
// the timeout.
func boundedWaits(t *testing.T) {
	hang := func(ctx context.Context, _, _ string) error { <-ctx.Done(); return ctx.Err() }
	inEach(t, func(t *testing.T, _ func(routes, ...sessions.Config) *site) {
		synctest.Test(t, func(t *testing.T) {
			for timeout, cfg := range map[time.Duration]sessions.Config{5 * time.Second: {}, time.Second: {Timeout: time.Second}} {
				s := mount(t, cfg)
				v := s.visitor()
				v.ok("/set?a=1")
				for _, target := range []string{"/get?key=a", "/set?a=2", "/login", "/logout"} {
					s.store.meddle = hang
					start, calls := time.Now(), s.store.calls()
					if r := v.get(target); r.StatusCode < 500 {
						t.Errorf("%s: status %d", target, r.StatusCode)
					}
					if d := time.Since(start); d != timeout {
						t.Errorf("%s: waited %v, want %v", target, d, timeout)
					}
					// Nothing is asked for twice.
					if n := s.store.calls() - calls; n != 1 {
						t.Errorf("%s: %d store commands", target, n)
					}
					s.store.meddle = nil
				}

				// A store that always says that somebody was faster.
				s.store.meddle = func(_ context.Context, op, _ string) error {
					if op == "update" {
						return backend.ErrConflict
					}
					return nil
				}
				start, calls := time.Now(), s.store.calls()
				if r := v.get("/set?a=2"); r.StatusCode != http.StatusServiceUnavailable {
					t.Errorf("status %d", r.StatusCode)
				}
				if d := time.Since(start); d > timeout {
					t.Errorf("tried for %v", d)
				}
				if n := s.store.calls() - calls; n > 2*int64(timeout/(4*time.Millisecond)) {
					t.Errorf("%d store commands in %v", n, timeout)
				}
				s.store.meddle = nil
				if v.value("a") != "1" {
					t.Error("the session is lost")
				}
			}
		})
	})
}
