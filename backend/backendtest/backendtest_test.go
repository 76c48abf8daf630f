package backendtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/memorybackend"
)

// A recorder stands for the test of one case and keeps what it reports.
type recorder struct {
	testing.TB
	mu      sync.Mutex
	reports []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(r.reports, fmt.Sprintf(format, args...))
}

func (r *recorder) FailNow() { runtime.Goexit() }

func (r *recorder) Fatal(args ...any) {
	r.Errorf("%s", fmt.Sprint(args...))
	r.FailNow()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	r.FailNow()
}

// record runs f as a test of its own and returns what it reports.
func record(t testing.TB, f func(testing.TB)) []string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() { // as FailNow ends the goroutine
		defer close(done)
		f(r)
	}()
	<-done
	return r.reports
}

// maxSize is the limit of the backends that have one.
const maxSize = minMaxSize + 1000

// brokenRules runs the suite on backends that spoil has been at and returns the names of the rules
// that it finds broken, sorted, each once.
func brokenRules(t *testing.T, spoil func(*faulty), options ...func(*Harness)) []string {
	t.Helper()
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	var raw *memorybackend.Backend // of the backend opened first
	h := Harness{
		Open: func(testing.TB) backend.Backend {
			m, err := memorybackend.New(memorybackend.Config{Now: now})
			if err != nil {
				t.Fatal(err)
			}
			if raw == nil {
				raw = m
			}
			f := limited(m, now)
			spoil(f)
			return f
		},
		Overwrite: func(t testing.TB, key string, data []byte) {
			rec, err := raw.Load(context.Background(), key)
			if err == nil {
				_, err = raw.Update(context.Background(), key, data, longTTL, rec.Revision)
			}
			if err != nil {
				t.Errorf("the harness could not overwrite: %v", err)
			}
		},
		Advance:    func(d time.Duration) { ahead.Add(int64(d)) },
		Resolution: time.Millisecond,
		MaxSize:    maxSize,
	}
	for _, set := range options {
		set(&h)
	}
	var names []string
	run(t, h, func(t testing.TB, _ string, f func(testing.TB)) {
		for _, report := range record(t, f) {
			names = append(names, ruleOf(t, report))
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// ruleOf returns the name of the rule that a report states.
func ruleOf(t testing.TB, report string) string {
	t.Helper()
	for name, text := range map[string]string{"secret": secretRule, "input": inputRule, "revision": revisionRule} {
		if strings.HasPrefix(report, "broken rule: "+text+"\n\tseen: ") {
			return name
		}
	}
	for _, r := range rules() {
		if strings.HasPrefix(report, "broken rule: "+r.text+"\n\tseen: ") {
			return r.name
		}
	}
	t.Errorf("a report states no rule: %s", report)
	return "?"
}

func TestSoundBackend(t *testing.T) {
	got := brokenRules(t, func(*faulty) {})
	if len(got) > 0 {
		t.Errorf("a backend that keeps all rules is said to break %q", got)
	}
}

// TestSoundFlask has backends in the layout of a Flask extension.
func TestSoundFlask(t *testing.T) {
	got := brokenRules(t, withoutTokens, func(h *Harness) { h.Flask = true })
	if len(got) > 0 {
		t.Errorf("one that keeps all rules is said to break %q", got)
	}
	got = brokenRules(t, func(f *faulty) { withoutTokens(f); shortenTouches(f) }, func(h *Harness) { h.Flask, h.TouchShortens = true, true })
	if len(got) > 0 {
		t.Errorf("one that does not know how long a record lives is said to break %q", got)
	}
}

// TestSoundJSON has a backend that takes JSON objects alone.
func TestSoundJSON(t *testing.T) {
	got := brokenRules(t, func(f *faulty) {
		isObject := func(data []byte) error {
			if !json.Valid(data) || data[0] != '{' {
				return errors.New("the data is no JSON object")
			}
			return nil
		}
		create, update := f.create, f.update
		f.create = func(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
			if err := isObject(data); err != nil {
				return nil, err
			}
			return create(ctx, key, data, ttl)
		}
		f.update = func(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
			if err := isObject(data); err != nil {
				return nil, err
			}
			return update(ctx, key, data, ttl, base)
		}
	}, func(h *Harness) { h.JSON = true })
	if len(got) > 0 {
		t.Errorf("a backend for JSON objects that keeps all rules is said to break %q", got)
	}
}

// Each of these backends breaks one rule. The suite must find it, and blame
// it for nothing but what follows from it.
func TestBrokenBackends(t *testing.T) {
	cases := slices.Concat(brokenWrites(), brokenLives(), brokenRaces(), brokenData(), brokenExtras(), brokenFlask())
	for i := range cases { // a view of the index is no better than the store
		for _, r := range indexRules() {
			cases[i].may = append(cases[i].may, r.name)
		}
	}
	cases = append(cases, brokenIndexes()...)
	var found sync.Map
	t.Run("each", func(t *testing.T) { // which ends when all of them have
		for _, tc := range cases {
			t.Run(tc.name, func(t *testing.T) {
				t.Parallel()
				got := brokenRules(t, tc.spoil, func(h *Harness) { h.Flask, h.TouchShortens = tc.flask, tc.touchShortens })
				for _, name := range tc.want {
					if !slices.Contains(got, name) {
						t.Errorf("the rule %s was not found broken", name)
					}
				}
				for _, name := range got {
					found.Store(name, true)
					if !slices.Contains(tc.want, name) && !slices.Contains(tc.may, name) {
						t.Errorf("the rule %s was found broken as well", name)
					}
				}
			})
		}
	})
	for _, r := range rules() {
		if _, ok := found.Load(r.name); !ok {
			t.Errorf("no broken backend shows that the rule %s is checked", r.name)
		}
	}
}

func TestRuleNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range rules() {
		if seen[r.name] || seen[r.text] {
			t.Errorf("the rule %s has the name or the text of another", r.name)
		}
		seen[r.name], seen[r.text] = true, true
		if !strings.HasSuffix(r.text, ".") {
			t.Errorf("the text of the rule %s is no sentence", r.name)
		}
		if (r.run == nil) == (r.prepare == nil) {
			t.Errorf("the rule %s must have either run or prepare", r.name)
		}
	}
}

func TestBadHarness(t *testing.T) {
	open := func(testing.TB) backend.Backend { return nil }
	for want, h := range map[string]Harness{
		"Harness.Open is missing":             {},
		"Harness.Contention must be at least": {Open: open, Contention: 1},
		"Harness.MaxSize must be at least":    {Open: open, MaxSize: 1000},
		"the harness opened no backend":       {Open: open},
	} {
		reports := record(t, func(t testing.TB) {
			run(t, h, func(testing.TB, string, func(testing.TB)) { t.Error("a rule was checked") })
		})
		if len(reports) != 1 || !strings.Contains(reports[0], want) {
			t.Errorf("want the report %q, got %q", want, reports)
		}
	}
}
