package redisbackend

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

// listen serves every connection by a goroutine until the test is over.
func listen(t *testing.T, serve func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	over := make(chan struct{})
	t.Cleanup(func() { close(over); l.Close(); conns.Wait() })
	conns.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { <-over; conn.Close() })
			conns.Go(func() { serve(conn) })
		}
	})
	return l.Addr().String()
}

// someRevision is the revision of no record.
var someRevision = backend.Revision("revision")

// calls returns a call of every method.
func calls(b *Backend, ctx context.Context) map[string]func() error {
	key, data := "test:"+rand.Text(), []byte("some data that is long enough")
	return map[string]func() error{
		"Load":   func() error { _, err := b.Load(ctx, key); return err },
		"Create": func() error { _, err := b.Create(ctx, key, data, time.Minute); return err },
		"Update": func() error { _, err := b.Update(ctx, key, data, time.Minute, someRevision); return err },
		"Touch":  func() error { return b.Touch(ctx, key, time.Minute) },
		"Delete": func() error { return b.Delete(ctx, key, nil) },
		"List":   func() error { _, _, err := b.List(ctx, key, "", 10); return err },
		"Ping":   func() error { return b.Ping(ctx) },
	}
}

// TestDeadServer has a server that accepts connections and never answers, and
// clients that would wait for it for an hour.
func TestDeadServer(t *testing.T) {
	secure := &tls.Config{InsecureSkipVerify: true}
	for name, connect := range map[string]func(addr string, heed bool) redis.UniversalClient{
		"Client": func(addr string, heed bool) redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: time.Hour, ContextTimeoutEnabled: heed})
		},
		"NoRetries": func(addr string, heed bool) redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: time.Hour, ContextTimeoutEnabled: heed, MaxRetries: -1})
		},
		"NoTimeout": func(addr string, heed bool) redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: -1, ContextTimeoutEnabled: heed})
		},
		"NoDeadlines": func(addr string, heed bool) redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: -2, ContextTimeoutEnabled: heed})
		},
		"TLS": func(addr string, heed bool) redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: addr, DialTimeout: time.Hour, TLSConfig: secure, ContextTimeoutEnabled: heed})
		},
		"Cluster": func(addr string, heed bool) redis.UniversalClient {
			return redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}, ReadTimeout: time.Hour, ContextTimeoutEnabled: heed})
		},
		"Sentinel": func(addr string, heed bool) redis.UniversalClient {
			return redis.NewFailoverClient(&redis.FailoverOptions{
				SentinelAddrs: []string{addr}, MasterName: "m", ReadTimeout: time.Hour, ContextTimeoutEnabled: heed})
		},
		"Ring": func(addr string, heed bool) redis.UniversalClient {
			return redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": addr}, ReadTimeout: time.Hour,
				HeartbeatFrequency: time.Hour, ContextTimeoutEnabled: heed})
		},
	} {
		for _, heed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/ContextTimeoutEnabled=%t", name, heed), func(t *testing.T) {
				t.Parallel()
				var client redis.UniversalClient
				t.Cleanup(func() { client.Close() }) // after the server, as it may wait for a call that hangs
				client = connect(listen(t, func(c net.Conn) { io.Copy(io.Discard, c) }), heed)
				b := New(client)
				ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
				defer cancel()
				for name, call := range calls(b, ctx) {
					ended := make(chan error, 1)
					go func() { ended <- call() }()
					select {
					case err := <-ended:
						if !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("%s: %v", name, err)
						}
					case <-time.After(time.Minute):
						t.Fatalf("%s does not return", name)
					}
				}
			})
		}
	}
}

// TestBounded says for which clients a command needs no goroutine.
func TestBounded(t *testing.T) {
	for name, c := range map[string]struct {
		client redis.UniversalClient
		want   bool
	}{
		"heeding client":  {redis.NewClient(&redis.Options{ContextTimeoutEnabled: true}), true},
		"deaf client":     {redis.NewClient(&redis.Options{}), false},
		"no deadlines":    {redis.NewClient(&redis.Options{ContextTimeoutEnabled: true, WriteTimeout: -2}), false},
		"TLS":             {redis.NewClient(&redis.Options{ContextTimeoutEnabled: true, TLSConfig: &tls.Config{}}), false},
		"heeding cluster": {redis.NewClusterClient(&redis.ClusterOptions{ContextTimeoutEnabled: true}), true},
		"deaf cluster":    {redis.NewClusterClient(&redis.ClusterOptions{}), false},
		"Sentinel":        {redis.NewFailoverClient(&redis.FailoverOptions{ContextTimeoutEnabled: true}), false},
		"Sentinel cluster": {redis.NewFailoverClusterClient(&redis.FailoverOptions{
			ContextTimeoutEnabled: true}), false},
		"Ring": {redis.NewRing(&redis.RingOptions{ContextTimeoutEnabled: true}), false},
	} {
		if b := New(closing(t, c.client)); b.bounded != c.want || b.invalid != nil {
			t.Errorf("%s: bounded is %t, want %t, %v", name, b.bounded, c.want, b.invalid)
		}
	}
}

