// Package backendtest checks that a backend keeps the contract of package
// backend. Every backend of this module passes it against its real store, and
// so should those of others:
//
//	func TestBackend(t *testing.T) {
//		backendtest.Run(t, backendtest.Harness{
//			Open: func(t testing.TB) backend.Backend { ... },
//		})
//	}
//
// Each case states one rule. When a backend breaks it, the test prints the
// rule as a sentence, and then what was seen.
package backendtest

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// A Harness connects the suite to a store. Only Open is required.
//
// The suite uses random keys of the letters A-Z, a-z, 0-9, '_', ':', '.' and
// '-', at most 200 bytes long, so the store need not be empty. It should not
// be swept by others meanwhile.
type Harness struct {
	// Open opens the backend. It is called twice: for the backend that all
	// cases share, and for one that is used only to be closed. Both may be
	// on one store, as two processes would be, or on a store each. The
	// suite closes them when they are an [io.Closer].
	Open func(t testing.TB) backend.Backend

	// Reopen opens another backend on the store of the first Open, to stand
	// for another process. For a store on a server it is most often the
	// same function as Open. Default: the cases that need two processes
	// use one backend twice.
	Reopen func(t testing.TB) backend.Backend

	// Overwrite stores data under a key as a foreign program would that
	// knows nothing of revisions, with the same time to live or with none.
	// Default: this is not checked.
	Overwrite func(t testing.TB, key string, data []byte)

	// Advance moves the clock of the store forward, which otherwise goes
	// with the real one. Default: the suite waits, a few seconds in all.
	Advance func(d time.Duration)

	// Resolution is by how much the store may round up a time to live, and
	// be late to notice that it has passed. Default: one second.
	Resolution time.Duration

	// MaxSize is the limit of the store, in bytes: so much data is stored
	// and one byte more is refused as too large, before it is sent. At
	// least 65,536. Default: no limit.
	MaxSize int

	// TouchMovesRevision says that a touch gives the record a new revision,
	// as the contract allows where the store does it.
	TouchMovesRevision bool

	// TouchShortens says that the store does not tell how long a record
	// lives, so that a touch makes it live for the given time from now also
	// when it has longer to live. The contract allows that only in the layout
	// of a Flask extension.
	TouchShortens bool

	// Flask says that the backend uses the layout of a Flask extension, in
	// which equal bytes do not mean the same write: see [backend.FlaskStore].
	Flask bool

	// JSON says that data must be JSON objects, as in the layouts that store
	// them as such. Default: data is any bytes.
	JSON bool

	// Contention is the number of goroutines that race for one key, at
	// least 2. Default: 16.
	Contention int
}

// minMaxSize is what every store should hold, in bytes.
const minMaxSize = 64 << 10

// Run checks every rule that the backend claims to keep, the optional
// interfaces included, each in a subtest of its own. It logs which rules were
// left out, and why.
func Run(t *testing.T, h Harness) {
	run(t, h, func(t testing.TB, name string, f func(testing.TB)) {
		t.(*testing.T).Run(name, func(t *testing.T) { f(t) })
	})
}

// A rule is one case of the suite. It has either run, or prepare, which
// returns what is to be checked when all that was short-lived has expired: so
// the rules that follow one another and have prepare wait only once.
type rule struct {
	name    string
	text    string
	needs   func(*suite) string // what is missing to check it, or ""
	run     func(*check)
	prepare func(*check) (verify func(*check))
}

// A waitingRule is a rule that is prepared.
type waitingRule struct {
	rule
	verify func(*check)
}

// rules returns all rules in the order in which they are checked.
func rules() []rule {
	var all []rule
	for _, topic := range [][]rule{
		crudRules(), keyRules(), casRules(), foreignRules(), deleteRules(), touchRules(), sizeRules(),
		contextRules(), raceRules(), expiryRules(), sweeperRules(), listerRules(), indexRules(), handleRules(),
	} {
		all = append(all, topic...)
	}
	return all
}

// A suite is one run of all rules.
type suite struct {
	Harness
	main     backend.Backend
	second   backend.Backend // on the same store as main, or main itself
	advanced atomic.Int64    // by how much Advance has moved the store's clock
}

// run checks the rules, each by a call of sub, which stands for testing.T.Run.
func run(t testing.TB, h Harness, sub func(t testing.TB, name string, f func(testing.TB))) {
	t.Helper()
	if h.Open == nil {
		t.Fatal("backendtest: Harness.Open is missing")
	}
	if h.Resolution <= 0 {
		h.Resolution = time.Second
	}
	if h.Contention == 0 {
		h.Contention = 16
	}
	if h.Contention < 2 {
		t.Fatal("backendtest: Harness.Contention must be at least 2")
	}
	if h.MaxSize != 0 && h.MaxSize < minMaxSize {
		t.Fatalf("backendtest: Harness.MaxSize must be at least %d", minMaxSize)
	}
	s := &suite{Harness: h}
	s.main = s.open(t, h.Open)
	s.second = s.main
	if h.Reopen != nil {
		s.second = s.open(t, h.Reopen)
	}

	var left []string
	var waiting []waitingRule
	look := func() {
		if len(waiting) > 0 {
			s.wait(shortTTL + h.Resolution)
		}
		for _, w := range waiting {
			sub(t, w.name+"/after", func(t testing.TB) { w.verify(newCheck(t, s, w.rule)) })
		}
		waiting = nil
	}
	for _, r := range rules() {
		if r.needs != nil {
			if missing := r.needs(s); missing != "" {
				left = append(left, r.name+" ("+missing+")")
				continue
			}
		}
		if r.run != nil {
			look()
			sub(t, r.name, func(t testing.TB) { r.run(newCheck(t, s, r)) })
			continue
		}
		sub(t, r.name+"/before", func(t testing.TB) {
			waiting = append(waiting, waitingRule{r, r.prepare(newCheck(t, s, r))})
		})
	}
	look()
	if len(left) > 0 {
		t.Logf("not checked: %s", strings.Join(left, ", "))
	}
}

// open opens a backend that lives as long as t.
func (s *suite) open(t testing.TB, open func(testing.TB) backend.Backend) backend.Backend {
	b := open(t)
	if b == nil {
		t.Fatal("backendtest: the harness opened no backend")
	}
	if c, ok := b.(io.Closer); ok {
		t.Cleanup(func() { c.Close() })
	}
	return b
}

// wait lets a time pass for the store.
func (s *suite) wait(d time.Duration) {
	if s.Advance != nil {
		s.Advance(d)
		s.advanced.Add(int64(d))
		return
	}
	time.Sleep(d)
}

// now returns the time as the store should see it.
func (s *suite) now() time.Time { return time.Now().Add(time.Duration(s.advanced.Load())) }
