package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/ginsession"
)

// How much more there may be at the end of a soak than after its first fifth:
// what the collector leaves lying about, and a tenth.
const (
	soakSlack  = 4 << 20
	soakGrowth = 1.1
)

// idleSessions lie in the store during a soak, to show what they hold.
const idleSessions = 100_000

// A sample is what is counted now and then during a soak.
type sample struct {
	requests   int64
	heap       int64
	goroutines int
}

// soakApp has short sessions, so that they end during the soak, and handlers
// that use all of the library: reads, writes, creation, flashes, regeneration
// and destruction.
func soakApp() (http.Handler, *memorybackend.Backend, *sessions.Manager, error) {
	mem, err := memorybackend.New(memorybackend.Config{MaxSessions: 1 << 30})
	if err != nil {
		return nil, nil, nil, err
	}
	m, err := sessions.NewManager(sessions.Config{Backend: mem, Lifetime: 2 * time.Second, SweepInterval: 500 * time.Millisecond})
	if err != nil {
		return nil, nil, nil, err
	}
	r := newGin()
	r.Use(ginsession.New(m))
	handle := func(path string, use func(*sessions.Session)) {
		r.GET(path, func(c *gin.Context) {
			use(sessions.Default(c))
			_, _ = c.Writer.WriteString(nothing)
		})
	}
	handle("/untouched", func(*sessions.Session) {})
	handle("/create", func(s *sessions.Session) { _ = ourFill(s, tenKeys) })
	handle("/idle", func(s *sessions.Session) { _ = ourFill(s, twoKeys); s.SetLifetime(lifetime) })
	handle("/read", func(s *sessions.Session) { _, _ = ourGet(s, readKey) })
	handle("/write", func(s *sessions.Session) { _, _ = ourCount(s) })
	handle("/flash", func(s *sessions.Session) { s.AddFlash("saved"); _ = s.Flashes() })
	handle("/login", func(s *sessions.Session) { _ = s.Regenerate() })
	handle("/logout", func(s *sessions.Session) { _ = s.Destroy() })
	return r, mem, m, nil
}

// runSoak serves requests over HTTP for a time and fails when the heap or the
// number of goroutines has grown. It leaves two heap profiles in the
// directory.
func runSoak(opt options) (section, error) {
	handler, mem, m, err := soakApp()
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = m.Close(), mem.Close() }()
	l, err := app{http: handler}.listen()
	if err != nil {
		return nil, err
	}
	defer l.Close()

	var out cell
	heap, goroutines := heapInUse(), runtime.NumGoroutine()
	if _, err := makeSessions(l.Addr().String(), "/idle", idleSessions); err != nil {
		return nil, err
	}
	time.Sleep(100 * time.Millisecond) // the connections are closed
	more := runtime.NumGoroutine() - goroutines
	out.add("idle bytes", float64(heapInUse()-heap)/idleSessions)
	out.add("idle goroutines", float64(more))
	if more > 8 {
		return nil, fmt.Errorf("%d idle sessions have left %d goroutines", idleSessions, more)
	}

	samples, err := soak(opt, l.Addr().String())
	if err != nil {
		return nil, err
	}
	first, last := samples[0], samples[len(samples)-1]
	out.add("requests", float64(last.requests))
	for _, s := range samples {
		out.add("heap", float64(s.heap))
		out.add("goroutines", float64(s.goroutines))
	}
	if limit := int64(soakGrowth*float64(first.heap)) + soakSlack; last.heap > limit {
		err = fmt.Errorf("the heap has grown from %d to %d bytes in %d requests: compare the profiles with go tool pprof -diff_base", first.heap, last.heap, last.requests-first.requests)
	}
	if last.goroutines > first.goroutines {
		err = errors.Join(err, fmt.Errorf("the goroutines have grown from %d to %d", first.goroutines, last.goroutines))
	}
	return section{"soak": {"figures": out}}, err
}

// soak makes requests for a time, and samples in five pauses.
func soak(opt options, addr string) (samples []sample, err error) {
	const phases = 5
	var requests atomic.Int64
	conns := make([]*conn, 16)
	for i := range conns {
		if conns[i], err = dial(addr); err != nil {
			return nil, err
		}
		defer conns[i].Close()
	}
	for phase := range phases {
		errs := make([]error, len(conns))
		end := time.Now().Add(opt.soak / phases)
		var wg sync.WaitGroup
		for i, c := range conns {
			wg.Go(func() {
				for errs[i] == nil && time.Now().Before(end) {
					var n int64
					n, errs[i] = visit(c)
					requests.Add(n)
				}
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		// What was made in the phase has expired and was swept; without that
		// each sample would have the sessions of a random moment.
		time.Sleep(3500 * time.Millisecond)
		samples = append(samples, sample{requests.Load(), heapInUse(), runtime.NumGoroutine()})
		if phase == 0 || phase == phases-1 {
			if err := heapProfile(opt, len(samples)); err != nil {
				return nil, err
			}
		}
	}
	return samples, nil
}

// visit is what one visitor does.
func visit(c *conn) (requests int64, err error) {
	cookie := ""
	for _, path := range slices.Concat([]string{"/untouched", "/create"}, strings.Fields(strings.Repeat("/read /write ", 8)), []string{"/flash", "/login", "/read", "/logout"}) {
		var res response
		if err := c.do(request(path, cookie), &res); err != nil {
			return requests, fmt.Errorf("%s: %w", path, err)
		}
		requests++
		if res.cookie != "" {
			cookie = res.cookie
		}
	}
	// And one who never comes back, whose session expires.
	return requests + 1, c.do(request("/create", ""), nil)
}

func heapProfile(opt options, n int) error {
	dir := opt.dir
	if dir == "" {
		dir = os.TempDir()
	}
	f, err := os.Create(filepath.Join(dir, fmt.Sprintf("sessions-soak-%d.pprof", n)))
	if err != nil {
		return err
	}
	progress("soak: a heap profile in %s", f.Name())
	return errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close())
}
