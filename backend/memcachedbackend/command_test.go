package memcachedbackend

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

// A wire notes the commands that a client sends, and can lose replies.
type wire struct {
	mu    sync.Mutex
	names []string
	lose  atomic.Bool // the next reply is lost, and the connection with it
}

// tap makes a client use a wire.
func tap(c *memcache.Client) *wire {
	w := new(wire)
	c.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &tapped{conn, w}, nil
	}
	return w
}

// take returns the commands since the last call.
func (w *wire) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := w.names
	w.names = nil
	return names
}

type tapped struct {
	net.Conn
	wire *wire
}

func (c *tapped) Write(p []byte) (int, error) {
	c.wire.mu.Lock()
	name, _, _ := strings.Cut(strings.TrimSpace(string(p)), " ")
	c.wire.names = append(c.wire.names, name)
	c.wire.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.wire.lose.CompareAndSwap(true, false) {
		c.Conn.Close()
		return 0, io.EOF
	}
	return n, err
}

// steps returns every operation with the commands that it costs.
func steps(b *Backend, key string) []step {
	ctx := context.Background()
	var rev backend.Revision
	update := func(data string) func() error {
		return func() (err error) { rev, err = b.Update(ctx, key, []byte(data), time.Minute, rev); return }
	}
	load := func() error {
		rec, err := b.Load(ctx, key)
		rev = rec.Revision
		return err
	}
	create := func() (err error) { rev, err = b.Create(ctx, key, []byte("first"), time.Minute); return }
	return []step{
		{"Create", create, "add"},
		{"Update after Create", update("second"), "gets cas"},
		{"Load", load, "gets"},
		{"Update after Load", update("third"), "cas"},
		{"Touch", func() error { return b.Touch(ctx, key, time.Hour) }, "gets cas"},
		{"Touch of a record that lives long", func() error { return b.Touch(ctx, key, time.Minute) }, "gets"},
		{"Delete at a revision of Update", func() error { return b.Delete(ctx, key, rev) }, "gets cas"},
		{"Create", create, "add"},
		{"Load", load, "gets"},
		{"Delete at a revision of Load", func() error { return b.Delete(ctx, key, rev) }, "cas"},
		{"Create", create, "add"},
		{"Delete", func() error { return b.Delete(ctx, key, nil) }, "delete"},
		{"Ping", func() error { return b.Ping(ctx) }, "version"},
	}
}

type step struct {
	name     string
	run      func() error
	commands string
}

func TestCommands(t *testing.T) {
	client := connect(t)
	w := tap(client)
	for _, step := range steps(New(client), newKey()) {
		if err := step.run(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := w.take(); !slices.Equal(got, strings.Fields(step.commands)) {
			t.Errorf("%s sent %q, want %s", step.name, got, step.commands)
		}
	}
}

// TestLostReply loses the reply to the first command of each operation: the
// operation must find out what it has done itself.
func TestLostReply(t *testing.T) {
	client := connect(t)
	w := tap(client)
	for _, step := range steps(New(client), newKey()) {
		w.lose.Store(true)
		err := step.run()
		if step.name == "Delete at a revision of Load" {
			if !errors.Is(err, backend.ErrNotFound) {
				t.Errorf("%s: %v", step.name, err)
			}
		} else if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if w.lose.Load() {
			t.Fatalf("%s lost no reply", step.name)
		}
	}
}

// throughProxy returns a client whose connections all go through a proxy, and
// a function that has it make several and then closes them on the server's
// side, as a restart does.
func throughProxy(t *testing.T) (client *memcache.Client, closeAll func()) {
	addr := testenv.Need(t, "MEMCACHED_ADDR")
	var mu sync.Mutex
	var conns []net.Conn
	client = memcache.New(listen(t, func(conn net.Conn) {
		server, err := net.Dial("tcp", addr)
		if err != nil {
			t.Error(err)
			return
		}
		defer server.Close()
		mu.Lock()
		conns = append(conns, conn)
		mu.Unlock()
		go io.Copy(conn, server)
		io.Copy(server, conn)
	}))
	client.MaxIdleConns = 32
	t.Cleanup(func() { client.Close() })
	return client, func() {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { client.Ping() })
		}
		wg.Wait()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
	}
}

