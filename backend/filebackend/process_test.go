package filebackend

import (
	"bufio"
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// The test binary plays another process when roleVar names its role and
// dirVar the directory.
const (
	roleVar = "FILEBACKEND_TEST_ROLE"
	dirVar  = "FILEBACKEND_TEST_DIR"
)

// roles are what the test binary can play.
var roles = map[string]func(*Backend) error{"write": writeForEver, "count": countUp}

func play(role string) int {
	b, err := New(Config{Dir: os.Getenv(dirVar), MaxSessions: 1000})
	if err == nil {
		err = roles[role](b)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, role, "failed:", err)
		return 1
	}
	return 0
}

// process starts the test binary in a role.
func process(t testing.TB, role, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleVar+"="+role, dirVar+"="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

const (
	crashKeys = 3
	crashTTL  = time.Hour
)

func crashKey(i int) string { return "crash:" + strconv.Itoa(i) }

// numbered returns data of a length that depends on n, in which every part
// tells n.
func numbered(n uint64) []byte {
	unit := binary.BigEndian.AppendUint64(nil, n)
	return bytes.Repeat(unit, 1+int(n*2654435761%1500))
}

// numberIn returns the number that data tells, or an error for data that is
// of two numbers or cut short.
func numberIn(data []byte) (uint64, error) {
	if len(data) < 8 {
		return 0, errors.New("data is cut short")
	}
	n := binary.BigEndian.Uint64(data)
	if !bytes.Equal(data, numbered(n)) {
		return 0, errors.New("data is torn")
	}
	return n, nil
}

// writeForEver counts up in every session, also by making it anew, and prints
// the session and the number before and after each step.
func writeForEver(b *Backend) error {
	ctx := context.Background()
	for turn := 0; ; turn++ {
		i := turn % crashKeys
		key := crashKey(i)
		rec, err := b.Load(ctx, key)
		if errors.Is(err, backend.ErrNotFound) {
			rec.Data, err = nil, nil
		}
		if err != nil {
			return err
		}
		var n uint64
		if rec.Data != nil {
			if n, err = numberIn(rec.Data); err != nil {
				return err
			}
		}
		n++
		fmt.Printf("begin %d %d\n", i, n)
		switch {
		case rec.Data == nil:
			_, err = b.Create(ctx, key, numbered(n), crashTTL)
		case turn%7 == 0:
			err = b.Touch(ctx, key, crashTTL+time.Duration(turn)*time.Second)
			if err == nil {
				_, err = b.Update(ctx, key, numbered(n), crashTTL, rec.Revision)
			}
		default:
			_, err = b.Update(ctx, key, numbered(n), crashTTL, rec.Revision)
		}
		if err != nil {
			return err
		}
		fmt.Printf("done %d %d\n", i, n)
	}
}

// kill kills a writing process at random moments: each session is as it
// was before the last step or as it was to be after it.
func kill(t *testing.T) {
	kills := 100
	if s := os.Getenv("FILEBACKEND_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("FILEBACKEND_KILLS: %v", err)
		}
		kills = n
	} else if testing.Short() {
		kills = 10
	}
	dir := filepath.Join(t.TempDir(), "sessions")
	b := openFor(t, Config{Dir: dir, MaxSessions: 1000})
	var done [crashKeys]uint64
	for range kills {
		begun := killOne(t, dir, &done)
		for i := range crashKeys {
			rec, err := b.Load(context.Background(), crashKey(i))
			if errors.Is(err, backend.ErrNotFound) && done[i] == 0 {
				continue
			}
			if err != nil {
				t.Fatalf("session %d after a kill: %v", i, err)
			}
			n, err := numberIn(rec.Data)
			if err != nil {
				t.Fatalf("session %d after a kill: %v", i, err)
			}
			if n != done[i] && n != begun[i] {
				t.Fatalf("session %d holds %d; %d was written and %d was begun", i, n, done[i], begun[i])
			}
			done[i] = n
		}
	}
	// What the killed left behind goes once it is old, and nothing else.
	sweep := func() {
		t.Helper()
		if n, err := b.Sweep(context.Background(), 100); n != 0 || err != nil {
			t.Fatalf("Sweep removed %d, %v", n, err)
		}
	}
	before := len(files(t, dir))
	sweep()
	if n := len(files(t, dir)); n != before {
		t.Errorf("a sweep removed %d new temporary files", before-n)
	}
	old := time.Now().Add(-2 * tempAge)
	for _, f := range files(t, dir) {
		if strings.HasSuffix(f, tempSuffix) {
			if err := os.Chtimes(f, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	sweep()
	if n := len(files(t, dir)); n != crashKeys {
		t.Errorf("there are %d files after the sweep, want %d", n, crashKeys)
	}
	t.Logf("%d kills, %v writes, %d temporary files left behind", kills, done, before-crashKeys)
}

// killOne starts a writer, lets it work for a moment and kills it. It brings
// done up to date and returns what was begun.
func killOne(t *testing.T, dir string, done *[crashKeys]uint64) (begun [crashKeys]uint64) {
	t.Helper()
	cmd := process(t, "write", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for begin := 0; lines.Scan(); {
		var word string
		var i int
		var n uint64
		if _, err := fmt.Sscan(lines.Text(), &word, &i, &n); err != nil {
			continue // the last line may be cut off
		}
		switch word {
		case "begin":
			begun[i] = n
		case "done":
			done[i] = n
		}
		// The clock of the kill runs from the first step.
		if begin++; begin == 1 {
			time.AfterFunc(rand.N(40*time.Millisecond), func() { cmd.Process.Kill() })
		}
	}
	cmd.Wait()
	if cmd.ProcessState.Exited() {
		t.Fatalf("the writer ended by itself: %v", cmd.ProcessState)
	}
	return begun
}

const increments = 50

// countUp adds to a number by compare-and-swap, and waits for its turn to
// begin until its standard input ends.
func countUp(b *Backend) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	io.Copy(io.Discard, os.Stdin)
	for range increments {
		for {
			rec, err := b.Load(ctx, "number")
			if err != nil {
				return err
			}
			var n int
			if _, err := fmt.Sscan(string(rec.Data), &n); err != nil {
				return err
			}
			// The token keeps the same step of two processes apart, as
			// equal bytes are taken for one write.
			data := fmt.Appendf(nil, "%d %s", n+1, crand.Text())
			_, err = b.Update(ctx, "number", data, time.Hour, rec.Revision)
			if err == nil {
				break
			}
			if !errors.Is(err, backend.ErrConflict) {
				return err
			}
		}
	}
	return nil
}

// processes lets four processes increment one number.
func processes(t *testing.T) {
	const n = 4
	dir := filepath.Join(t.TempDir(), "sessions")
	b := openFor(t, Config{Dir: dir})
	mustCreate(t, b, "number", "0", time.Hour)
	var cmds [n]*exec.Cmd
	var start [n]io.Closer
	for i := range cmds {
		cmds[i] = process(t, "count", dir)
		in, err := cmds[i].StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		start[i] = in
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range start {
		c.Close()
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	rec, err := b.Load(context.Background(), "number")
	if err != nil {
		t.Fatal(err)
	}
	var got int
	if _, err := fmt.Sscan(string(rec.Data), &got); err != nil || got != n*increments {
		t.Errorf("the number is %d, want %d", got, n*increments)
	}
}

// TestReadersSeeWholeRecords reads while others write, and takes no lock.
func TestReadersSeeWholeRecords(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sessions")
	b := openFor(t, Config{Dir: dir, NoSync: true})
	second := openFor(t, Config{Dir: dir, NoSync: true})
	ctx := context.Background()
	rev, err := b.Create(ctx, "k", numbered(1), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				rec, err := second.Load(ctx, "k")
				if err == nil {
					_, err = numberIn(rec.Data)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := uint64(2); n < 200; n++ {
		if rev, err = b.Update(ctx, "k", numbered(n), time.Hour, rev); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	wg.Wait()
}
