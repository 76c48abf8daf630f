package firestorebackend

import (
	"context"
	"errors"
	"io"
	"net"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/firestore"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

// dial returns a client with a connection of its own to an address.
func dial(t testing.TB, addr string, opts ...grpc.DialOption) *firestore.Client {
	t.Helper()
	opts = append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(admin{}))
	conn, err := grpc.NewClient("passthrough:///"+addr, opts...)
	if err != nil {
		t.Fatal(err)
	}
	client, err := firestore.NewClient(context.Background(), project, option.WithGRPCConn(conn))
	if err != nil {
		t.Fatal(err)
	}
	return closing(t, client)
}

// admin is what the emulator takes for the credentials of an administrator,
// whom no security rules bind.
type admin struct{}

func (admin) RequireTransportSecurity() bool { return false }
func (admin) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer owner"}, nil
}

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
	calls string
}

// steps returns every operation with the calls that it costs.
func steps(b *Backend) []step {
	ctx := context.Background()
	first, second := []byte("first"), []byte("second")
	var base, rev backend.Revision
	create := func() (err error) { base, err = b.Create(ctx, "key", first, time.Hour); return err }
	update := func() (err error) { rev, err = b.Update(ctx, "key", second, time.Hour, base); return err }
	wants := func(want error, f func() error) func() error {
		return func() error {
			if err := f(); !errors.Is(err, want) {
				return err
			}
			return nil
		}
	}
	return []step{
		{"Load of nothing", wants(backend.ErrNotFound, func() error { _, err := b.Load(ctx, "key"); return err }), "BatchGetDocuments"},
		{"Create", create, "Commit"},
		{"Load", func() error { _, err := b.Load(ctx, "key"); return err }, "BatchGetDocuments"},
		{"Update", update, "Commit"},
		{"Update again", update, "Commit BatchGetDocuments"},
		{"short Touch", func() error { return b.Touch(ctx, "key", time.Minute) }, "BatchGetDocuments"},
		{"Delete at an old revision", wants(backend.ErrConflict, func() error { return b.Delete(ctx, "key", base) }), "Commit BatchGetDocuments"},
		{"List", func() error { _, _, err := b.List(ctx, "", "", 10); return err }, "RunQuery"},
		{"Sweep of nothing", func() error { _, err := b.Sweep(ctx, 10); return err }, "RunQuery"},
		{"Delete at a revision", func() error { return b.Delete(ctx, "key", rev) }, "Commit"},
		{"Create", create, "Commit"},
		{"Touch", func() error { return b.Touch(ctx, "key", 2*time.Hour) }, "BatchGetDocuments Commit"},
		{"Delete", func() error { return b.Delete(ctx, "key", nil) }, "Commit"},
		{"Create", create, "Commit"},
		{"Create again", create, "Commit BatchGetDocuments"},
		{"Sweep", func() error {
			b.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
			_, err := b.Sweep(ctx, 10)
			return err
		}, "RunQuery BatchWrite"},
		{"Ping", func() error { return b.Ping(ctx) }, "BatchGetDocuments"},
	}
}

func TestCalls(t *testing.T) {
	sent := new(calls)
	client := dial(t, testenv.Need(t, "FIRESTORE_EMULATOR_HOST"), grpc.WithStatsHandler(sent))
	b := on(t, client, collection(t))
	for _, step := range steps(b) {
		if err := step.run(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := sent.take(); !slices.Equal(got, strings.Fields(step.calls)) {
			t.Errorf("%s sent %q, want %s", step.name, got, step.calls)
		}
	}
	// An expired record, which nobody has removed, costs two calls more.
	for i, want := range []string{"Commit", "Commit BatchGetDocuments Commit"} {
		b.now = func() time.Time { return time.Now().Add(time.Duration(i) * time.Hour) }
		if _, err := b.Create(context.Background(), "key", []byte("data"), time.Minute); err != nil {
			t.Fatal(err)
		}
		if got := sent.take(); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("Create sent %q, want %s", got, want)
		}
	}
}