// TestIdleConnections has the server close the connections that the client
// keeps, all of them, before each operation.
func TestIdleConnections(t *testing.T) {
	client, closeAll := throughProxy(t)
	for _, step := range steps(New(client), newKey()) {
		closeAll()
		if err := step.run(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
	}
}

// listen starts a server that handles each connection with f.
func listen(t *testing.T, f func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				f(conn)
			})
		}
	})
	return l.Addr().String()
}

// calls returns a call of each method.
func calls(b *Backend) map[string]func(context.Context) error {
	rev := revision(make([]byte, 20), 1)
	return map[string]func(context.Context) error{
		"Load":           func(ctx context.Context) error { _, err := b.Load(ctx, "key"); return err },
		"Create":         func(ctx context.Context) error { _, err := b.Create(ctx, "key", nil, time.Minute); return err },
		"Update":         func(ctx context.Context) error { _, err := b.Update(ctx, "key", nil, time.Minute, rev); return err },
		"Touch":          func(ctx context.Context) error { return b.Touch(ctx, "key", time.Minute) },
		"Delete":         func(ctx context.Context) error { return b.Delete(ctx, "key", nil) },
		"Delete at base": func(ctx context.Context) error { return b.Delete(ctx, "key", rev) },
		"Ping":           b.Ping,
	}
}

// TestDeaf has a server that never answers, and a client that would wait for
// it far longer than the context.
func TestDeaf(t *testing.T) {
	stop := make(chan struct{})
	addr := listen(t, func(net.Conn) { <-stop })
	t.Cleanup(func() { close(stop) })
	client := memcache.New(addr)
	client.Timeout = time.Hour
	for name, call := range calls(New(client)) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// TestDown has no server.
func TestDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for name, call := range calls(New(memcache.New(l.Addr().String()))) {
		err := call(ctx)
		if err == nil || ctx.Err() != nil || errors.Is(err, backend.ErrNotFound) || !strings.HasPrefix(err.Error(), "memcached: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReplies has servers that answer in ways that memcached can, but does not
// in the other tests.
func TestReplies(t *testing.T) {
	for _, test := range []struct {
		name, reply, want string
		err               error
	}{
		{"no CAS numbers", "VALUE key 0 12 \r\n12345678data\r\nEND\r\n", "memcached: load: memcache: unexpected line in get response...", nil},
		{"without -C", "VALUE key 0 12\r\n12345678data\r\nEND\r\n", "memcached: load: " + errNoCAS.Error(), errNoCAS},
		{"out of memory", "SERVER_ERROR out of memory\r\n", `unexpected line in get response: "SERVER_ERROR out of memory\r\n"`, nil},
		{"a miss", "END\r\n", "", backend.ErrNotFound},
	} {
		addr := listen(t, func(conn net.Conn) {
			for lines := bufio.NewScanner(conn); lines.Scan(); {
				io.WriteString(conn, test.reply)
			}
		})
		client := memcache.New(addr)
		_, err := New(client).Load(context.Background(), "key")
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "VALUE key") {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
		if test.err != nil && !errors.Is(err, test.err) {
			t.Errorf("%s: %v, want %v", test.name, err, test.err)
		}
		client.Close()
	}
}

// TestContradiction has a server that neither stores a record nor has it, as a
// proxy does that hides the errors of the server behind it.
func TestContradiction(t *testing.T) {
	client := memcache.New(listen(t, func(conn net.Conn) {
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			switch name, _, _ := strings.Cut(lines.Text(), " "); name {
			case "add":
				lines.Scan() // the data
				io.WriteString(conn, "NOT_STORED\r\n")
			case "gets":
				io.WriteString(conn, "END\r\n")
			}
		}
	}))
	defer client.Close()
	_, err := New(client).Create(context.Background(), "key", []byte("data"), time.Minute)
	if err == nil || errors.Is(err, backend.ErrExists) || errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Create: %v", err)
	}
}
