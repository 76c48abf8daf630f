package filebackend

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

func TestLimit(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{Dir: dir, NoSync: true, MaxSessions: 3}
	b, second := openFor(t, cfg), openFor(t, cfg)
	for i := range 3 {
		mustCreate(t, []*Backend{b, second}[i%2], fmt.Sprint(i), "data", time.Hour)
	}
	for range 3 {
		wantErr(t, "Create", tryCreate(b, "x"), backend.ErrFull)
		wantErr(t, "Create of the other", tryCreate(second, "x"), backend.ErrFull)
	}
	for i := range 3 {
		mustHold(t, b, fmt.Sprint(i), "data")
	}
	// What is there can be changed, and a repeated Create is none.
	rec := mustHold(t, b, "0", "data")
	if _, err := b.Update(context.Background(), "0", []byte("more"), time.Hour, rec.Revision); err != nil {
		t.Error(err)
	}
	mustCreate(t, b, "1", "data", time.Hour)
	wantErr(t, "Create of a live session", tryCreate(b, "0"), backend.ErrExists)

	if err := second.Delete(context.Background(), "2", nil); err != nil {
		t.Fatal(err)
	}
	mustCreate(t, b, "x", "data", time.Hour)
	wantErr(t, "Create", tryCreate(second, "y"), backend.ErrFull)
}

func TestLimitSweepsExpired(t *testing.T) {
	dir := t.TempDir()
	b := openFor(t, Config{Dir: dir, NoSync: true, MaxSessions: 10})
	for i := range 4 {
		mustCreate(t, b, fmt.Sprint("short ", i), "data", time.Second)
	}
	for i := range 6 {
		mustCreate(t, b, fmt.Sprint("long ", i), "data", time.Hour)
	}
	wantErr(t, "Create", tryCreate(b, "x"), backend.ErrFull)
	later := time.Now().Add(2 * time.Second)
	b.now = func() time.Time { return later }
	b.census.vainly = time.Time{} // as if the search were long ago
	for i := range 4 {
		mustCreate(t, b, fmt.Sprint("new ", i), "data", time.Hour)
	}
	wantErr(t, "Create", tryCreate(b, "x"), backend.ErrFull)
	for i := range 6 {
		mustHold(t, b, fmt.Sprint("long ", i), "data")
	}
	if n := len(files(t, dir)); n != 10 {
		t.Errorf("there are %d files", n)
	}
}

// A patience is a context that ends when it was looked at a number of times.
type patience struct {
	context.Context
	left atomic.Int64
}

func patient(looks int64) *patience {
	p := &patience{Context: context.Background()}
	p.left.Store(looks)
	return p
}

