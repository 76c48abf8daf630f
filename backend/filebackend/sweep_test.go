package filebackend

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// TestSweepGoesOn sweeps in small batches from two backends, with live
// sessions between the expired ones.
func TestSweepGoesOn(t *testing.T) {
	const n = 300
	dir := t.TempDir()
	b, second := openFor(t, Config{Dir: dir, NoSync: true}), openFor(t, Config{Dir: dir, NoSync: true})
	for i := range n {
		mustCreate(t, b, fmt.Sprint("short ", i), "data", time.Second)
		mustCreate(t, b, fmt.Sprint("long ", i), "data", time.Hour)
	}
	later := time.Now().Add(2 * time.Second)
	b.now = func() time.Time { return later }
	second.now = b.now
	total := 0
	for i := 0; ; i++ {
		removed, err := []*Backend{b, second}[i%2].Sweep(context.Background(), 7)
		if err != nil {
			t.Fatal(err)
		}
		total += removed
		if removed < 7 {
			break
		}
	}
	if left := len(files(t, dir)); total != n || left != n {
		t.Errorf("%d were removed and %d are left, want %d and %[3]d", total, left, n)
	}
}

// TestSweepResumes interrupts a sweep and checks that the next one does not
// begin where the first one did.
func TestSweepResumes(t *testing.T) {
	b := openFor(t, Config{NoSync: true})
	for i := range 200 {
		mustCreate(t, b, fmt.Sprint(i), "data", time.Second)
	}
	later := time.Now().Add(2 * time.Second)
	b.now = func() time.Time { return later }
	if n, err := b.Sweep(context.Background(), 50); n != 50 || err != nil {
		t.Fatalf("Sweep: %d, %v", n, err)
	}
	at := b.sweepAt.Load()
	if at == 0 {
		t.Error("the next sweep begins where this one did")
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.now = func() time.Time { cancel(); return later } // in the middle of the work
	if _, err := b.Sweep(ctx, 50); err == nil {
		t.Error("a sweep went on when its context was done")
	}
	if b.sweepAt.Load() < at {
		t.Error("the sweep after an interrupted one begins at the start")
	}
}

func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	b := openFor(t, Config{Dir: dir, NoSync: true})
	mustCreate(t, b, "k", "data", time.Hour)
	shard := filepath.Dir(path(dir, "k"))
	old := time.Now().Add(-2 * tempAge)
	for _, f := range []struct {
		path string
		old  bool
		want bool
	}{
		{filepath.Join(shard, newTempName()), true, false},
		{filepath.Join(shard, newTempName()), false, true},
		{filepath.Join(dir, newTempName()), true, false},
		{filepath.Join(dir, newTempName()), false, true},
		{filepath.Join(dir, "2029240f6d1128be89ddc32729463129"), true, true}, // Flask's
		{filepath.Join(shard, "README"), true, true},
	} {
		put(t, f.path, []byte("half a sess"))
		if f.old {
			if err := os.Chtimes(f.path, old, old); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := b.Sweep(context.Background(), 10); n != 0 || err != nil {
			t.Fatalf("Sweep: %d, %v", n, err)
		}
		if _, err := os.Lstat(f.path); (err == nil) != f.want {
			t.Errorf("%s, old %v: is there %v, want %v", filepath.Base(f.path), f.old, err == nil, f.want)
		}
	}
	mustHold(t, b, "k", "data")
}

// TestTouchBeyondTheFileSystem touches a session to a time that some file
// systems cannot store: ext4 ends in 2446, XFS without bigtime in 2038.
func TestTouchBeyondTheFileSystem(t *testing.T) {
	dir := t.TempDir()
	b := openFor(t, Config{Dir: dir, NoSync: true})
	year := time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC)
	b.now = func() time.Time { return year }
	rev := mustCreate(t, b, "k", "data", time.Hour)
	if err := b.Touch(context.Background(), "k", 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	rec := mustHold(t, b, "k", "data")
	if want := year.Add(2 * time.Hour); !rec.Expires.Equal(want) {
		t.Errorf("the session expires at %v, want %v", rec.Expires.UTC(), want)
	}
	if _, err := b.Update(context.Background(), "k", []byte("more"), time.Hour, rev); err != nil {
		t.Errorf("Update on the revision from before the touch: %v", err)
	}
}

// TestTouchKeepsTheFile checks that a touch writes no new file, and that an
// Update after it may shorten the life again.
func TestTouchKeepsTheFile(t *testing.T) {
	dir := t.TempDir()
	b := openFor(t, Config{Dir: dir, NoSync: true})
	rev := mustCreate(t, b, "k", "data", time.Hour)
	before, err := os.ReadFile(path(dir, "k"))
	if err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(path(dir, "k"))
	if err := b.Touch(context.Background(), "k", 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path(dir, "k"))
	touched, _ := os.Stat(path(dir, "k"))
	if err != nil || string(before) != string(after) || !os.SameFile(info, touched) {
		t.Errorf("the touch changed the file, %v", err)
	}
	if _, err := b.Update(context.Background(), "k", []byte("more"), time.Minute, rev); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(2 * time.Minute)
	b.now = func() time.Time { return later }
	wantErr(t, "Load", loadErr(b, "k"), backend.ErrNotFound)
}

func TestListSkipsExpired(t *testing.T) {
	b := openFor(t, Config{NoSync: true})
	for i := range 50 {
		mustCreate(t, b, fmt.Sprint("short ", i), "data", time.Second)
		mustCreate(t, b, fmt.Sprint("long ", i), "data", time.Hour)
	}
	later := time.Now().Add(2 * time.Second)
	b.now = func() time.Time { return later }
	keys, next, err := b.List(context.Background(), "", "", 1000)
	if len(keys) != 50 || next != "" || err != nil {
		t.Errorf("List: %d keys, a cursor of %d bytes, %v", len(keys), len(next), err)
	}
}

// TestModificationTime sees the expiry in the file's modification time, also
// after an update that shortens it, and lets a backup take it away: neither a
// live session may be swept then, nor an expired one stay.
func TestModificationTime(t *testing.T) {
	dir := t.TempDir()
	b := openFor(t, Config{Dir: dir, NoSync: true})
	mustCreate(t, b, "k", "data", time.Hour)
	wantTime := func(ttl time.Duration) {
		t.Helper()
		info, err := os.Stat(files(t, dir)[0])
		if err != nil {
			t.Fatal(err)
		}
		// A second is what the coarsest file systems store.
		if left := time.Until(info.ModTime()); left > ttl+time.Second || left < ttl-time.Minute {
			t.Errorf("the modification time is in %v, want %v", left, ttl)
		}
	}
	wantTime(time.Hour)
	rec := mustHold(t, b, "k", "data")
	if _, err := b.Update(context.Background(), "k", []byte("more"), 10*time.Minute, rec.Revision); err != nil {
		t.Fatal(err)
	}
	wantTime(10 * time.Minute)

	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(files(t, dir)[0], old, old); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Sweep(context.Background(), 10); n != 0 || err != nil {
		t.Errorf("Sweep of a live session: %d, %v", n, err)
	}
	mustHold(t, b, "k", "more")
	later := time.Now().Add(11 * time.Minute)
	b.now = func() time.Time { return later }
	if n, err := b.Sweep(context.Background(), 10); n != 1 || err != nil {
		t.Errorf("Sweep of an expired session: %d, %v", n, err)
	}
}

// BenchmarkSweepLive is the pass of a sweeper over sessions of which none has
// expired; a session is an operation.
func BenchmarkSweepLive(b *testing.B) {
	s := openFor(b, Config{NoSync: true})
	const n = 20_000
	for i := range n {
		mustCreate(b, s, fmt.Sprint(i), "data", time.Hour)
	}
	b.ResetTimer()
	for done := 0; done < b.N; done += n {
		if removed, err := s.Sweep(context.Background(), 1000); removed != 0 || err != nil {
			b.Fatal(removed, err)
		}
	}
}
