package mongobackend

import (
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

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/go-session2/sessions/backend"
)

// commands notes the commands that a client sends.
type commands struct {
	mu    sync.Mutex
	names []string
	last  bson.Raw
}

func (c *commands) monitor() *options.ClientOptions {
	return options.Client().SetMonitor(&event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		if e.CommandName == "endSessions" || e.CommandName == "drop" || e.CommandName == "listIndexes" {
			return // of the test itself
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.names = append(c.names, e.CommandName)
		c.last = slices.Clone(e.Command)
	}})
}

// take returns the names since the last call.
func (c *commands) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := c.names
	c.names = nil
	return names
}

type step struct {
	name     string
	run      func() error
	commands string
}

// steps returns every operation with the commands that it costs.
func steps(b *Backend) []step {
	ctx := context.Background()
	first, second := []byte("first"), []byte("second")
	create := func() error { _, err := b.Create(ctx, "key", first, time.Hour); return err }
	update := func() error { _, err := b.Update(ctx, "key", second, time.Hour, first); return err }
	return []step{
		{"Create", create, "insert"},
		{"Load", func() error { _, err := b.Load(ctx, "key"); return err }, "find"},
		{"Update", update, "update"},
		{"Update again", update, "update find"},
		{"Touch", func() error { return b.Touch(ctx, "key", 2*time.Hour) }, "update"},
		{"List", func() error { _, _, err := b.List(ctx, "", "", 10); return err }, "find"},
		{"Sweep", func() error { _, err := b.Sweep(ctx, 10); return err }, "find"},
		{"Delete at a revision", func() error { return b.Delete(ctx, "key", second) }, "delete"},
		{"Create", create, "insert"},
		{"Create again", create, "insert find"},
		{"Delete", func() error { return b.Delete(ctx, "key", nil) }, "delete"},
		{"Ping", func() error { return b.Ping(ctx) }, "ping"},
	}
}

func TestCommands(t *testing.T) {
	sent := new(commands)
	for _, step := range steps(newUnindexed(t, collection(t, sent.monitor()))) {
		if err := step.run(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := sent.take(); !slices.Equal(got, strings.Fields(step.commands)) {
			t.Errorf("%s sent %q, want %s", step.name, got, step.commands)
		}
	}
}

// TestConcerns looks at what is asked of a replica set, on a collection that
// wants neither.
func TestConcerns(t *testing.T) {
	sent := new(commands)
	theirs := options.Client().SetWriteConcern(writeconcern.W1()).SetReadPreference(readpref.SecondaryPreferred())
	coll := collection(t, sent.monitor(), theirs)
	for _, step := range steps(newUnindexed(t, coll)) {
		if err := step.run(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		last := strings.Fields(step.commands)
		switch last[len(last)-1] {
		case "insert", "update", "delete":
			if w, _ := sent.last.Lookup("writeConcern", "w").StringValueOK(); w != "majority" {
				t.Errorf("%s waits for %v", step.name, sent.last.Lookup("writeConcern"))
			}
		default:
			mode, ok := sent.last.Lookup("$readPreference", "mode").StringValueOK()
			if ok && mode != "primary" && mode != "primaryPreferred" { // to a single server the driver says the latter
				t.Errorf("%s reads from %s", step.name, mode)
			}
		}
	}
}

// losing is a dialer whose connections can lose a reply.
type losing struct{ lose atomic.Bool }

func (l *losing) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &losingConn{Conn: conn, from: l}, nil
}

type losingConn struct {
	net.Conn
	from *losing
	mine atomic.Bool // this connection has sent the command
}

func (c *losingConn) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "mongobackend_test") {
		c.mine.Store(true)
	}
	return c.Conn.Write(p)
}

func (c *losingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.mine.Load() && c.from.lose.CompareAndSwap(true, false) {
		c.Conn.Close()
		return 0, io.EOF
	}
	return n, err
}

