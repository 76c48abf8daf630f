package datastorebackend

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
)

// TestTurns has many touch a record at once. As they take turns, none costs
// more calls than alone, whatever the server does with rivals.
func TestTurns(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		sent := new(calls)
		b, ctx := s.on(t, s.connect(t, grpc.WithStatsHandler(sent)), s.kind(t)), context.Background()
		if _, err := b.Create(ctx, "key", nil, time.Minute); err != nil {
			t.Fatal(err)
		}
		const n = 8
		race(n, func(i int) {
			if err := b.Touch(ctx, "key", time.Duration(i+1)*time.Hour); err != nil {
				t.Error(err)
			}
		})
		names := sent.take()
		lookups := len(slices.DeleteFunc(names, func(name string) bool { return name != "Lookup" }))
		if lookups != n || len(b.turns.records) != 0 {
			t.Errorf("%d touches cost %d lookups, %d turns are left", n, lookups, len(b.turns.records))
		}
	})
}

// TestWaitForTurn waits for a transaction that does not end.
func TestWaitForTurn(t *testing.T) {
	b, ctx := New(dial(t, deaf(t))), context.Background()
	end, err := b.turns.take(ctx, "key")
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if _, err := b.turns.take(short, "key"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a turn was taken twice: %v", err)
	}
	other, err := b.turns.take(ctx, "other")
	if err != nil {
		t.Fatal(err)
	}
	other()
	end()
	if end, err = b.turns.take(ctx, "key"); err != nil {
		t.Fatal(err)
	}
	end()
	if n := len(b.turns.records); n != 0 {
		t.Errorf("%d turns are left", n)
	}
}
