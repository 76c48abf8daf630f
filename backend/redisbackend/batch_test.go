package redisbackend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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

// TestStuck has a command that does not come back. It holds up nobody.
func TestStuck(t *testing.T) {
	b, _, release := batching(t, standaloneOptions(t))
	b.batches.linger = defaultLinger
	for range 3 {
		if _, err := b.Load(context.Background(), "test:"+rand.Text()); !errors.Is(err, backend.ErrNotFound) {
			t.Error(err)
		}
	}
	release()
	idle(t, b)
}

// TestLeaveBatch has callers leave before their command is sent and while it
// is under way. The others stay.
func TestLeaveBatch(t *testing.T) {
	b, h, release := batching(t, standaloneOptions(t))
	sending, send := make(chan struct{}), make(chan struct{})
	h.pipeline = func() { sending <- struct{}{}; <-send }
	type caller struct {
		leave context.CancelFunc
		err   chan error
	}
	var callers []caller
	for i := range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		c := caller{cancel, make(chan error, 1)}
		callers = append(callers, c)
		go func() { _, err := b.Load(ctx, "test:"+rand.Text()); c.err <- err }()
		waitFor(b, i+1)
	}
	gone := func(c caller) {
		t.Helper()
		c.leave()
		if err := <-c.err; !errors.Is(err, context.Canceled) {
			t.Errorf("who left got %v", err)
		}
	}
	gone(callers[0])
	release()
	<-sending
	gone(callers[1])
	close(send)
	if err := <-callers[2].err; !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("who stayed got %v", err)
	}
	if _, pipelines := h.counts(); len(pipelines) != 1 || pipelines[0] != 2 {
		t.Errorf("pipelines of %v commands, want one of 2: nobody waited for the other", pipelines)
	}
	idle(t, b)
}

// A cutter is a proxy before a server. It ends one connection that it has seen
// data commands on after a number of bytes from the server, and counts the
// scripts that come by.
type cutter struct {
	addr  string
	left  atomic.Int64 // until the cut; negative: it is over, or not asked for
	evals atomic.Int64
}

func newCutter(t *testing.T) *cutter {
	c, server := &cutter{}, testenv.Need(t, "REDIS_ADDR")
	c.left.Store(-1)
	c.addr = listen(t, func(client net.Conn) {
		conn, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer conn.Close()
		var used atomic.Bool
		go func() {
			_, _ = io.Copy(conn, io.TeeReader(client, writerFunc(func(p []byte) (int, error) {
				scripts := strings.Count(string(p), "evalsha")
				c.evals.Add(int64(scripts))
				if scripts > 0 || strings.Contains(string(p), "get\r\n") {
					used.Store(true)
				}
				return len(p), nil
			})))
			conn.Close()
		}()
		buf := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buf)
			if n > 0 && used.Load() && c.left.Load() >= 0 {
				if left := c.left.Add(int64(-n)); left < 0 {
					_, _ = client.Write(buf[:n+int(left)])
					client.Close()
					return
				}
			}
			if _, werr := client.Write(buf[:n]); err != nil || werr != nil {
				client.Close()
				return
			}
		}
	})
	return c
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestCutBatch has the connection end in the middle of the replies to a batch.
// What was answered has succeeded and is not done again; the rest is repeated
// by go-redis, or fails where it repeats nothing.
func TestCutBatch(t *testing.T) {
	const calls, answered = 20, 8
	for name, retries := range map[string]int{"Retries": 0, "NoRetries": -1} {
		t.Run(name, func(t *testing.T) {
			proxy := newCutter(t)
			learn(t, standalone(t, true))
			b, h, release := batching(t, &redis.Options{Addr: proxy.addr, ContextTimeoutEnabled: true, MaxRetries: retries, PoolSize: 1})
			var users sync.WaitGroup
			var done, failed atomic.Int64
			keys := make([]string, calls)
			for i := range keys {
				keys[i] = "test:" + rand.Text()
				value := encode([]byte("old"), time.Now())
				if err := standalone(t, true).Set(context.Background(), keys[i], value, time.Minute).Err(); err != nil {
					t.Fatal(err)
				}
				users.Go(func() {
					_, err := b.Update(context.Background(), keys[i], []byte("new"), time.Minute, revision(value))
					if err == nil {
						done.Add(1)
					} else if failed.Add(1); errors.Is(err, backend.ErrConflict) || errors.Is(err, backend.ErrNotFound) {
						t.Errorf("Update: %v", err)
					}
				})
			}
			waitFor(b, calls)
			h.pipeline = func() { proxy.left.Store(answered*int64(len(":1\r\n")) + 2) }
			proxy.evals.Store(0)
			release()
			users.Wait()
			want := int64(calls)
			if retries < 0 {
				want = answered
			}
			if done.Load() != want || failed.Load() != calls-want {
				t.Errorf("%d updates have succeeded and %d failed, want %d to succeed", done.Load(), failed.Load(), want)
			}
			if got, want := proxy.evals.Load(), calls+max(0, want-answered); got != want {
				t.Errorf("the server was sent %d updates, want %d", got, want)
			}
			idle(t, b)
		})
	}
}

