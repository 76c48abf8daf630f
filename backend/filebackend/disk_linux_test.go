package filebackend

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// cannot skips a test that needs what only root may do, and says why. Where
// every service is required and root runs the tests, it fails instead.
func cannot(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("SESSIONS_REQUIRE_SERVICES") == "1" && os.Geteuid() == 0 {
		t.Fatalf("cannot %s: %v", what, err)
	}
	t.Skipf("cannot %s (this test needs root on Linux): %v", what, err)
}

// smallDisk mounts a file system in memory.
func smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		cannot(t, "mount a tmpfs", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func wantNoTemps(t *testing.T, dir string) {
	t.Helper()
	for _, f := range files(t, dir) {
		if strings.HasSuffix(f, tempSuffix) {
			t.Error("a temporary file is left")
		}
	}
}

func fullDisk(t *testing.T) {
	dir := smallDisk(t, "256k")
	b := openFor(t, Config{Dir: dir})
	ctx := context.Background()
	const small = "a session from before"
	rev := mustCreate(t, b, "k", small, time.Minute)

	// Big sessions until no more fit, then one whose content fits halfway.
	big := strings.Repeat("x", 20<<10)
	var filled int
	var err error
	for err == nil {
		_, err = b.Create(ctx, fmt.Sprint("big ", filled), []byte(big), time.Hour)
		filled++
	}
	wantErr(t, "Create", err, syscall.ENOSPC)
	if filled < 3 {
		t.Fatalf("only %d sessions fitted", filled)
	}
	for range 3 {
		_, err = b.Update(ctx, "k", []byte(strings.Repeat("y", 64<<10)), time.Hour, rev)
		wantErr(t, "Update", err, syscall.ENOSPC)
		wantNoTemps(t, dir)
		mustHold(t, b, "k", small)
	}
	mustHold(t, b, "big 0", big)
	wantErr(t, "Load", loadErr(b, fmt.Sprint("big ", filled-1)), backend.ErrNotFound)
	if err := b.Touch(ctx, "k", time.Hour); err != nil {
		t.Errorf("Touch on a full disk: %v", err)
	}

	// Not a byte is free: still sessions can be deleted, and that makes room.
	for err = error(nil); err == nil; {
		_, err = b.Create(ctx, "fill "+newTempName(), []byte("x"), time.Hour)
	}
	wantErr(t, "Create", err, syscall.ENOSPC)
	if err := b.Delete(ctx, "big 0", nil); err != nil {
		t.Errorf("Delete on a full disk: %v", err)
	}
	if _, err := b.Update(ctx, "k", []byte("there is room"), time.Hour, rev); err != nil {
		t.Errorf("Update after Delete: %v", err)
	}
	mustHold(t, b, "k", "there is room")
	wantNoTemps(t, dir)
}

func readOnlyDisk(t *testing.T) {
	dir := smallDisk(t, "1m")
	b := openFor(t, Config{Dir: dir})
	ctx := context.Background()
	rev := mustCreate(t, b, "k", "data", time.Hour)
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, "mode=0700"); err != nil {
			t.Fatal(err)
		}
	}
	remount(syscall.MS_RDONLY)
	mustHold(t, b, "k", "data")
	_, updateErr := b.Update(ctx, "k", []byte("more"), time.Hour, rev)
	for op, err := range map[string]error{
		"Create": tryCreate(b, "l"),
		"Update": updateErr,
		"Touch":  b.Touch(ctx, "k", 2*time.Hour),
		"Delete": b.Delete(ctx, "k", nil),
		"Ping":   b.Ping(ctx),
	} {
		wantErr(t, op, err, syscall.EROFS)
	}
	mustHold(t, b, "k", "data")
	remount(0)
	if _, err := b.Update(ctx, "k", []byte("more"), time.Hour, rev); err != nil {
		t.Errorf("Update when the disk is writable again: %v", err)
	}
	if err := b.Ping(ctx); err != nil {
		t.Errorf("Ping: %v", err)
	}
}

