package redisbackend

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

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