func TestInvalidClient(t *testing.T) {
	var client *redis.Client
	var clusterClient *redis.ClusterClient
	var ring *redis.Ring
	for name, c := range map[string]redis.UniversalClient{
		"nil": nil, "nil client": client, "nil cluster": clusterClient, "nil ring": ring,
		"replicas": closing(t, redis.NewClusterClient(&redis.ClusterOptions{ReadOnly: true})),
		"latency":  closing(t, redis.NewClusterClient(&redis.ClusterOptions{RouteByLatency: true})),
		"random":   closing(t, redis.NewClusterClient(&redis.ClusterOptions{RouteRandomly: true})),
	} {
		for method, call := range calls(New(c), context.Background()) {
			if err := call(); err == nil || !strings.Contains(err.Error(), "the client") {
				t.Errorf("%s with a client that is %s: %v", method, name, err)
			}
		}
		if b, err := NewWithConfig(c, Config{}); err == nil || b != nil {
			t.Errorf("NewWithConfig with a client that is %s: %v, %v", name, b, err)
		}
	}
}

func TestConfig(t *testing.T) {
	client := mini(t, true)
	for _, size := range []int{-1, MaxDataSize + 1} {
		if _, err := NewWithConfig(client, Config{MaxSize: size}); err == nil {
			t.Errorf("MaxSize %d was accepted", size)
		}
	}
	b, err := NewWithConfig(client, Config{})
	if err != nil || b.maxSize != MaxDataSize {
		t.Fatalf("the default limit is %d, %v", b.maxSize, err)
	}
	var given counter
	client.AddHook(&given)
	huge := make([]byte, MaxDataSize+1)
	_, err = b.Create(context.Background(), "key", huge, time.Minute)
	if !errors.Is(err, backend.ErrTooLarge) || !strings.Contains(err.Error(), "536870896") {
		t.Errorf("Create: %v", err)
	}
	if _, err = b.Update(context.Background(), "key", huge, time.Minute, someRevision); !errors.Is(err, backend.ErrTooLarge) {
		t.Errorf("Update: %v", err)
	}
	if got := given.take(); got != nil {
		t.Errorf("commands were sent: %q", got)
	}
}

// TestErrorText has servers whose errors quote what they were sent.
func TestErrorText(t *testing.T) {
	ctx, key, data := context.Background(), "session:secret-key", []byte("secret-data that is long enough")
	for name, reply := range map[string]string{
		"unknown command":  "-ERR unknown command 'X', with args beginning with: 'session:secret' 'secret-data' \r\n",
		"a proxy's":        "-ERR no route for session:secret-key of secret-data\r\n",
		"not the protocol": "secret-data\r\n",
		"not a reply":      "?secret-data\r\n",
	} {
		addr := listen(t, func(c net.Conn) {
			in := bufio.NewReader(c)
			for {
				if _, err := in.ReadBytes('\n'); err != nil {
					return
				}
				in.Discard(in.Buffered()) // the rest of the command, as one write sends it
				io.WriteString(c, reply)
			}
		})
		b := New(closing(t, redis.NewClient(&redis.Options{Addr: addr, Protocol: 2, MaxRetries: -1, DisableIdentity: true})))
		_, loading := b.Load(ctx, key)
		_, creating := b.Create(ctx, key, data, time.Minute)
		_, updating := b.Update(ctx, key, data, time.Minute, someRevision)
		for op, err := range map[string]error{
			"load": loading, "create": creating, "update": updating,
			"touch": b.Touch(ctx, key, time.Minute), "delete": b.Delete(ctx, key, nil),
		} {
			if err == nil || !strings.HasPrefix(err.Error(), "redis: "+op+": ") || strings.Contains(err.Error(), "secret") {
				t.Errorf("with an error that is %s: %v", name, err)
			}
		}
	}
	inner := redis.ErrClosed
	if err := quiet(fmt.Errorf("%w of session:secret-key", inner), key); !errors.Is(err, inner) || err.Error() != inner.Error()+" of ..." {
		t.Errorf("a quoting error became %q", err)
	}
}

