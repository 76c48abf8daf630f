package redisbackend

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
)

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
