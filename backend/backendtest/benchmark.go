package backendtest

import (
	"context"
	"testing"

	"github.com/go-session2/sessions/backend"
)

// Benchmark measures the methods of the backend that h.Open opens, one at a
// time and Load also in parallel, with records of 500 bytes.
func Benchmark(b *testing.B, h Harness) {
	s := h.Open(b)
	ctx := context.Background()
	bench := func(name string, f func(b *testing.B, key string, rev backend.Revision)) {
		b.Run(name, func(b *testing.B) {
			key := newKey()
			rev, err := s.Create(ctx, key, newData(500), longTTL)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			f(b, key, rev)
			b.StopTimer()
			if err := s.Delete(ctx, key, nil); err != nil {
				b.Fatal(err)
			}
		})
	}
	bench("Load", func(b *testing.B, key string, _ backend.Revision) {
		for range b.N {
			if _, err := s.Load(ctx, key); err != nil {
				b.Fatal(err)
			}
		}
	})
	bench("LoadParallel", func(b *testing.B, key string, _ backend.Revision) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Load(ctx, key); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
	bench("CreateDelete", func(b *testing.B, key string, _ backend.Revision) {
		data := newData(500)
		for range b.N {
			key := newKey()
			rev, err := s.Create(ctx, key, data, longTTL)
			if err == nil {
				err = s.Delete(ctx, key, rev)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	bench("Update", func(b *testing.B, key string, rev backend.Revision) {
		data := [2][]byte{newData(500), newData(500)}
		for i := range b.N {
			var err error
			if rev, err = s.Update(ctx, key, data[i%2], longTTL, rev); err != nil {
				b.Fatal(err)
			}
		}
	})
	bench("Touch", func(b *testing.B, key string, _ backend.Revision) {
		for range b.N {
			if err := s.Touch(ctx, key, longTTL); err != nil {
				b.Fatal(err)
			}
		}
	})
}