// lossy makes the next reply get lost: the server has done what it was asked,
// and the client sees an error.
type lossy struct {
	lose atomic.Bool
	code codes.Code
}

func (l *lossy) lost() error {
	if l.lose.CompareAndSwap(true, false) {
		return status.Error(l.code, "the reply was lost")
	}
	return nil
}

func (l *lossy) options() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			err := invoke(ctx, method, req, reply, cc, opts...)
			if lost := l.lost(); lost != nil {
				return lost
			}
			return err
		}),
		grpc.WithStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			stream, err := streamer(ctx, desc, cc, method, opts...)
			return lossyStream{stream, l}, err
		}),
	}
}

type lossyStream struct {
	grpc.ClientStream
	from *lossy
}

func (s lossyStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if lost := s.from.lost(); lost != nil {
		return lost
	}
	return err
}

// TestLostReply loses the reply to the first call of each operation. What the
// client repeats must not be taken for a conflict; what it does not repeat is
// an error, and the caller's repetition must succeed.
func TestLostReply(t *testing.T) {
	for name, code := range map[string]codes.Code{"client repeats": codes.Unavailable, "caller repeats": codes.Unknown} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &lossy{code: code}
			b := on(t, dial(t, testenv.Need(t, "FIRESTORE_EMULATOR_HOST"), l.options()...), collection(t))
			for _, step := range steps(b) {
				l.lose.Store(true)
				err := step.run()
				if l.lose.Load() {
					t.Fatalf("%s lost no reply", step.name)
				}
				// The client repeats no query.
				if code == codes.Unknown || strings.HasPrefix(step.calls, "RunQuery") {
					if err == nil {
						t.Errorf("%s succeeded without a reply", step.name)
					}
					err = step.run()
				}
				if step.name == "Delete at a revision" {
					if !errors.Is(err, backend.ErrNotFound) {
						t.Errorf("%s: %v, want ErrNotFound as documented", step.name, err)
					}
				} else if err != nil {
					t.Errorf("%s: %v", step.name, err)
				}
			}
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
	rev := record{updated: time.Now(), expires: time.Now().Add(time.Hour)}.revision()
	for name, addr := range map[string]string{"deaf": deaf(t), "down": down(t)} {
		b := New(dial(t, addr))
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
			if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "firestore: ") {
				t.Errorf("%s, %s: %v", name, call.name, err)
			}
			cancel()
		}
	}
}

// TestQuiet has errors of Firestore that name the document.
func TestQuiet(t *testing.T) {
	b, ctx := fresh(t), context.Background()
	const key = "session:secret"
	if _, err := b.coll.Doc(key).Create(ctx, native.document("", record{})); err != nil {
		t.Fatal(err)
	}
	_, exists := b.coll.Doc(key).Create(ctx, native.document("", record{}))
	_, missing := b.coll.Doc("secret").Get(ctx)
	_, reserved := b.coll.Doc("__secret__").Get(ctx)
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
		if test.err == nil || !strings.Contains(test.err.Error(), "secret") {
			t.Fatalf("the error of Firestore holds no key: %v", test.err)
		}
		got := fail(ctx, "create", test.key, test.err)
		if strings.Contains(got.Error(), "secret") || !strings.Contains(got.Error(), "code = "+test.code.String()) || status.Code(got) != test.code {
			t.Errorf("the error is %v", got)
		}
	}
}

// TestAborted has a server that gives writes up because of others.
func TestAborted(t *testing.T) {
	var refuse int // how many writes are given up
	client := dial(t, testenv.Need(t, "FIRESTORE_EMULATOR_HOST"), grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if path.Base(method) == "Commit" && refuse > 0 {
			refuse--
			return status.Error(codes.Aborted, "too much contention")
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}))
	b, ctx := on(t, client, collection(t)), context.Background()
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
