package redisbackend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

// A turnstile is a hook that holds up single GETs while it is closed, and
// notes the pipelines.
type turnstile struct {
	entered chan struct{} // each command that is held up
	open    chan struct{} // closed when commands may pass

	mu        sync.Mutex
	singles   int
	pipelines []int // their sizes

	pipeline func() // called before each
}

func newTurnstile() *turnstile {
	return &turnstile{entered: make(chan struct{}, 1000), open: make(chan struct{})}
}

func (h *turnstile) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *turnstile) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if name := cmd.Name(); name != "client" && name != "hello" {
			h.mu.Lock()
			h.singles++
			h.mu.Unlock()
		}
		if cmd.Name() == "get" {
			h.entered <- struct{}{}
			<-h.open
		}
		return next(ctx, cmd)
	}
}

func (h *turnstile) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() == "client" { // go-redis introduces itself
			return next(ctx, cmds)
		}
		h.mu.Lock()
		h.pipelines = append(h.pipelines, len(cmds))
		h.mu.Unlock()
		if h.pipeline != nil {
			h.pipeline()
		}
		return next(ctx, cmds)
	}
}

// counts returns the number of single commands and the sizes of the pipelines.
func (h *turnstile) counts() (singles int, pipelines []int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.singles, h.pipelines
}

// batching returns a Backend whose commands wait for one that is under way,
// however long that takes, and a way to end that one.
func batching(t *testing.T, o *redis.Options) (b *Backend, h *turnstile, release func()) {
	t.Helper()
	client, h := redis.NewClient(o), newTurnstile()
	closing(t, client)
	b = New(client)
	b.batches.linger = time.Hour
	client.AddHook(h)
	first := make(chan error)
	go func() { _, err := b.Load(context.Background(), "test:"+rand.Text()); first <- err }()
	<-h.entered
	return b, h, func() {
		t.Helper()
		close(h.open)
		if err := <-first; !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("the first command: %v", err)
		}
	}
}

// waitFor waits until n commands wait in b.
func waitFor(b *Backend, n int) {
	for waiting := -1; waiting != n; runtime.Gosched() {
		b.batches.mu.Lock()
		waiting = len(b.batches.waiting)
		b.batches.mu.Unlock()
	}
}

// idle fails unless b comes to rest without goroutines, timers and commands.
func idle(t *testing.T, b *Backend) {
	t.Helper()
	q := b.batches
	q.mu.Lock()
	if q.watching {
		q.timer.Reset(0) // it need not be an hour
	}
	q.mu.Unlock()
	for rest := false; !rest; runtime.Gosched() {
		q.mu.Lock()
		rest = q.flying == 0 && len(q.waiting) == 0 && !q.watching
		q.mu.Unlock()
	}
	if q.timer.Stop() {
		t.Error("the timer runs although nobody waits")
	}
}

func standaloneOptions(t *testing.T) *redis.Options {
	return &redis.Options{Addr: testenv.Need(t, "REDIS_ADDR"), ContextTimeoutEnabled: true}
}

// TestOneByOne has calls that never meet: each is sent at once, by itself.
func TestOneByOne(t *testing.T) {
	for _, heed := range []bool{true, false} {
		o := standaloneOptions(t)
		o.ContextTimeoutEnabled = heed
		client, h := redis.NewClient(o), newTurnstile()
		closing(t, client)
		learn(t, client)
		close(h.open)
		client.AddHook(h)
		b := New(client)
		b.batches.linger = time.Hour
		all := steps(b, "test:"+rand.Text())
		for _, step := range all {
			if err := step.run(); err != nil {
				t.Errorf("%s: %v", step.name, err)
			}
		}
		if singles, pipelines := h.counts(); singles != len(all) || pipelines != nil {
			t.Errorf("%d single commands for %d calls, and pipelines of %v", singles, len(all), pipelines)
		}
		idle(t, b)
	}
}

