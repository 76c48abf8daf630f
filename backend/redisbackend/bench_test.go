package redisbackend

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
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

// BenchmarkConcurrent has 64 callers load and update records of 500 bytes,
// with pipelines and without.
func BenchmarkConcurrent(b *testing.B) {
	for name, alone := range map[string]bool{"Pipelines": false, "OneByOne": true} {
		client := standalone(b, true)
		store, err := NewWithConfig(client, Config{NoPipelining: alone})
		if err != nil {
			b.Fatal(err)
		}
		each := func(b *testing.B, call func(key string)) {
			b.SetParallelism(32) // times GOMAXPROCS
			b.ReportAllocs()
			before := serverCPU(b, client)
			b.RunParallel(func(pb *testing.PB) {
				key := "test:" + rand.Text()
				if _, err := store.Create(context.Background(), key, make([]byte, 500), time.Hour); err != nil {
					b.Error(err)
				}
				for pb.Next() {
					call(key)
				}
			})
			b.ReportMetric((serverCPU(b, client)-before)*1e6/float64(b.N), "server-µs/op")
		}
		b.Run("Load/"+name, func(b *testing.B) {
			each(b, func(key string) {
				if _, err := store.Load(context.Background(), key); err != nil {
					b.Error(err)
				}
			})
		})
		b.Run("Update/"+name, func(b *testing.B) {
			each(b, func(key string) {
				rec, err := store.Load(context.Background(), key)
				if err == nil {
					_, err = store.Update(context.Background(), key, rec.Data, time.Hour, rec.Revision)
				}
				if err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// Ways to compare that were measured and not chosen.
var (
	// ARGV: expiry, data, time to live in ms, SHA-1 digest of the old data.
	byDigest = newScript(`
local old = redis.call('GET', KEYS[1])
if not old then return 0 end
local data = string.sub(old, #ARGV[1] + 1)
if data ~= ARGV[2] and redis.sha1hex(data) ~= ARGV[4] then return 2 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return 1
`)
	// ARGV: value, time to live in ms, the old value.
	byValue = newScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[3] then return 2 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`)
)

// BenchmarkCompareAndSwap compares the ways in which a server can tell whether
// a record was changed since it was read. To compare the CPU time of the
// server, which includes its reading and writing on the network, nobody else
// may use it meanwhile.
func BenchmarkCompareAndSwap(b *testing.B) {
	ctx, client := context.Background(), standalone(b, true)
	hour := time.Hour.Milliseconds()
	for _, size := range []int{500, 4 << 10, 64 << 10, 256 << 10} {
		values := [2][]byte{
			encode(bytes.Repeat([]byte("a"), size), time.Now().Add(time.Hour)),
			encode(bytes.Repeat([]byte("b"), size), time.Now().Add(time.Hour)),
		}
		var digests [2]string
		for i, v := range values {
			sum := sha1.Sum(v[expirySize:])
			digests[i] = hex.EncodeToString(sum[:])
		}
		for _, way := range []struct {
			name string
			args func(key string, old, next int) []any
		}{
			{"set", func(key string, _, next int) []any { return []any{"set", key, values[next], "px", hour} }},
			{"revision", func(key string, old, next int) []any {
				return []any{"evalsha", updateScript.hash, 1, key, values[next], []byte(revision(values[old])), hour}
			}},
			{"value", func(key string, old, next int) []any {
				return []any{"evalsha", byValue.hash, 1, key, values[next], hour, values[old]}
			}},
			{"digest", func(key string, old, next int) []any {
				return []any{"evalsha", byDigest.hash, 1, key, values[next][:expirySize], values[next][expirySize:], hour, digests[old]}
			}},
		} {
			b.Run(fmt.Sprintf("%d/%s", size, way.name), func(b *testing.B) {
				for _, s := range []script{updateScript, byDigest, byValue} {
					if err := client.ScriptLoad(ctx, s.source).Err(); err != nil {
						b.Fatal(err)
					}
				}
				key := "test:" + rand.Text()
				if err := client.Set(ctx, key, values[0], time.Hour).Err(); err != nil {
					b.Fatal(err)
				}
				before, i := serverCPU(b, client), 0
				for b.Loop() {
					reply, err := client.Do(ctx, way.args(key, i%2, (i+1)%2)...).Result()
					if err != nil || reply != "OK" && reply != int64(replyDone) {
						b.Fatal(reply, err)
					}
					i++
				}
				b.ReportMetric((serverCPU(b, client)-before)*1e6/float64(b.N), "server-µs/op")
			})
		}
	}
}

var cpuUsed = regexp.MustCompile(`used_cpu_(?:sys|user):([0-9.]+)`)

// serverCPU returns how many seconds of CPU time the server has used.
func serverCPU(b *testing.B, client redis.UniversalClient) (seconds float64) {
	b.Helper()
	info, err := client.Info(context.Background(), "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range cpuUsed.FindAllStringSubmatch(info, -1) {
		s, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			b.Fatal(err)
		}
		seconds += s
	}
	return seconds
}
