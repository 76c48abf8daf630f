package redisbackend

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend/backendtest"
)

func BenchmarkBackend(b *testing.B) {
	for name, heed := range map[string]bool{"Heeding": true, "Deaf": false} {
		b.Run(name, func(b *testing.B) {
			backendtest.Benchmark(b, harness(func(t testing.TB) redis.UniversalClient { return standalone(t, heed) }))
		})
	}
}

// BenchmarkUpdate compares an Update, which has the server compute a digest
// of what it holds, with a SET, which compares nothing.
func BenchmarkUpdate(b *testing.B) {
	for _, size := range []int{500, 64 << 10} {
		ctx, client := context.Background(), standalone(b, true)
		store, key := New(client), "test:"+rand.Text()
		data := [2][]byte{bytes.Repeat([]byte("a"), size), bytes.Repeat([]byte("b"), size)}
		rev, err := store.Create(ctx, key, data[1], time.Hour)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("Update/%d", size), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				next := data[i%2]
				if bytes.Equal(rev, next) {
					next = data[(i+1)%2]
				}
				if rev, err = store.Update(ctx, key, next, time.Hour, rev); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("Set/%d", size), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if err := client.Set(ctx, key, data[i%2], time.Hour).Err(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
