package datastorebackend

import (
	"context"
	"errors"
	"io"
	"net"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/datastore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/go-session2/sessions/backend"
)

// calls notes the calls that a connection makes.
type calls struct {
	mu    sync.Mutex
	names []string
}

func (c *calls) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = append(c.names, path.Base(info.FullMethodName))
	return ctx
}
func (c *calls) HandleRPC(context.Context, stats.RPCStats)                         {}
func (c *calls) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (c *calls) HandleConn(context.Context, stats.ConnStats)                       {}

// take returns the names since the last call.
func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := c.names
	c.names = nil
	return names
}

type step struct {
	name  string
	run   func() error
	calls string // (Begin) stands for the call that BeginFirst adds
}

// steps returns every operation with the calls that it costs.
func steps(b *Backend) []step {
	ctx := context.Background()
	first, second := []byte("first"), []byte("second")
	create := func() error { _, err := b.Create(ctx, "key", first, time.Hour); return err }
	update := func() error { _, err := b.Update(ctx, "key", second, time.Hour, first); return err }
	wants := func(want error, f func() error) func() error {
		return func() error {
			if err := f(); !errors.Is(err, want) {
				return err
			}
			return nil
		}
	}
	return []step{
		{"Load of nothing", wants(backend.ErrNotFound, func() error { _, err := b.Load(ctx, "key"); return err }), "Lookup"},
		{"Update of nothing", wants(backend.ErrNotFound, update), "(Begin) Lookup Rollback"},
		{"Create", create, "Commit"},
		{"Load", func() error { _, err := b.Load(ctx, "key"); return err }, "Lookup"},
		{"Update", update, "(Begin) Lookup Commit"},
		{"Update again", update, "(Begin) Lookup Rollback"},
		{"Touch", func() error { return b.Touch(ctx, "key", 2*time.Hour) }, "(Begin) Lookup Commit"},
		{"short Touch", func() error { return b.Touch(ctx, "key", time.Minute) }, "(Begin) Lookup Rollback"},
		{"Delete at an old revision", wants(backend.ErrConflict, func() error { return b.Delete(ctx, "key", first) }), "(Begin) Lookup Rollback"},
		{"List", func() error { _, _, err := b.List(ctx, "", "", 10); return err }, "RunQuery"},
		{"Sweep of nothing", func() error { _, err := b.Sweep(ctx, 10); return err }, "RunQuery"},
		{"Delete at a revision", func() error { return b.Delete(ctx, "key", second) }, "(Begin) Lookup Commit"},
		{"Create", create, "Commit"},
		{"Delete", func() error { return b.Delete(ctx, "key", nil) }, "Commit"},
		{"Create", create, "Commit"},
		{"Create again", create, "Commit (Begin) Lookup Rollback"},
		{"Create over an expired record", func() error {
			b.now = func() time.Time { return time.Now().Add(time.Hour) }
			return create()
		}, "Commit (Begin) Lookup Commit"},
		{"Sweep", func() error {
			b.now = func() time.Time { return time.Now().Add(3 * time.Hour) }
			_, err := b.Sweep(ctx, 10)
			return err
		}, "RunQuery (Begin) Lookup Commit"},
		{"Ping", func() error { return b.Ping(ctx) }, "Lookup"},
	}
}

func TestCalls(t *testing.T) {
	eager := optimistic
	eager.beginFirst = true
	for name, s := range map[string]server{"Optimistic": optimistic, "OptimisticBeginFirst": eager, "Pessimistic": pessimistic} {
		t.Run(name, func(t *testing.T) {
			begin := ""
			if s.beginFirst {
				begin = "BeginTransaction"
			}
			sent := new(calls)
			for _, step := range steps(s.on(t, s.connect(t, grpc.WithStatsHandler(sent)), s.kind(t))) {
				if err := step.run(); err != nil {
					t.Fatalf("%s: %v", step.name, err)
				}
				want := strings.Fields(strings.ReplaceAll(step.calls, "(Begin)", begin))
				if got := sent.take(); !slices.Equal(got, want) {
					t.Errorf("%s sent %q, want %q", step.name, got, want)
				}
			}
		})
	}
}

