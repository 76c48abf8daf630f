package filebackend

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// TestFlaskRaces has Flask write between the comparison and the change of an
// operation, and then again while its first write is put back. Nothing of
// Flask's may be lost.
func TestFlaskRaces(t *testing.T) {
	ctx := context.Background()
	const key = "k"
	operations := map[string]struct {
		stored string // before, if anything
		ttl    time.Duration
		run    func(b *Backend, rev backend.Revision) error
		want   error
	}{
		"Update": {"old", time.Hour, func(b *Backend, rev backend.Revision) error {
			_, err := b.Update(ctx, key, []byte("ours"), time.Hour, rev)
			return err
		}, backend.ErrConflict},
		"Delete": {"old", time.Hour, func(b *Backend, rev backend.Revision) error {
			return b.Delete(ctx, key, rev)
		}, backend.ErrConflict},
		"Create": {"", 0, func(b *Backend, _ backend.Revision) error {
			_, err := b.Create(ctx, key, []byte("ours"), time.Hour)
			return err
		}, backend.ErrExists},
		"Create over an expired one": {"old", -time.Hour, func(b *Backend, _ backend.Revision) error {
			_, err := b.Create(ctx, key, []byte("ours"), time.Hour)
			return err
		}, backend.ErrExists},
		"Sweep": {"old", -time.Hour, func(b *Backend, _ backend.Revision) error {
			if n, err := b.Sweep(ctx, 10); n != 0 || err != nil {
				return err
			}
			return backend.ErrConflict // as it removed nothing
		}, backend.ErrConflict},
	}
	for name, op := range operations {
		for _, writes := range []string{"1", "12", "123"} {
			t.Run(name+"/"+writes, func(t *testing.T) {
				dir := t.TempDir()
				b := openFor(t, Config{Dir: dir, Flask: backend.FlaskSession2})
				flask := application{dir, md5Names}
				if op.stored != "" {
					file, _ := encodeFlask([]byte(op.stored), uint32(time.Now().Add(op.ttl).Unix()))
					put(t, flask.path(key), file)
				}
				_, rev := encodeFlask([]byte(op.stored), 0)
				done := 0
				b.between = func() {
					if done < len(writes) {
						flask.set(t, key, []byte(writes[done:done+1]))
						done++
					}
				}
				err := op.run(b, rev)
				if done == 0 {
					t.Fatal("Flask wrote nothing")
				}
				wantErr(t, name, err, op.want)
				mustHold(t, b, key, writes[done-1:done])
				for _, f := range files(t, dir) {
					if f != flask.path(key) && !isLock(b, f) {
						t.Errorf("%s is left", f)
					}
				}
			})
		}
	}
}

func isLock(b *Backend, path string) bool {
	info, err := b.root.Lstat(b.lockDir())
	dir, dirErr := os.Stat(path[:len(path)-len("/00")])
	return err == nil && dirErr == nil && os.SameFile(info, dir) || len(path) > 6 && path[len(path)-6:] == "/count"
}

// TestFlaskRemovalRaces has Flask remove the session at these moments.
func TestFlaskRemovalRaces(t *testing.T) {
	ctx := context.Background()
	for name, run := range map[string]func(b *Backend, rev backend.Revision) error{
		"Update": func(b *Backend, rev backend.Revision) error {
			_, err := b.Update(ctx, "k", []byte("ours"), time.Hour, rev)
			return err
		},
		"Delete": func(b *Backend, rev backend.Revision) error { return b.Delete(ctx, "k", rev) },
	} {
		for at := range 2 {
			dir := t.TempDir()
			b := openFor(t, Config{Dir: dir, Flask: backend.FlaskSession2})
			flask := application{dir, md5Names}
			flask.set(t, "k", []byte("old"))
			_, rev := encodeFlask([]byte("old"), 0)
			calls := 0
			b.between = func() {
				switch calls++; {
				case calls-1 == at:
					os.Remove(flask.path("k"))
				case calls == 1: // it will have to be put back
					flask.set(t, "k", []byte("theirs"))
				}
			}
			if err := run(b, rev); !errors.Is(err, backend.ErrNotFound) && !errors.Is(err, backend.ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
			if name == "Update" || at == 0 {
				wantErr(t, "Load after "+name, loadErr(b, "k"), backend.ErrNotFound)
			}
		}
	}
}

// TestFlaskCrowd has several programs of this package change a session while
// Flask stores it again and again. Each time, what Flask has stored must be
// there until Flask stores the next: whoever has changed it has changed that.
func TestFlaskCrowd(t *testing.T) {
	const key, writers, writes = "k", 3, 1500
	dir, ctx := t.TempDir(), context.Background()
	flask := application{dir, md5Names}
	flask.set(t, key, []byte("0 by Flask"))
	var stop, updates, conflicts atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		b := openFor(t, Config{Dir: dir, Flask: backend.FlaskSession2, NoSync: true})
		wg.Go(func() {
			for stop.Load() == 0 {
				rec, err := b.Load(ctx, key)
				if err != nil {
					t.Error(err)
					return
				}
				n, _, _ := strings.Cut(string(rec.Data), " ")
				switch _, err = b.Update(ctx, key, []byte(n+" "+rand.Text()), time.Hour, rec.Revision); {
				case err == nil:
					updates.Add(1)
				case errors.Is(err, backend.ErrConflict):
					conflicts.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	reader := openFor(t, Config{Dir: dir, Flask: backend.FlaskSession2})
	for i := 1; i <= writes && !t.Failed(); i++ {
		number := strconv.Itoa(i)
		flask.set(t, key, []byte(number+" by Flask"))
		var data string
		for range 10_000 { // while something is put back, older data is seen
			rec, err := reader.Load(ctx, key)
			if err != nil {
				t.Fatal(err)
			}
			if data = string(rec.Data); strings.HasPrefix(data, number+" ") {
				break
			}
		}
		if !strings.HasPrefix(data, number+" ") {
			t.Errorf("Flask stored %s, and there is %q", number, data)
		}
	}
	stop.Store(1)
	wg.Wait()
	if updates.Load() == 0 || conflicts.Load() == 0 {
		t.Errorf("%d updates and %d conflicts show nothing", updates.Load(), conflicts.Load())
	}
}
