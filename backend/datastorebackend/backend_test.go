package datastorebackend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/datastore"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
	"github.com/go-session2/sessions/internal/testenv"
)

// project is where the tests keep their entities.
const project = "demo-datastorebackend"

// A server is one that the tests run against. Each handles transactions in
// another way.
type server struct {
	name, env  string
	beginFirst bool
	contention int
}

var (
	optimistic  = server{"Optimistic", "DATASTORE_EMULATOR_HOST", false, 8}
	pessimistic = server{"Pessimistic", "DATASTORE_MODE_EMULATOR_HOST", true, 2}
)

// eachServer runs a test against each server.
func eachServer(t *testing.T, f func(*testing.T, server)) {
	for _, s := range []server{optimistic, pessimistic} {
		t.Run(s.name, func(t *testing.T) { f(t, s) })
	}
}

// connect returns a client for the server.
func (s server) connect(t testing.TB, opts ...grpc.DialOption) *datastore.Client {
	t.Helper()
	return dial(t, testenv.Need(t, s.env), opts...)
}

// dial returns a client for the server at an address.
func dial(t testing.TB, addr string, opts ...grpc.DialOption) *datastore.Client {
	t.Helper()
	options := []option.ClientOption{option.WithEndpoint("passthrough:///" + addr), option.WithoutAuthentication()}
	for _, o := range append(opts, grpc.WithTransportCredentials(insecure.NewCredentials())) {
		options = append(options, option.WithGRPCDialOption(o))
	}
	client, err := datastore.NewClient(context.Background(), project, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// kind returns the name of a new kind whose entities go with the test.
func (s server) kind(t testing.TB) string {
	t.Helper()
	client, name := s.connect(t), "k"+rand.Text()
	t.Cleanup(func() {
		ctx := context.Background()
		for {
			keys, err := client.GetAll(ctx, datastore.NewQuery(name).KeysOnly().Limit(500), nil)
			if err == nil {
				err = client.DeleteMulti(ctx, keys)
			}
			if err != nil {
				t.Error(err)
			}
			if err != nil || len(keys) == 0 {
				return
			}
		}
	})
	return name
}

// on returns a Backend on a kind.
func (s server) on(t testing.TB, client *datastore.Client, kind string) *Backend {
	t.Helper()
	b, err := NewWithConfig(client, Config{Kind: kind, BeginFirst: s.beginFirst})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fresh returns a Backend on a kind of its own.
func (s server) fresh(t testing.TB) *Backend { return s.on(t, s.connect(t), s.kind(t)) }

func TestConformance(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		t.Parallel() // as a pessimistic server makes rivals wait for seconds
		client, kind := s.connect(t), s.kind(t)
		open := func(t testing.TB) backend.Backend { return s.on(t, s.connect(t), kind) }
		reopen := open
		if s == pessimistic {
			// This emulator makes two transactions that collide wait for
			// two seconds. TestRivals has processes that do.
			reopen = nil
		}
		backendtest.Run(t, backendtest.Harness{
			Open:   open,
			Reopen: reopen,
			Overwrite: func(t testing.TB, key string, data []byte) {
				ctx, k := context.Background(), datastore.NameKey(kind, key, nil)
				var list datastore.PropertyList
				err := client.Get(ctx, k, &list)
				for i := range list {
					if list[i].Name == "data" {
						list[i].Value = data
					}
				}
				if err == nil {
					_, err = client.Put(ctx, k, &list)
				}
				if err != nil {
					t.Fatal(err)
				}
			},
			Resolution: 50 * time.Millisecond,
			MaxSize:    MaxDataSize,
			Contention: s.contention,
		})
	})
}

// TestLimit has an entity as large as it can become: with the longest key and
// the longest name of a kind.
func TestLimit(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		ctx := context.Background()
		b := s.on(t, s.connect(t), "k"+rand.Text()+strings.Repeat("k", 101))
		key := strings.Repeat("k", maxKey)
		t.Cleanup(func() { b.Delete(ctx, key, nil) })
		rev, err := b.Create(ctx, key, make([]byte, MaxDataSize), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		data := []byte(strings.Repeat("x", MaxDataSize))
		if rev, err = b.Update(ctx, key, data, time.Hour, rev); err != nil {
			t.Fatal(err)
		}
		if rec, err := b.Load(ctx, key); err != nil || string(rec.Data) != string(data) {
			t.Errorf("Load: %d bytes, %v", len(rec.Data), err)
		}
		for op, write := range map[string]func() error{
			"create": func() error { _, err := b.Create(ctx, "other", append(data, 0), time.Hour); return err },
			"update": func() error { _, err := b.Update(ctx, key, append(data, 0), time.Hour, rev); return err },
		} {
			if err := write(); !errors.Is(err, backend.ErrTooLarge) || !strings.Contains(err.Error(), fmt.Sprint(MaxDataSize)) {
				t.Errorf("%s of one byte more: %v", op, err)
			}
		}
	})
}

