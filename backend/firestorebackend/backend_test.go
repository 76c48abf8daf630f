package firestorebackend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/firestore"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
	"github.com/go-session2/sessions/internal/testenv"
)

// project is where the tests keep their collections.
const project = "demo-firestorebackend"

// connect returns a client for the emulator of the tests.
func connect(t testing.TB) *firestore.Client {
	t.Helper()
	testenv.Need(t, "FIRESTORE_EMULATOR_HOST") // which the client reads
	client, err := firestore.NewClient(context.Background(), project)
	if err != nil {
		t.Fatal(err)
	}
	return closing(t, client)
}

func closing(t testing.TB, client *firestore.Client) *firestore.Client {
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// collection returns the name of a new collection that goes with the test.
func collection(t testing.TB) string {
	t.Helper()
	client, name := connect(t), "c"+rand.Text()
	t.Cleanup(func() {
		docs, err := client.Collection(name).DocumentRefs(context.Background()).GetAll()
		if err != nil {
			t.Error(err)
		}
		for _, doc := range docs {
			if _, err := doc.Delete(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	return name
}

// on returns a Backend on a collection.
func on(t testing.TB, client *firestore.Client, name string) *Backend {
	t.Helper()
	b, err := NewWithConfig(client, Config{Collection: name})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fresh returns a Backend on a collection of its own.
func fresh(t testing.TB) *Backend { return on(t, connect(t), collection(t)) }

func TestConformance(t *testing.T) {
	client, name := connect(t), collection(t)
	open := func(t testing.TB) backend.Backend { return on(t, connect(t), name) }
	backendtest.Run(t, backendtest.Harness{
		Open:   open,
		Reopen: open,
		Overwrite: func(t testing.TB, key string, data []byte) {
			_, err := client.Collection(name).Doc(key).Set(context.Background(), map[string]any{"data": data}, firestore.MergeAll)
			if err != nil {
				t.Fatal(err)
			}
		},
		Resolution:         50 * time.Millisecond,
		MaxSize:            MaxDataSize,
		TouchMovesRevision: true,
		Contention:         8,
	})
}

// TestLimit has a document as large as it can become: with the longest key
// and the longest name of a collection.
func TestLimit(t *testing.T) {
	ctx, client := context.Background(), connect(t)
	b := on(t, client, "c"+rand.Text()+strings.Repeat("c", 101))
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
}

// TestTouchRace has many touch a record at once. The longest must win.
func TestTouchRace(t *testing.T) {
	b, ctx := fresh(t), context.Background()
	if _, err := b.Create(ctx, "key", nil, time.Minute); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			if err := b.Touch(ctx, "key", time.Duration(i+1)*time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rec, err := b.Load(ctx, "key")
	if left := time.Until(rec.Expires); err != nil || left < 11*time.Hour {
		t.Errorf("%v are left, %v", left, err)
	}
}

// TestCreateRace has many replace one expired record. One must win.
func TestCreateRace(t *testing.T) {
	b, ctx := fresh(t), context.Background()
	if _, err := b.Create(ctx, "key", []byte("old"), time.Minute); err != nil {
		t.Fatal(err)
	}
	b.now = func() time.Time { return time.Now().Add(time.Hour) }
	var wg sync.WaitGroup
	var mu sync.Mutex
	var won []string
	for range 8 {
		wg.Go(func() {
			data := rand.Text()
			_, err := b.Create(ctx, "key", []byte(data), time.Minute)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, data)
			} else if !errors.Is(err, backend.ErrExists) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rec, err := b.Load(ctx, "key")
	if err != nil || len(won) != 1 || string(rec.Data) != won[0] {
		t.Errorf("%d have won, %v", len(won), err)
	}
}

// TestExpired moves the clock past the expiry of a record, which the
// preconditions of Firestore do not see.
func TestExpired(t *testing.T) {
	b, ctx := fresh(t), context.Background()
	rev, err := b.Create(ctx, "key", []byte("data"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	b.now = func() time.Time { return time.Now().Add(time.Minute) }
	_, loadErr := b.Load(ctx, "key")
	_, updateErr := b.Update(ctx, "key", []byte("more"), time.Minute, rev)
	_, againErr := b.Update(ctx, "key", []byte("data"), time.Minute, rev)
	for op, err := range map[string]error{
		"Load": loadErr, "Update": updateErr, "Update with the same": againErr,
		"Touch": b.Touch(ctx, "key", time.Hour), "Delete": b.Delete(ctx, "key", rev),
	} {
		if !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("%s of an expired record: %v", op, err)
		}
	}
	// A touch by another process, before the end, which rev does not show.
	b.now = time.Now
	if err := b.Touch(ctx, "key", time.Hour); err != nil {
		t.Fatal(err)
	}
	b.now = func() time.Time { return time.Now().Add(time.Minute) }
	if _, err := b.Update(ctx, "key", []byte("more"), time.Minute, rev); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("Update of a record that was touched: %v", err)
	}
	if err := b.Delete(ctx, "key", rev); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("Delete of a record that was touched: %v", err)
	}
}

// TestTransaction saves a record that a transaction of another program has
// locked: it waits for the transaction and then goes through.
func TestTransaction(t *testing.T) {
	client, name := connect(t), collection(t)
	b, ctx := on(t, connect(t), name), context.Background()
	rev, err := b.Create(ctx, "key", []byte("data"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	given := errors.New("given up")
	updated := make(chan error, 1)
	err = client.RunTransaction(ctx, func(ctx context.Context, tx *firestore.Transaction) error {
		if _, err := tx.Get(client.Collection(name).Doc("key")); err != nil {
			return err
		}
		go func() {
			_, err := b.Update(context.WithoutCancel(ctx), "key", []byte("more"), time.Hour, rev)
			updated <- err
		}()
		return given
	})
	if !errors.Is(err, given) {
		t.Fatal(err)
	}
	if err := <-updated; err != nil {
		t.Error(err)
	}
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
		{MaxSize: -1}, {MaxSize: MaxDataSize + 1}, {Collection: "a/b/c"}, {Collection: "__a__"}, {Collection: "."}, {Collection: "a b"},
	} {
		if _, err := NewWithConfig(client, cfg); err == nil {
			t.Errorf("NewWithConfig takes %+v", cfg)
		}
	}
	if got := New(client).coll.ID; got != DefaultCollection {
		t.Errorf("the default collection is %s", got)
	}
}

func BenchmarkBackend(b *testing.B) {
	backendtest.Benchmark(b, backendtest.Harness{
		Open: func(t testing.TB) backend.Backend { return fresh(t) },
	})
}
