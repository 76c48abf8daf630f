package backendtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

const (
	// shortTTL is the time to live of records that are meant to expire. The
	// half second shows a store that rounds down to whole seconds.
	shortTTL = 1500 * time.Millisecond

	// longTTL is the time to live of records that are meant to stay.
	longTTL = time.Hour

	// caseTimeout bounds a case, so that a store that hangs is a failure.
	caseTimeout = 2 * time.Minute
)

// A check is the run of one rule. All its methods but broken and those of its
// backends end the case when the rule is broken, so they must be called by
// the goroutine of the test only.
type check struct {
	*suite
	t      testing.TB
	rule   rule
	ctx    context.Context
	b      *watched
	second *watched // as another process has it
}

func newCheck(t testing.TB, s *suite, r rule) *check {
	ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
	t.Cleanup(cancel)
	return &check{
		suite: s, t: t, rule: r, ctx: ctx,
		b:      &watched{Backend: s.main, t: t},
		second: &watched{Backend: s.second, t: t},
	}
}

// broken reports the rule as broken and ends the case.
func (c *check) broken(format string, args ...any) {
	c.t.Helper()
	report(c.t, c.rule.text, format, args...)
	c.t.FailNow()
}

// report prints a broken rule. Any goroutine may call it.
func report(t testing.TB, text, format string, args ...any) {
	t.Helper()
	t.Errorf("broken rule: %s\n\tseen: %s", text, fmt.Sprintf(format, args...))
}

// newKey returns a key that was never used.
func newKey() string { return "bt:" + rand.Text() }

// newData returns data of n bytes, at least 26, that was never used, as
// package sessions never writes the same bytes twice. Like all data but some
// payloads it is a JSON object, which a backend of any kind takes.
func newData(n int) []byte {
	text := rand.Text()
	return object(n, func(i int) byte { return text[i%len(text)] })
}

// object returns a JSON object of n bytes with one string in it. char gives
// the characters of the string, none of which JSON escapes.
func object(n int, char func(i int) byte) []byte {
	const begin, end = `{"d":"`, `"}`
	d := append(make([]byte, 0, n), begin...)
	for i := range n - len(begin) - len(end) {
		d = append(d, char(i))
	}
	return append(d, end...)
}

func (c *check) must(op string, err error) {
	c.t.Helper()
	if err != nil {
		c.broken("%s failed: %v", op, err)
	}
}

// wants checks that an operation failed, and with which error.
func (c *check) wants(op string, err, want error) {
	c.t.Helper()
	if err == nil {
		c.broken("%s succeeded, want the error %q", op, want)
	}
	if !errors.Is(err, want) {
		c.broken("%s failed with %q, which is not the error %q", op, err, want)
	}
}

// create stores data under a new key.
func (c *check) create(data []byte, ttl time.Duration) (key string, rev backend.Revision) {
	c.t.Helper()
	key = newKey()
	return key, c.createAs(key, data, ttl)
}

func (c *check) createAs(key string, data []byte, ttl time.Duration) backend.Revision {
	c.t.Helper()
	rev, err := c.b.Create(c.ctx, key, data, ttl)
	c.must("Create", err)
	return rev
}

func (c *check) update(key string, data []byte, ttl time.Duration, base backend.Revision) backend.Revision {
	c.t.Helper()
	rev, err := c.b.Update(c.ctx, key, data, ttl, base)
	c.must("Update", err)
	return rev
}

func (c *check) touch(key string, ttl time.Duration) {
	c.t.Helper()
	c.must("Touch", c.b.Touch(c.ctx, key, ttl))
}

func (c *check) delete(key string, base backend.Revision) {
	c.t.Helper()
	c.must("Delete", c.b.Delete(c.ctx, key, base))
}

// holds checks that the record under key is there with this data, for both
// processes, and returns it.
func (c *check) holds(key string, data []byte) backend.Record {
	c.t.Helper()
	rec, err := c.second.Load(c.ctx, key)
	if err == nil && bytes.Equal(rec.Data, data) {
		rec, err = c.b.Load(c.ctx, key)
	}
	if err != nil {
		c.broken("Load failed: %v", err)
	}
	if !bytes.Equal(rec.Data, data) {
		c.broken("Load returned other data: %s, want %s", brief(rec.Data), brief(data))
	}
	return rec
}

// missing checks that there is no record under key, for both processes.
func (c *check) missing(key string) {
	c.t.Helper()
	for _, b := range []*watched{c.b, c.second} {
		_, err := b.Load(c.ctx, key)
		c.wants("Load", err, backend.ErrNotFound)
	}
}

// brief shows data without filling the screen.
func brief(d []byte) string {
	if len(d) > 32 {
		return fmt.Sprintf("%q... (%d bytes)", d[:32], len(d))
	}
	return fmt.Sprintf("%q", d)
}

// alive runs f, which makes a record with the time to live that it is given
// and uses it, again with a longer one until f was done while the record
// still had to be there: a slow machine must not look like a broken rule.
// f returns false when what it saw is only right for an expired record.
func (c *check) alive(f func(ttl time.Duration) bool) {
	c.t.Helper()
	for ttl := shortTTL; ; ttl *= 2 {
		start := time.Now()
		if f(ttl) {
			return
		}
		if time.Since(start) < ttl {
			c.broken("a record was gone after %v of its %v", time.Since(start).Round(time.Millisecond), ttl)
		}
	}
}

// race runs f in n goroutines at once and returns when all are done. The
// first error breaks the rule. i counts from 0; odd ones get the backend of
// the second process.
func (c *check) race(n int, f func(i int, b backend.Backend) error) {
	c.t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, n)
	start := make(chan struct{})
	for i := range n {
		b := c.b
		if i%2 == 1 {
			b = c.second
		}
		wg.Go(func() {
			<-start
			errs[i] = f(i, b)
		})
	}
	close(start)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			c.broken("%v", err)
		}
	}
}