// race runs f several times at once.
func race(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// processes returns several Backends on the kind of b, as that many processes
// would have, with its clock.
func (s server) processes(t testing.TB, b *Backend, n int) []*Backend {
	list := []*Backend{b}
	for len(list) < n {
		other := s.on(t, s.connect(t), b.kind)
		other.now = b.now
		list = append(list, other)
	}
	return list
}

// TestTouchRace has several processes touch a record at once. The longest must
// win.
func TestTouchRace(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		b, ctx := s.fresh(t), context.Background()
		if _, err := b.Create(ctx, "key", nil, time.Minute); err != nil {
			t.Fatal(err)
		}
		each := s.processes(t, b, 3)
		race(len(each), func(i int) {
			if err := each[i].Touch(ctx, "key", time.Duration(i+1)*time.Hour); err != nil {
				t.Error(err)
			}
		})
		rec, err := b.Load(ctx, "key")
		if left := time.Until(rec.Expires); err != nil || left < 2*time.Hour {
			t.Errorf("%v are left, %v", left, err)
		}
	})
}

// TestCreateRace has several processes replace one expired record. One must win.
func TestCreateRace(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		b, ctx := s.fresh(t), context.Background()
		if _, err := b.Create(ctx, "key", []byte("old"), time.Minute); err != nil {
			t.Fatal(err)
		}
		b.now = func() time.Time { return time.Now().Add(time.Hour) }
		var mu sync.Mutex
		var won []string
		each := s.processes(t, b, 3)
		race(len(each), func(i int) {
			data := rand.Text()
			_, err := each[i].Create(ctx, "key", []byte(data), time.Minute)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, data)
			} else if !errors.Is(err, backend.ErrExists) {
				t.Error(err)
			}
		})
		rec, err := b.Load(ctx, "key")
		if err != nil || len(won) != 1 || string(rec.Data) != won[0] {
			t.Errorf("%d have won, %v", len(won), err)
		}
	})
}