// TestTogether has many calls of all kinds come while a command is under way.
// They go together, and each has its own outcome.
func TestTogether(t *testing.T) {
	b, h, release := batching(t, standaloneOptions(t))
	client, ctx, users := b.client, context.Background(), sync.WaitGroup{}
	const n = 10 // of each kind
	fresh := func() string { return "test:" + rand.Text() }
	for i := range n {
		data := fmt.Appendf(nil, "data %d", i)
		loaded, updated, deleted, absent, list := fresh(), fresh(), fresh(), fresh(), fresh()
		pipe, rev := client.Pipeline(), encode(data, time.Now())
		for _, key := range []string{loaded, updated, deleted} {
			pipe.Set(ctx, key, rev, time.Minute)
		}
		pipe.RPush(ctx, list, "x")
		pipe.Expire(ctx, list, time.Minute)
		if _, err := pipe.Exec(ctx); err != nil {
			t.Fatal(err)
		}
		check := func(op string, err, want error) {
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", op, err, want)
			}
		}
		users.Go(func() {
			rec, err := b.Load(ctx, loaded)
			if check("Load", err, nil); string(rec.Data) != string(data) {
				t.Errorf("Load returned %q, want %q", rec.Data, data)
			}
		})
		users.Go(func() { _, err := b.Load(ctx, absent); check("Load of no record", err, backend.ErrNotFound) })
		users.Go(func() { _, err := b.Load(ctx, list); check("Load of a list", err, backend.ErrCorrupt) })
		users.Go(func() { _, err := b.Create(ctx, fresh(), data, time.Minute); check("Create", err, nil) })
		users.Go(func() {
			_, err := b.Update(ctx, updated, []byte("new"), time.Minute, revision(rev))
			check("Update", err, nil)
		})
		users.Go(func() { check("Delete", b.Delete(ctx, deleted, someRevision), backend.ErrConflict) })
	}
	waitFor(b, 6*n)
	h.mu.Lock()
	h.pipelines = nil
	h.mu.Unlock()
	release()
	users.Wait()
	if _, pipelines := h.counts(); len(pipelines) != 1 || pipelines[0] != 6*n {
		t.Errorf("pipelines of %v commands, want one of %d", pipelines, 6*n)
	}
	idle(t, b)
}

// TestBatchBounds has more calls than go into a batch.
func TestBatchBounds(t *testing.T) {
	b, h, release := batching(t, standaloneOptions(t))
	var users sync.WaitGroup
	for range 3*maxBatch + 1 {
		users.Go(func() {
			if _, err := b.Create(context.Background(), "test:"+rand.Text(), []byte("data"), time.Minute); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(b, 3*maxBatch+1)
	release()
	users.Wait()
	if _, pipelines := h.counts(); len(pipelines) != 4 {
		t.Errorf("%d calls went in %v, want 4 batches", 3*maxBatch+1, pipelines)
	}
	idle(t, b)
}

// TestLargeRecords has records that are too large for a batch: they wait for
// nobody. What will be loaded is judged by what was loaded before.
func TestLargeRecords(t *testing.T) {
	ctx, key := context.Background(), "test:"+rand.Text()
	b := New(standalone(t, true))
	if _, err := b.Create(ctx, key, make([]byte, 4*maxBatched), time.Minute); err != nil {
		t.Fatal(err)
	}
	load := func(key string) {
		t.Helper()
		if _, err := b.Load(ctx, key); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		load(key)
	}
	large := b.loaded.Load()

	stuck, h, release := batching(t, standaloneOptions(t))
	rev, err := stuck.Create(ctx, key+"2", make([]byte, maxBatched), time.Minute)
	if err == nil {
		_, err = stuck.Update(ctx, key+"2", make([]byte, maxBatched), time.Minute, rev)
	}
	if err != nil {
		t.Fatal(err)
	}
	stuck.loaded.Store(large)
	loaded := make(chan error)
	go func() { _, err := stuck.Load(ctx, key); loaded <- err }()
	<-h.entered // by itself
	release()
	if err := <-loaded; err != nil {
		t.Error(err)
	}
	idle(t, stuck)

	if _, err := b.Create(ctx, key+"3", []byte("small"), time.Minute); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		load(key + "3")
	}
	if small := b.loaded.Load(); small > maxBatched {
		t.Errorf("after small records %d bytes are expected", small)
	}
}
