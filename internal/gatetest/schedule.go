package gatetest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
)

// processes is how many Managers there are on the store, as if they were of
// several processes.
const processes = 2

// A schedule is a plan being carried out.
type schedule struct {
	plan      plan
	scheduler *scheduler
	backend   backend.Backend
	stores    [processes]store
	processes [processes]*sessions.Manager
	browsers  []*browser
	clock     atomic.Int64
	number    atomic.Int64

	mu       sync.Mutex
	serving  map[*http.Request]*request
	keys     map[string]bool
	ids      []string
	history  []porcupine.Operation
	endings  []ending
	replies  []reply
	failures []string
}

// An ending is that a session ended: by a process, or by being emptied.
type ending struct {
	id      string
	process int // -1: emptied
	request int
	acked   int64
}

func (s *schedule) tick() int64 { return s.clock.Add(1) }

// unique returns a value that no other set of the schedule has.
func (s *schedule) unique() int { return int(s.number.Add(1)) * 1000 }

func (s *schedule) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, fmt.Sprintf(format, args...))
}

// record ends an event.
func (s *schedule) record(e event) {
	now := s.tick()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history = append(s.history, porcupine.Operation{ClientId: e.request, Input: e, Call: e.called, Return: now})
}

func (s *schedule) known(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, id)
}

func (s *schedule) end(e ending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endings = append(s.endings, e)
}

// A reply is a response with a cookie, of a request that did not itself end
// its session.
type reply struct {
	request, process int
	cookie           string // of the request
	id               string // of the session that it has
	found            bool   // when it was loaded
	removal          bool
	began, called    int64 // when the request had begun, and the handler had ended
}

func (s *schedule) sent(r reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies = append(s.replies, r)
}

// late tells whether a reply must not have a cookie any more: another request
// of the same process had ended the session.
func (s *schedule) late(r reply) bool {
	if r.found { // under the ID that it has now
		return slices.ContainsFunc(s.endings, func(e ending) bool {
			return e.id == r.id && e.request != r.request && e.process == r.process && e.acked < r.called
		})
	}
	// It found nothing. That is no first visit if the session was there when
	// it began, which all of the endings must be after.
	found := false
	for _, e := range s.endings {
		if e.id != r.cookie || r.cookie == "" {
			continue
		}
		if e.process != r.process || e.acked < r.began {
			return false
		}
		found = found || e.acked < r.called
	}
	return found
}

// run carries a plan out and returns what was wrong, or nil.
func run(b backend.Backend, p plan, choose func(int) int, patience time.Duration) error {
	s := &schedule{plan: p, backend: b, serving: make(map[*http.Request]*request), keys: make(map[string]bool)}
	s.scheduler = newScheduler(choose, patience)
	for i := range s.processes {
		s.stores[i] = store{Backend: b, process: i, mu: &s.mu, keys: s.keys}
		cfg := sessions.Config{
			Backend: s.stores[i], Prefix: prefix, Lifetime: time.Hour, Timeout: 5 * time.Minute, SweepInterval: -1,
			Logger: slog.New(slog.DiscardHandler), OnError: s.report,
		}
		if p.refresh {
			cfg.RefreshInterval = sessions.RefreshAlways
		}
		m, err := sessions.NewManager(cfg)
		if err != nil {
			return err
		}
		s.processes[i] = m
	}
	defer s.cleanUp()

	for i := range p.browsers {
		s.browsers = append(s.browsers, &browser{})
		if p.shared && i > 0 {
			*s.browsers[i] = *s.browsers[0]
			continue
		}
		first := &request{sch: s, n: -1, v: visit{browser: i, script: []step{{set, "a"}, {set, "b"}}}}
		first.serve()
	}
	for i, v := range p.visits {
		r := &request{sch: s, n: i, v: v}
		s.scheduler.spawn(fmt.Sprintf("request %d", i), func(t *task) { r.task = t; r.serve() })
	}
	if err := s.scheduler.run(); err != nil {
		return fmt.Errorf("%w\n%s", err, s)
	}
	s.check()
	if len(s.failures) > 0 {
		return fmt.Errorf("%s\n%s", strings.Join(s.failures, "\n"), s)
	}
	return nil
}

func (s *schedule) report(r *http.Request, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.serving[r]; q != nil {
		q.reported = errors.Join(q.reported, err)
	}
}

// check looks at the store and at the history.
func (s *schedule) check() {
	for _, r := range s.replies {
		if s.late(r) {
			s.fail("request %d sends a cookie after another request had ended the session (a removal: %v)", r.request, r.removal)
		}
	}
	alive := make(map[string]bool) // by key
	var last string
	live := 0
	for _, id := range s.ids {
		before := len(s.browsers)
		s.browsers = append(s.browsers, &browser{cookie: id})
		r := &request{sch: s, n: len(s.plan.visits), v: visit{browser: before, script: []step{{verb: read}}}}
		r.serve()
		if alive[storeKey(id)] = r.found; r.found {
			last = id
			live++
		}
	}
	for key := range s.keys {
		_, err := s.backend.Load(context.Background(), key)
		if err == nil && !alive[key] {
			s.fail("a record is left that belongs to no session")
		} else if err != nil && !errors.Is(err, backend.ErrNotFound) {
			s.fail("load: %v", err)
		}
	}
	if live == 1 && s.calm() && s.browsers[0].cookie != last {
		s.fail("the browser has lost its session: its cookie is not that of the live one")
	}

	acked := make(map[string]int64)
	for _, op := range s.history {
		if e := op.Input.(event); e.verb == regenerate && !e.gone {
			acked[e.next] = op.Return
		}
	}
	switch porcupine.CheckOperationsTimeout(model(acked), s.history, time.Minute) {
	case porcupine.Illegal:
		s.fail("the history is not linearizable")
	case porcupine.Unknown:
		s.fail("the history could not be checked within a minute")
	}
}

// calm tells whether nothing happened after which one browser may rightly have
// another cookie than that of the only live session.
func (s *schedule) calm() bool {
	if s.plan.browsers > 1 || s.plan.refresh {
		return false
	}
	for _, e := range s.endings {
		if e.process == -1 {
			return false
		}
	}
	created := 0
	for _, op := range s.history {
		e := op.Input.(event)
		if e.verb == destroy || e.process != 0 {
			return false
		}
		if e.verb == save && e.base == nil && !e.gone {
			created++
		}
	}
	return created == 1
}

// cleanUp removes all records.
func (s *schedule) cleanUp() {
	for key := range s.keys {
		_ = s.backend.Delete(context.Background(), key, nil)
	}
}

// String tells what happened, with short names for the IDs.
func (s *schedule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Plan: %v\nSchedule:\n  %v\nHistory:", s.plan, s.scheduler)
	slices.SortFunc(s.history, func(x, y porcupine.Operation) int { return int(x.Call - y.Call) })
	for _, op := range s.history {
		fmt.Fprintf(&b, "\n  %d..%d %v", op.Call, op.Return, op.Input)
	}
	text := b.String()
	for i, id := range s.ids {
		text = strings.ReplaceAll(text, id, fmt.Sprintf("S%d", i))
	}
	return text
}

// prefix begins the keys in the store.
const prefix = "gatetest:"

// storeKey returns the key of a session in the store.
func storeKey(id string) string {
	sum := sha256.Sum256([]byte(sessions.DefaultName + "\x00" + id))
	return prefix + base64.RawURLEncoding.EncodeToString(sum[:])
}