// A lossy connection loses one reply when it is told to: the server has done
// the command, and the client sees the connection end.
type lossy struct {
	net.Conn
	lose *atomic.Bool
}

func (c lossy) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.lose.CompareAndSwap(true, false) {
		c.Close()
		return 0, io.EOF
	}
	return n, err
}

// TestLostReply has go-redis repeat each command because its reply was lost.
func TestLostReply(t *testing.T) {
	for name, addr := range map[string]func(t *testing.T) string{
		"Standalone": func(t *testing.T) string { return testenv.Need(t, "REDIS_ADDR") },
		"Mini":       func(t *testing.T) string { return miniredis.RunT(t).Addr() },
	} {
		t.Run(name, func(t *testing.T) {
			addr := addr(t)
			var lose atomic.Bool
			client := closing(t, redis.NewClient(&redis.Options{
				ContextTimeoutEnabled: true,
				Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
					conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
					return lossy{conn, &lose}, err
				},
			}))
			learn(t, client)
			b, ctx := New(client), context.Background()
			for _, step := range steps(b, "test:"+rand.Text()) {
				lose.Store(true)
				err := step.run()
				if lose.Load() {
					t.Fatalf("%s: no reply was lost", step.name)
				}
				if step.name == "Delete at a revision" {
					if !errors.Is(err, backend.ErrNotFound) {
						t.Errorf("%s: %v, want ErrNotFound as documented", step.name, err)
					}
				} else if err != nil {
					t.Errorf("%s: %v", step.name, err)
				}
			}

			// Increments whose replies are lost count once.
			key, n := "test:"+rand.Text(), 50
			rev, err := b.Create(ctx, key, []byte("0 "+rand.Text()), time.Minute)
			for i := 0; i < n && err == nil; i++ {
				rec, lerr := b.Load(ctx, key)
				if lerr != nil || string(rec.Revision) != string(rev) {
					t.Fatalf("after %d increments: %v", i, lerr)
				}
				var count int
				fmt.Sscan(string(rec.Data), &count)
				lose.Store(i%2 == 0)
				rev, err = b.Update(ctx, key, fmt.Appendf(nil, "%d %s", count+1, rand.Text()), time.Minute, rev)
			}
			rec, lerr := b.Load(ctx, key)
			if err != nil || lerr != nil || !strings.HasPrefix(string(rec.Data), fmt.Sprint(n, " ")) {
				t.Fatalf("%d increments gave %q, %v, %v", n, rec.Data, err, lerr)
			}
		})
	}
}

// TestAbandonedCommands cancels commands at any moment of their life. No
// later command may get their replies.
func TestAbandonedCommands(t *testing.T) {
	for _, heed := range []bool{true, false} {
		t.Run(fmt.Sprintf("ContextTimeoutEnabled=%t", heed), func(t *testing.T) {
			addr := testenv.Need(t, "REDIS_ADDR")
			b := New(closing(t, redis.NewClient(&redis.Options{
				ContextTimeoutEnabled: heed,
				// Only commands are abandoned here: the pool of go-redis
				// rests for a second after several failures to connect.
				Dialer: func(context.Context, string, string) (net.Conn, error) { return net.Dial("tcp", addr) },
			})))
			var users sync.WaitGroup
			var answered atomic.Int64
			for range 20 {
				users.Go(func() {
					key, data := "test:"+rand.Text(), rand.Text()
					if _, err := b.Create(context.Background(), key, []byte(data), time.Minute); err != nil {
						t.Error(err)
						return
					}
					for i := range 200 {
						ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*50*time.Microsecond)
						rec, err := b.Load(ctx, key)
						cancel()
						if err == nil {
							answered.Add(1)
							if string(rec.Data) != data {
								t.Error("Load returned another record")
							}
						} else if errors.Is(err, backend.ErrNotFound) || errors.Is(err, backend.ErrCorrupt) {
							t.Error(err)
						}
					}
					if rec, err := b.Load(context.Background(), key); err != nil || string(rec.Data) != data {
						t.Errorf("at the end: %v", err)
					}
				})
			}
			users.Wait()
			t.Logf("%d of 4000 loads were answered in time", answered.Load())
		})
	}
}