func (p *patience) Err() error {
	if p.left.Add(-1) < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// TestInterruptedSearch fills the store and lets a request run out of time
// while it looks for expired sessions. The next ones must not do the same.
func TestInterruptedSearch(t *testing.T) {
	const limit = 400
	b := openFor(t, Config{NoSync: true, MaxSessions: limit})
	for i := range limit {
		mustCreate(t, b, fmt.Sprint(i), "data", time.Hour)
	}
	_, err := b.Create(patient(limit/2), "x", []byte("data"), time.Hour)
	wantErr(t, "Create without the time to search", err, context.DeadlineExceeded)
	b.census.cost = time.Hour // as if that had taken long
	at := b.sweepAt.Load()
	if at == 0 {
		t.Error("the next search begins where this one did")
	}
	_, err = b.Create(patient(limit/2), "x", []byte("data"), time.Hour)
	wantErr(t, "the next Create", err, backend.ErrFull)

	b.census.vainly = time.Time{} // as if that were long ago
	wantErr(t, "a Create with time", tryCreate(b, "x"), backend.ErrFull)
	if err := b.Delete(context.Background(), "7", nil); err != nil {
		t.Fatal(err)
	}
	mustCreate(t, b, "x", "data", time.Hour)
}

// An until is a context that ends when ended says so.
type until struct {
	context.Context
	ended func() bool
}

func (u until) Done() <-chan struct{} {
	if !u.ended() {
		return nil
	}
	done := make(chan struct{})
	close(done)
	return done
}

func (u until) Err() error {
	if u.ended() {
		return context.DeadlineExceeded
	}
	return nil
}

// TestInterruptedCount lets the first request of a process run out of time
// while it counts what is there. The next one must not begin anew.
func TestInterruptedCount(t *testing.T) {
	dir := t.TempDir()
	free := openFor(t, Config{Dir: dir, NoSync: true})
	for i := range 300 {
		mustCreate(t, free, fmt.Sprint(i), "data", time.Hour)
	}
	b := openFor(t, Config{Dir: dir, NoSync: true, MaxSessions: 300})
	create := func(ended func() bool) error {
		_, err := b.Create(until{context.Background(), ended}, "x", []byte("data"), time.Hour)
		return err
	}
	wantErr(t, "Create without the time to count", create(func() bool { return b.census.counted >= 5 }), context.DeadlineExceeded)
	at := b.census.counted
	wantErr(t, "Create, which ends when it counts anew", create(func() bool { return b.census.counted < at }), backend.ErrFull)
}

// TestExpiredSessionIsReplaced makes a session anew under a key whose session
// has expired, which is not one more.
func TestExpiredSessionIsReplaced(t *testing.T) {
	b := openFor(t, Config{NoSync: true, MaxSessions: 1})
	mustCreate(t, b, "k", "data", time.Second)
	later := time.Now().Add(2 * time.Second)
	b.now = func() time.Time { return later }
	mustCreate(t, b, "k", "new", time.Hour)
	wantErr(t, "Create", tryCreate(b, "x"), backend.ErrFull)
}

// TestLimitUnderContention lets several processes fill the store at once, and
// delete some: the limit is never exceeded, and all of it can be used.
func TestLimitUnderContention(t *testing.T) {
	const limit = 40
	dir := t.TempDir()
	cfg := Config{Dir: dir, NoSync: true, MaxSessions: limit}
	var created, deleted atomic.Int64
	var wg sync.WaitGroup
	for p := range 4 {
		b := openFor(t, cfg)
		for g := range 3 {
			wg.Go(func() {
				for i := range 20 {
					key := fmt.Sprint(p, g, i)
					switch err := tryCreate(b, key); {
					case err == nil:
						created.Add(1)
					case !errors.Is(err, backend.ErrFull):
						t.Errorf("Create: %v", err)
						continue
					default:
						continue
					}
					if i%5 == 0 {
						if err := b.Delete(context.Background(), key, nil); err != nil {
							t.Errorf("Delete: %v", err)
						}
						deleted.Add(1)
					}
					if n := len(files(t, dir)); n > 2*limit {
						t.Errorf("there are %d files", n)
					}
				}
			})
		}
	}
	wg.Wait()
	b := openFor(t, cfg)
	for i := 0; ; i++ {
		err := tryCreate(b, fmt.Sprint("last ", i))
		if errors.Is(err, backend.ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		created.Add(1)
	}
	if n := created.Load() - deleted.Load(); n != limit || len(files(t, dir)) != limit {
		t.Errorf("%d sessions in %d files with a limit of %d", n, len(files(t, dir)), limit)
	}
}

// TestCountIsRepaired starts with numbers that a power cut or a process
// without a limit left behind, too high and too low.
func TestCountIsRepaired(t *testing.T) {
	for _, wrong := range []uint32{0, 7, 1 << 31} {
		dir := filepath.Join(t.TempDir(), "sessions")
		free := openFor(t, Config{Dir: dir, NoSync: true})
		mustCreate(t, free, "k", "data", time.Hour)
		spoil := func(b *Backend) {
			t.Helper()
			err := b.census.change(context.Background(), func(c *counts) bool {
				for i := range c {
					c[i] = wrong
				}
				return true
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		b := openFor(t, Config{Dir: dir, NoSync: true, MaxSessions: 3})
		spoil(b)
		mustCreate(t, b, "l", "data", time.Hour)
		if wrong > 0 { // and while it runs, as a killed process does
			spoil(b)
			mustCreate(t, b, "m", "data", time.Hour)
		} else {
			mustCreate(t, b, "m", "data", time.Hour)
		}
		wantErr(t, "Create", tryCreate(b, "x"), backend.ErrFull)
		mustHold(t, b, "k", "data")
	}
}