// TestLostReply loses the reply to each call of each operation, after the
// server has done what it was asked. Either the client repeats the call, as
// its retry policy says, or it gets an error and the caller repeats the
// operation.
func TestLostReply(t *testing.T) {
	for name, repeat := range map[string]bool{"client repeats": true, "caller repeats": false} {
		t.Run(name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, s server) {
				for _, method := range []string{"Lookup", "Commit", "Rollback", "RunQuery"} {
					lose := ""
					client := s.connect(t, grpc.WithUnaryInterceptor(func(ctx context.Context, full string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
						if lose == path.Base(full) {
							lose = ""
							_ = invoke(ctx, full, req, reply, cc, opts...)
							if !repeat {
								return status.Error(codes.Unknown, "the reply was lost")
							}
						}
						return invoke(ctx, full, req, reply, cc, opts...)
					}))
					for _, step := range steps(s.on(t, client, s.kind(t))) {
						if strings.Contains(step.calls, method) {
							lose = method
						}
						loses := lose != ""
						err := step.run()
						if lose != "" {
							t.Fatalf("%s lost no reply", step.name)
						}
						if err != nil && !repeat {
							err = step.run()
						}
						if loses && method == "Commit" && step.name == "Delete at a revision" {
							if !errors.Is(err, backend.ErrNotFound) {
								t.Errorf("%s: %v, want ErrNotFound as documented", step.name, err)
							}
						} else if err != nil {
							t.Errorf("%s, whose %s was lost: %v", step.name, method, err)
						}
					}
				}
			})
		})
	}
}

// deaf returns the address of a server that never answers.
func deaf(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				io.Copy(io.Discard, conn)
				conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return l.Addr().String()
}

// down returns the address of a server that is not there.
func down(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

// TestUnreachable has servers that cannot be asked. Every method must return
// with the context.
func TestUnreachable(t *testing.T) {
	for name, addr := range map[string]string{"deaf": deaf(t), "down": down(t)} {
		b := New(dial(t, addr))
		rev := backend.Revision("data")
		for _, call := range []struct {
			name string
			f    func(context.Context) error
		}{
			{"Load", func(ctx context.Context) error { _, err := b.Load(ctx, "key"); return err }},
			{"Create", func(ctx context.Context) error { _, err := b.Create(ctx, "key", nil, time.Hour); return err }},
			{"Update", func(ctx context.Context) error { _, err := b.Update(ctx, "key", nil, time.Hour, rev); return err }},
			{"Touch", func(ctx context.Context) error { return b.Touch(ctx, "key", time.Hour) }},
			{"Delete", func(ctx context.Context) error { return b.Delete(ctx, "key", nil) }},
			{"Delete at a revision", func(ctx context.Context) error { return b.Delete(ctx, "key", rev) }},
			{"Sweep", func(ctx context.Context) error { _, err := b.Sweep(ctx, 1); return err }},
			{"List", func(ctx context.Context) error { _, _, err := b.List(ctx, "", "", 1); return err }},
			{"Ping", func(ctx context.Context) error { return b.Ping(ctx) }},
		} {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			err := call.f(ctx)
			if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "datastore: ") {
				t.Errorf("%s, %s: %v", name, call.name, err)
			}
			cancel()
		}
	}
}

// TestQuiet has errors of Datastore that name the entity.
func TestQuiet(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		b, ctx := s.fresh(t), context.Background()
		const key = "session:secret"
		rec := b.layout.encode(record{data: []byte("secret-data"), expires: time.Now()})
		if _, err := b.client.Put(ctx, b.name(key), rec); err != nil {
			t.Fatal(err)
		}
		_, exists := b.client.Mutate(ctx, datastore.NewInsert(b.name(key), rec))
		_, missing := b.client.Mutate(ctx, datastore.NewUpdate(b.name("secret"), rec))
		_, reserved := b.client.Put(ctx, b.name("__secret__"), rec)
		for _, test := range []struct {
			err  error
			code codes.Code
			key  string
		}{
			{exists, codes.AlreadyExists, key},
			{exists, codes.AlreadyExists, ""},
			{missing, codes.NotFound, ""},
			{reserved, codes.InvalidArgument, "__secret__"},
		} {
			got := fail(ctx, "create", test.key, test.err)
			if got == nil || strings.Contains(got.Error(), "secret") || !strings.Contains(got.Error(), "code = "+test.code.String()) || status.Code(got) != test.code {
				t.Errorf("the error is %v", got)
			}
		}
	})
}

// TestAborted has a server that gives writes up because of others.
func TestAborted(t *testing.T) {
	var refuse int // how many writes are given up
	client := optimistic.connect(t, grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if path.Base(method) == "Commit" && refuse > 0 {
			refuse--
			return status.Error(codes.Aborted, "too much contention")
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}))
	b, ctx := optimistic.on(t, client, optimistic.kind(t)), context.Background()
	write := func() error {
		rev, err := b.Create(ctx, "key", []byte("data"), time.Hour)
		if err == nil {
			_, err = b.Update(ctx, "key", []byte("more"), time.Hour, rev)
		}
		if err == nil {
			err = b.Delete(ctx, "key", nil)
		}
		return err
	}
	refuse = 3
	if err := write(); err != nil || refuse != 0 {
		t.Errorf("with %d to be given up: %v", refuse, err)
	}
	refuse = 1000
	if err := write(); status.Code(err) != codes.Aborted || refuse != 1000-maxAttempts {
		t.Errorf("after %d attempts: %v", 1000-refuse, err)
	}
	refuse = 1000
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := write(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a deadline: %v", err)
	}
}