// TestMixUp ends connections at random places of the replies. Nobody may get
// the reply of another.
func TestMixUp(t *testing.T) {
	proxy := newCutter(t)
	b := New(closing(t, redis.NewClient(&redis.Options{Addr: proxy.addr, ContextTimeoutEnabled: true, MaxRetries: 10})))
	var users sync.WaitGroup
	for i := range 32 {
		users.Go(func() {
			ctx, key, data := context.Background(), "test:"+rand.Text(), strings.Repeat(rand.Text(), 1+i)
			if _, err := b.Create(ctx, key, []byte(data), time.Minute); err != nil {
				t.Error(err)
				return
			}
			for j := range 50 {
				if i == 0 {
					proxy.left.CompareAndSwap(-1, int64(j*97))
					if proxy.left.Load() < -1 {
						proxy.left.Store(-1)
					}
				}
				if rec, err := b.Load(ctx, key); err != nil || string(rec.Data) != data {
					t.Errorf("%d bytes of %d, %v", len(rec.Data), len(data), err)
				}
			}
		})
	}
	users.Wait()
	idle(t, b)
}

// loading is a reply of a server that starts.
type loading struct{}

func (loading) Error() string { return "LOADING Redis is loading the dataset in memory" }
func (loading) RedisError()   {}

// TestNotNow has a server refuse a whole batch for the moment. Each command is
// then sent by itself, as go-redis waits and repeats only those.
func TestNotNow(t *testing.T) {
	b, h, release := batching(t, standaloneOptions(t))
	refused := &refusal{}
	b.client.AddHook(refused)
	var users sync.WaitGroup
	for range 5 {
		users.Go(func() {
			if _, err := b.Load(context.Background(), "test:"+rand.Text()); !errors.Is(err, backend.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	waitFor(b, 5)
	before, _ := h.counts()
	release()
	users.Wait()
	if singles, _ := h.counts(); refused.n != 1 || singles-before != 5 {
		t.Errorf("%d batches were refused, and %d commands sent one by one", refused.n, singles-before)
	}
}

type refusal struct{ n int }

func (r *refusal) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (r *refusal) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (r *refusal) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() == "client" {
			return next(ctx, cmds)
		}
		r.n++
		for _, cmd := range cmds {
			cmd.SetErr(loading{})
		}
		return loading{}
	}
}

// TestForgottenScript has a server that does not know the scripts of a batch.
func TestForgottenScript(t *testing.T) {
	client := mini(t, true)
	b, _, release := batching(t, client.(*redis.Client).Options())
	var users sync.WaitGroup
	for range 10 {
		key, value := "test:"+rand.Text(), encode([]byte("old"), time.Now())
		if err := client.Set(context.Background(), key, value, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		users.Go(func() {
			if _, err := b.Update(context.Background(), key, []byte("new"), time.Minute, revision(value)); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(b, 10)
	release()
	users.Wait()
	idle(t, b)
}

// A wrapper is a client that nobody knows.
type wrapper struct{ redis.UniversalClient }

type limiter struct{}

func (limiter) Allow() error       { return nil }
func (limiter) ReportResult(error) {}

// TestBatchedClients says which clients are given pipelines.
func TestBatchedClients(t *testing.T) {
	plain := redis.NewClient(&redis.Options{})
	for name, c := range map[string]struct {
		client redis.UniversalClient
		want   bool
	}{
		"plain":    {plain, true},
		"Sentinel": {redis.NewFailoverClient(&redis.FailoverOptions{}), true},
		"limited":  {redis.NewClient(&redis.Options{Limiter: limiter{}}), false},
		"cluster":  {redis.NewClusterClient(&redis.ClusterOptions{}), false},
		"ring":     {redis.NewRing(&redis.RingOptions{}), false},
		"unknown":  {wrapper{plain}, false},
	} {
		closing(t, c.client)
		if b := New(c.client); (b.batches != nil) != c.want {
			t.Errorf("%s: pipelines are %t, want %t", name, b.batches != nil, c.want)
		}
		if b, err := NewWithConfig(c.client, Config{NoPipelining: true}); err != nil || b.batches != nil {
			t.Errorf("%s with NoPipelining: pipelines, %v", name, err)
		}
	}
}

// TestCloseBatches closes the backend while commands wait.
func TestCloseBatches(t *testing.T) {
	b, _, release := batching(t, standaloneOptions(t))
	waiting := make(chan error)
	go func() { _, err := b.Load(context.Background(), "test:"+rand.Text()); waiting <- err }()
	waitFor(b, 1)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Load(context.Background(), "test:"+rand.Text()); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	release()
	if err := <-waiting; !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("what was asked before Close: %v", err)
	}
	idle(t, b)
}