// TestLostReply loses the reply to the first command of each operation. What
// the driver repeats must not be taken for a conflict; what it does not repeat
// is an error, and the caller's repetition must succeed.
func TestLostReply(t *testing.T) {
	for name, retry := range map[string]bool{"driver repeats": true, "caller repeats": false} {
		t.Run(name, func(t *testing.T) {
			var l losing
			coll := collection(t, options.Client().SetDialer(&l).SetRetryWrites(retry).SetRetryReads(retry))
			for _, step := range steps(newUnindexed(t, coll)) {
				if step.name == "Ping" {
					continue // it names no database
				}
				l.lose.Store(true)
				err := step.run()
				if l.lose.Load() {
					t.Fatalf("%s lost no reply", step.name)
				}
				if !retry {
					if err == nil {
						t.Errorf("%s succeeded without a reply", step.name)
					}
					err = step.run()
					if step.name == "Delete at a revision" && errors.Is(err, backend.ErrNotFound) {
						err = nil
					}
				}
				if err != nil {
					t.Errorf("%s: %v", step.name, err)
				}
			}
		})
	}
}

// deaf returns a collection of a server that never answers.
func deaf(t *testing.T) *mongo.Collection {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
		}
	})
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + l.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
		for _, c := range conns {
			c.Close()
		}
		client.Disconnect(context.Background())
	})
	return client.Database(database).Collection("deaf")
}

// down returns a collection of a server that is not there.
func down(t *testing.T) *mongo.Collection {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + l.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Disconnect(context.Background()) })
	return client.Database(database).Collection("down")
}

// TestUnreachable has servers that cannot be asked. Every method must return
// with the context.
func TestUnreachable(t *testing.T) {
	for name, coll := range map[string]*mongo.Collection{"deaf": deaf(t), "down": down(t)} {
		for _, call := range []struct {
			name string
			f    func(context.Context, *Backend) error
		}{
			{"Load", func(ctx context.Context, b *Backend) error { _, err := b.Load(ctx, "key"); return err }},
			{"Create", func(ctx context.Context, b *Backend) error {
				_, err := b.Create(ctx, "key", nil, time.Hour)
				return err
			}},
			{"Update", func(ctx context.Context, b *Backend) error {
				_, err := b.Update(ctx, "key", nil, time.Hour, backend.Revision{})
				return err
			}},
			{"Touch", func(ctx context.Context, b *Backend) error { return b.Touch(ctx, "key", time.Hour) }},
			{"Delete", func(ctx context.Context, b *Backend) error { return b.Delete(ctx, "key", nil) }},
			{"Sweep", func(ctx context.Context, b *Backend) error { _, err := b.Sweep(ctx, 1); return err }},
			{"List", func(ctx context.Context, b *Backend) error { _, _, err := b.List(ctx, "", "", 1); return err }},
			{"Ping", func(ctx context.Context, b *Backend) error { return b.Ping(ctx) }},
			{"EnsureSchema", func(ctx context.Context, b *Backend) error { return b.EnsureSchema(ctx) }},
		} {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			err := call.f(ctx, newUnindexed(t, coll))
			if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "mongodb: ") {
				t.Errorf("%s, %s: %v", name, call.name, err)
			}
			cancel()
		}
	}
}

// TestQuiet has errors of MongoDB that quote the key.
func TestQuiet(t *testing.T) {
	ctx := context.Background()
	coll := collection(t)
	doc := native.document("session:secret", nil, time.Now().Add(time.Hour))
	if _, err := coll.InsertOne(ctx, doc); err != nil {
		t.Fatal(err)
	}
	_, err := coll.InsertOne(ctx, doc)
	if err == nil || !strings.Contains(err.Error(), "secret") {
		t.Fatalf("the error of MongoDB holds no key: %v", err)
	}
	for _, key := range []string{"session:secret", ""} {
		got := fail(ctx, "create", key, err)
		if strings.Contains(got.Error(), "secret") || !strings.Contains(got.Error(), "E11000") || !mongo.IsDuplicateKeyError(got) {
			t.Errorf("the error is %v", got)
		}
	}
}
