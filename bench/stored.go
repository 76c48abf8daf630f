package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/filebackend"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/backend/sqlbackend"
)

// payload is the size of a stored session, in bytes.
const payload = 500

// liveShare is how many of the sessions outlive the filling: one in this many
// is read, and the others are swept.
const liveShare = 10

// An opened is a store that is filled, and what removes it.
type opened struct {
	backend.Backend
	remove func() error
}

// fillTime and sweepTime are how long a store is filled and swept at most, so
// that a slow disk does not make the run endless.
const (
	fillTime  = 3 * time.Minute
	sweepTime = 30 * time.Second
)

// stores are filled with more and more sessions. The files and the database
// are not flushed with every write, as a million flushes would take hours.
var stores = []struct {
	name string
	most int
	open func(dir string) (opened, error)
}{
	{"memory", 1e6, func(string) (opened, error) {
		b, err := memorybackend.New(memorybackend.Config{MaxSessions: 1 << 30})
		if err != nil {
			return opened{}, err
		}
		return opened{b, b.Close}, nil
	}},
	{"filesystem", 1e6, func(dir string) (opened, error) { return openFiles(dir, true) }},
	{"filesystem, flushed", 1e3, func(dir string) (opened, error) { return openFiles(dir, false) }},
	{"SQLite", 1e6, func(dir string) (opened, error) {
		dir, err := os.MkdirTemp(dir, "sessions-bench-")
		if err != nil {
			return opened{}, err
		}
		db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "sessions.db")+
			"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(10000)&_txlock=immediate")
		if err != nil {
			return opened{}, errors.Join(err, os.RemoveAll(dir))
		}
		return opened{sqlbackend.New(db), func() error { return errors.Join(db.Close(), os.RemoveAll(dir)) }}, nil
	}},
}

func openFiles(dir string, noSync bool) (opened, error) {
	dir, err := os.MkdirTemp(dir, "sessions-bench-")
	if err != nil {
		return opened{}, err
	}
	b, err := filebackend.New(filebackend.Config{Dir: filepath.Join(dir, "sessions"), NoSync: noSync})
	if err != nil {
		return opened{}, errors.Join(err, os.RemoveAll(dir))
	}
	return opened{b, func() error { return errors.Join(b.Close(), os.RemoveAll(dir)) }}, nil
}

// runStored fills each store and measures it at each number of sessions.
func runStored(opt options) (section, error) {
	out := section{}
	for _, s := range stores {
		b, err := s.open(opt.dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		counts := slices.DeleteFunc(slices.Clone(opt.stored), func(n int) bool { return n > s.most })
		err = fill(b, counts, func(n int, c cell) {
			out.put(s.name, fmt.Sprint(n), c)
			progress("stored: %s, %d sessions", s.name, n)
		})
		if err = errors.Join(err, b.remove()); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return out, nil
}

func storeKey(n int) string { return fmt.Sprintf("session:%043d", n) }

// fill stores sessions and measures whenever their number is in counts. Then
// it sweeps, while others read and create.
func fill(b opened, counts []int, report func(int, cell)) error {
	ctx := context.Background()
	last, reached := counts[len(counts)-1], 0
	var c cell
	end := time.Now().Add(fillTime)
	memory := heapInUse()
	data := make([]byte, payload)
	var creating []time.Duration
	n := 1
	for ; n <= last && (reached == 0 || time.Now().Before(end)); n++ {
		_, _ = rand.Read(data[:16])
		ttl := time.Second
		if n%liveShare == 0 {
			ttl = lifetime
		}
		begin := time.Now()
		if _, err := b.Create(ctx, storeKey(n), data, ttl); err != nil {
			return err
		}
		creating = append(creating, time.Since(begin))
		if !slices.Contains(counts, n) {
			continue
		}
		if reached > 0 {
			report(reached, c)
		}
		reached, c = n, nil
		// Of the newest: the first of many fill what caches there are.
		addTimes(&c, "create", creating[max(0, len(creating)-n/2):])
		creating = nil
		reads, err := reading(ctx, b, n, func(i int) bool { return i < 2000 })
		if err != nil {
			return err
		}
		addTimes(&c, "read", reads)
		c.add("bytes", float64(heapInUse()-memory)/float64(n))
	}
	time.Sleep(1100 * time.Millisecond) // the last ones expire
	err := sweeping(ctx, b, n-1, &c)
	report(reached, c)
	return err
}

// reading reads live sessions in an order that no cache knows, while more
// says so.
func reading(ctx context.Context, b opened, n int, more func(i int) bool) ([]time.Duration, error) {
	var times []time.Duration
	live := n / liveShare
	for i := 0; more(i); i++ {
		key := storeKey(liveShare * (1 + int(uint32(i)*2654435761%uint32(live)))) // Knuth's hash
		begin := time.Now()
		if _, err := b.Load(ctx, key); err != nil {
			return nil, err
		}
		times = append(times, time.Since(begin))
	}
	return times, nil
}

// sweeping removes the expired sessions while one goroutine reads and another
// creates.
func sweeping(ctx context.Context, b opened, n int, c *cell) error {
	var done atomic.Bool
	var reads, creates []time.Duration
	errs := make(chan error, 2)
	// A pause between two requests leaves the processor to the sweeper: what
	// is measured is how long a request waits for it.
	pause := func() { time.Sleep(time.Millisecond) }
	go func() {
		var err error
		reads, err = reading(ctx, b, n, func(int) bool { pause(); return !done.Load() })
		errs <- err
	}()
	go func() {
		data := make([]byte, payload)
		for i := n + 1; !done.Load(); i++ {
			pause()
			begin := time.Now()
			if _, err := b.Create(ctx, storeKey(i), data, lifetime); err != nil {
				errs <- err
				return
			}
			creates = append(creates, time.Since(begin))
		}
		errs <- nil
	}()
	m, err := sessions.NewManager(sessions.Config{Backend: b.Backend, SweepInterval: -1}) //nolint:contextcheck // it starts no sweeper
	if err != nil {
		return err
	}
	begin := time.Now()
	short, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	removed, err := m.Sweep(short)
	stopped := errors.Is(err, context.DeadlineExceeded)
	if stopped {
		err = nil
	}
	c.add("sweep seconds", time.Since(begin).Seconds())
	c.add("swept", float64(removed))
	done.Store(true)
	if err = errors.Join(err, <-errs, <-errs); err != nil {
		return err
	}
	if want := n - n/liveShare; removed != want && !stopped {
		return fmt.Errorf("swept %d sessions instead of %d", removed, want)
	}
	addTimes(c, "read beside sweep", reads)
	addTimes(c, "create beside sweep", creates)
	return nil
}

// addTimes adds the median, the 99th percentile and the maximum, in
// microseconds.
func addTimes(c *cell, name string, times []time.Duration) {
	if len(times) == 0 {
		return
	}
	times = slices.Sorted(slices.Values(times))
	micros := func(i int) float64 { return float64(times[i].Nanoseconds()) / 1000 }
	c.add(name+" p50", micros(len(times)/2))
	c.add(name+" p99", micros(len(times)*99/100))
	c.add(name+" max", micros(len(times)-1))
}

// heapInUse returns the bytes of the objects that are alive.
func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