// TestRivals has two processes change one record at once, by Update, Touch and
// Delete. None may undo what the other did.
func TestRivals(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		b, ctx := s.fresh(t), context.Background()
		each := s.processes(t, b, 2)
		const increments = 4
		if _, err := b.Create(ctx, "key", []byte("0"), time.Hour); err != nil {
			t.Fatal(err)
		}
		race(len(each), func(i int) {
			for n := 0; n < increments; {
				rec, err := each[i].Load(ctx, "key")
				if err != nil {
					t.Error(err)
					return
				}
				count, _, _ := strings.Cut(string(rec.Data), " ")
				next, _ := strconv.Atoi(count)
				_, err = each[i].Update(ctx, "key", fmt.Appendf(nil, "%d %s", next+1, rand.Text()), time.Hour, rec.Revision)
				if err == nil {
					n++
					err = each[i].Touch(ctx, "key", time.Duration(n+1)*time.Hour)
				} else if errors.Is(err, backend.ErrConflict) {
					err = nil
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
		rec, err := b.Load(ctx, "key")
		if want := fmt.Sprint(len(each)*increments, " "); err != nil || !strings.HasPrefix(string(rec.Data), want) {
			t.Errorf("after %s increments the record holds %q, %v", want, rec.Data, err)
		}

		var updated, deleted error
		race(len(each), func(i int) {
			if i == 0 {
				_, updated = each[i].Update(ctx, "key", []byte("last"), time.Hour, rec.Revision)
			} else {
				deleted = each[i].Delete(ctx, "key", rec.Revision)
			}
		})
		if (updated == nil) == (deleted == nil) {
			t.Errorf("Update: %v, Delete: %v, of which one should succeed", updated, deleted)
		}
		rec, err = b.Load(ctx, "key")
		if deleted == nil && !errors.Is(err, backend.ErrNotFound) || updated == nil && string(rec.Data) != "last" {
			t.Errorf("Update: %v, Delete: %v, then Load: %q, %v", updated, deleted, rec.Data, err)
		}
	})
}

// TestInterference changes a record between the lookup and the commit of an
// Update, as another program without transactions would. An optimistic server
// lets it, and the Update must notice; a pessimistic one makes it wait.
func TestInterference(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		ctx := context.Background()
		b := s.fresh(t)
		rev, err := b.Create(ctx, "key", []byte("data"), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		theirs := record{data: []byte("theirs"), expires: expiry(time.Now(), time.Hour)}
		wrote := make(chan error, 1)
		write := sync.OnceFunc(func() {
			_, err := b.client.Put(ctx, b.name("key"), b.layout.encode(theirs))
			wrote <- err
		})
		asked := 0
		b.now = func() time.Time { // is asked between lookup and commit
			asked++
			if asked == 1 { // for the expiry, before the lookup
				return time.Now()
			}
			if s.beginFirst {
				go write()
			} else {
				write()
			}
			return time.Now()
		}
		_, err = b.Update(ctx, "key", []byte("ours"), time.Hour, rev)
		if werr := <-wrote; werr != nil {
			t.Fatal(werr)
		}
		b.now = time.Now
		rec, lerr := b.Load(ctx, "key")
		if lerr != nil || string(rec.Data) != "theirs" {
			t.Errorf("the record holds %q, %v", rec.Data, lerr)
		}
		if s.beginFirst && err != nil || !s.beginFirst && !errors.Is(err, backend.ErrConflict) {
			t.Errorf("Update: %v", err)
		}
	})
}

// TestContext gives a transaction up after its lookup. The record must not
// stay locked.
func TestContext(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		b := s.fresh(t)
		ctx, cancel := context.WithCancel(context.Background())
		rev, err := b.Create(ctx, "key", []byte("data"), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		var asked sync.Once
		now := time.Now()
		b.now = func() time.Time { asked.Do(cancel); return now }
		if _, err := b.Update(ctx, "key", []byte("more"), time.Hour, rev); !errors.Is(err, context.Canceled) {
			t.Errorf("Update: %v", err)
		}
		if _, err := b.Update(context.Background(), "key", []byte("last"), time.Hour, rev); err != nil {
			t.Errorf("Update after it: %v", err)
		}
	})
}

func TestInvalid(t *testing.T) {
	ctx := context.Background()
	if _, err := NewWithConfig(nil, Config{}); err == nil {
		t.Error("NewWithConfig takes a nil client")
	}
	b := New(nil)
	if _, err := b.Load(ctx, "k"); err == nil || !strings.Contains(err.Error(), "nil") {
		t.Errorf("Load: %v", err)
	}
	if err := b.Ping(ctx); err == nil {
		t.Error("Ping works on a nil client")
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	client := dial(t, down(t))
	for _, cfg := range []Config{
		{MaxSize: -1}, {MaxSize: MaxDataSize + 1}, {Kind: "a/b"}, {Kind: "__a__"}, {Kind: "."}, {Kind: "a b"},
	} {
		if _, err := NewWithConfig(client, cfg); err == nil {
			t.Errorf("NewWithConfig takes %+v", cfg)
		}
	}
	if got := New(client).kind; got != DefaultKind {
		t.Errorf("the default kind is %s", got)
	}
}

func BenchmarkBackend(b *testing.B) {
	backendtest.Benchmark(b, backendtest.Harness{
		Open: func(t testing.TB) backend.Backend { return optimistic.fresh(t) },
	})
}
