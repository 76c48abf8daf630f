package filebackend

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// TestLockObeysTheDeadline holds a lock in this and in another process, and
// waits for it.
func TestLockObeysTheDeadline(t *testing.T) {
	dir := t.TempDir()
	b, second := openFor(t, Config{Dir: dir, NoSync: true}), openFor(t, Config{Dir: dir, NoSync: true})
	mustCreate(t, b, "k", "data", time.Hour)
	l, err := b.lockShard(context.Background(), shardOf(fileName("k")))
	if err != nil {
		t.Fatal(err)
	}
	for name, waiting := range map[string]*Backend{"same process": b, "other process": second} {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		wantErr(t, "Delete in the "+name, waiting.Delete(ctx, "k", nil), context.DeadlineExceeded)
		cancel()
		mustHold(t, waiting, "k", "data") // reading takes no lock
	}

	// Close ends the wait without a deadline.
	done := make(chan error)
	go func() { done <- second.Delete(context.Background(), "k", nil) }()
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "Delete", <-done, backend.ErrClosed)

	l.release()
	if err := b.Delete(context.Background(), "k", nil); err != nil {
		t.Errorf("Delete when the lock is free: %v", err)
	}
}

// TestWrongKeysLeaveNoTrace asks for keys that are not there.
func TestWrongKeysLeaveNoTrace(t *testing.T) {
	dir := t.TempDir()
	b := openFor(t, Config{Dir: dir, MaxSessions: 10})
	ctx := context.Background()
	wantErr(t, "Load", loadErr(b, "k"), backend.ErrNotFound)
	wantErr(t, "Touch", b.Touch(ctx, "k", time.Hour), backend.ErrNotFound)
	_, err := b.Update(ctx, "k", nil, time.Hour, nil)
	wantErr(t, "Update", err, backend.ErrNotFound)
	if err := b.Delete(ctx, "k", nil); err != nil {
		t.Error(err)
	}
	if err := b.Ping(ctx); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("the directory has %d entries, %v", len(entries), err)
	}
}

func TestPingWithoutDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sessions")
	b := openFor(t, Config{Dir: dir})
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := b.Ping(context.Background()); err == nil {
		t.Error("Ping found nothing wrong with a removed directory")
	}
	if err := tryCreate(b, "k"); err == nil {
		t.Error("Create stored something in a removed directory")
	}
}