func init() {
	roles["no files"] = runOutOfFiles
	gate["full disk"] = fullDisk
	gate["read-only disk"] = readOnlyDisk
	gate["no file descriptors"] = noFileDescriptors
	gate["power cut"] = powerCut
}

func noFileDescriptors(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sessions")
	if err := process(t, "no files", dir).Run(); err != nil {
		t.Error(err)
	}
	wantNoTemps(t, dir)
}

// runOutOfFiles is the process of noFileDescriptors. It leaves itself 0,
// 1, 2, ... free file descriptors, so that every step of a write is the one
// that fails, until a write succeeds.
func runOutOfFiles(b *Backend) error {
	ctx := context.Background()
	old := []byte("old")
	rev, err := b.Create(ctx, "k", old, time.Hour)
	if err != nil {
		return err
	}
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	var taken []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		taken = append(taken, f)
	}
	for free := 0; ; free++ {
		_, loadErr := b.Load(ctx, "k")
		_, createErr := b.Create(ctx, fmt.Sprint("new ", free), old, time.Hour)
		_, updateErr := b.Update(ctx, "k", []byte("new"), time.Hour, rev)
		for _, err := range []error{loadErr, createErr, updateErr} {
			if err != nil && !errors.Is(err, syscall.EMFILE) {
				return fmt.Errorf("with %d free descriptors: %w", free, err)
			}
		}
		if free == 0 && (loadErr == nil || createErr == nil || updateErr == nil) {
			return errors.New("the limit does not work")
		}
		if updateErr == nil && createErr == nil {
			return nil
		}
		if free == 20 {
			return errors.New("20 descriptors are not enough for a write")
		}
		taken[free].Close()
		if rec, err := b.Load(ctx, "k"); err == nil && updateErr != nil && string(rec.Data) != string(old) {
			return errors.New("an Update that failed changed the record")
		}
	}
}

// powerCut copies a disk as it is at the moment when a write returns, and
// reads the copy, as after a power cut: what the system had not yet written
// is not in it.
func powerCut(t *testing.T) {
	image := filepath.Join(t.TempDir(), "disk.img")
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			cannot(t, "run "+name, fmt.Errorf("%w: %s", err, out))
		}
	}
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 16<<20); err != nil {
		t.Fatal(err)
	}
	run("mkfs.ext4", "-q", "-F", image)
	mount := func(image string) string {
		disk := t.TempDir()
		run("mount", "-o", "loop", image, disk)
		t.Cleanup(func() {
			if err := syscall.Unmount(disk, 0); err != nil {
				t.Errorf("unmount: %v", err)
			}
		})
		return filepath.Join(disk, "var", "sessions")
	}
	cut := func() *Backend {
		t.Helper()
		content, err := os.ReadFile(image)
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(t.TempDir(), "copy.img")
		if err := os.WriteFile(at, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return openFor(t, Config{Dir: mount(at)})
	}
	dir := mount(image)
	b := openFor(t, Config{Dir: dir})
	ctx := context.Background()
	big := strings.Repeat("x", 100<<10)

	rev := mustCreate(t, b, "k", big, time.Hour)
	mustHold(t, cut(), "k", big)

	if _, err := b.Update(ctx, "k", []byte("new"), time.Hour, rev); err != nil {
		t.Fatal(err)
	}
	mustHold(t, cut(), "k", "new")

	if err := b.Touch(ctx, "k", 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	mustHold(t, cut(), "k", "new")

	if err := b.Delete(ctx, "k", nil); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "Load after Delete", loadErr(cut(), "k"), backend.ErrNotFound)

	// The test is worth something only if a write that is not flushed is lost.
	lax := openFor(t, Config{Dir: dir, NoSync: true})
	mustCreate(t, lax, "lax", big, time.Hour)
	if err := loadErr(cut(), "lax"); err == nil {
		t.Error("a write that was not flushed is on the disk, so this test shows nothing")
	}
}
