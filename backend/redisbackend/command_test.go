package redisbackend

import (
	"bufio"
	"context"
	"crypto/rand"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

// A counter is a hook that notes the commands that a client is given.
type counter struct {
	mu    sync.Mutex
	names []string
}

func (c *counter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.mu.Lock()
		c.names = append(c.names, cmd.Name())
		c.mu.Unlock()
		return next(ctx, cmd)
	}
}

// take returns what was noted since the last call.
func (c *counter) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := c.names
	c.names = nil
	return names
}

// A step is an operation and the commands that it may cost.
type step struct {
	name  string
	run   func() error
	wants []string
}

// steps returns every operation once, on one key, in an order that works.
func steps(b *Backend, key string) []step {
	ctx := context.Background()
	first, second, third := []byte("the first data"), []byte("the second data"), []byte("the third data")
	var rev backend.Revision
	update := func(data []byte) (err error) {
		rev, err = b.Update(ctx, key, data, time.Minute, rev)
		return err
	}
	return []step{
		{"Create", func() (err error) { rev, err = b.Create(ctx, key, first, time.Minute); return err }, []string{"set"}},
		{"Load", func() error { _, err := b.Load(ctx, key); return err }, []string{"get"}},
		{"Update", func() error { return update(second) }, []string{"evalsha"}},
		{"Update again", func() error { return update(third) }, []string{"evalsha"}},
		{"Touch", func() error { return b.Touch(ctx, key, time.Hour) }, []string{"evalsha"}},
		{"Delete at a revision", func() error { return b.Delete(ctx, key, rev) }, []string{"evalsha"}},
		{"Delete", func() error { return b.Delete(ctx, key, nil) }, []string{"del"}},
	}
}

// learn makes the server know the scripts.
func learn(t *testing.T, c redis.UniversalClient) {
	t.Helper()
	for _, s := range []script{updateScript, touchScript, deleteScript} {
		if err := c.ScriptLoad(context.Background(), s.source).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCommandsGiven counts the commands that each operation gives to its
// client, for every kind of deployment.
func TestCommandsGiven(t *testing.T) {
	for name, connect := range map[string]func(testing.TB, bool) redis.UniversalClient{
		"Standalone": standalone, "Cluster": cluster, "Sentinel": sentinel, "Mini": mini,
	} {
		t.Run(name, func(t *testing.T) {
			client := connect(t, true)
			learn(t, client)
			var given counter
			client.AddHook(&given)
			for _, step := range steps(New(client), "test:"+rand.Text()) {
				if err := step.run(); err != nil {
					t.Fatalf("%s: %v", step.name, err)
				}
				if got := given.take(); !slices.Equal(got, step.wants) {
					t.Errorf("%s gave %q, want %q", step.name, got, step.wants)
				}
			}
		})
	}
}

func mini(t testing.TB, heed bool) redis.UniversalClient {
	return closing(t, redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr(), ContextTimeoutEnabled: heed}))
}

// TestCommandsReceived counts the commands that the server receives, so that
// nothing hides behind the client.
func TestCommandsReceived(t *testing.T) {
	client := standalone(t, true)
	learn(t, client)
	key := "test:" + rand.Text()
	received := monitor(t, client, key)
	b := New(client)
	for _, step := range steps(b, key) {
		if err := step.run(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := received(); !slices.Equal(got, step.wants) {
			t.Errorf("the server received %q for %s, want %q", got, step.name, step.wants)
		}
	}
	if _, _, err := b.List(context.Background(), key, "", 10); err != nil {
		t.Fatal(err)
	}
	if got := received(); !slices.Equal(got, []string{"scan"}) {
		t.Errorf("the server received %q for List, want one scan", got)
	}
}

// monitor watches what the server is told about key. The function returned
// names the commands since its last call.
func monitor(t *testing.T, client redis.UniversalClient, key string) func() []string {
	t.Helper()
	conn, err := net.Dial("tcp", testenv.Need(t, "REDIS_ADDR"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 64<<20) // other programs may store large values meanwhile
	if _, err := conn.Write([]byte("MONITOR\r\n")); err != nil || !lines.Scan() {
		t.Fatal("MONITOR: ", err, lines.Err())
	}
	return func() (names []string) {
		t.Helper()
		mark := rand.Text()
		if err := client.Echo(context.Background(), mark).Err(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			line := lines.Text() // +seconds [db client] "command" "argument" ...
			if strings.Contains(line, mark) {
				return names
			}
			if strings.Contains(line, key) && !strings.Contains(line, " lua] ") {
				names = append(names, strings.ToLower(strings.Split(line, `"`)[1]))
			}
		}
		t.Fatal("MONITOR: ", lines.Err())
		return nil
	}
}

// TestScriptFlush forgets the scripts before each operation, as a restart of
// the server does.
func TestScriptFlush(t *testing.T) {
	for name, connect := range map[string]func(testing.TB, bool) redis.UniversalClient{
		"Standalone": standalone, "Cluster": cluster, "Sentinel": sentinel, "Mini": mini,
	} {
		t.Run(name, func(t *testing.T) {
			client, ctx := connect(t, true), context.Background()
			for _, step := range steps(New(client), "test:"+rand.Text()) {
				if err := client.ScriptFlush(ctx).Err(); err != nil {
					t.Fatal(err)
				}
				if err := step.run(); err != nil {
					t.Fatalf("%s: %v", step.name, err)
				}
			}
		})
	}
}
