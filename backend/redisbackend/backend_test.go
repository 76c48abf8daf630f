package redisbackend

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
	"github.com/go-session2/sessions/internal/testenv"
)

// silence is a logger for go-redis, which tells of every failover and of every
// server that it cannot reach.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

func TestMain(m *testing.M) {
	redis.SetLogger(silence{})
	os.Exit(m.Run())
}

// maxSize is the limit that the conformance suite probes: the real one would
// be half a gigabyte for each record.
const maxSize = 1 << 20

// harness runs the suite on what connect opens.
func harness(connect func(t testing.TB) redis.UniversalClient) backendtest.Harness {
	open := func(t testing.TB) backend.Backend {
		b, err := NewWithConfig(connect(t), Config{MaxSize: maxSize})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return backendtest.Harness{
		Open:   open,
		Reopen: open,
		Overwrite: func(t testing.TB, key string, data []byte) {
			value := encode(data, time.Now().Add(time.Hour))
			if err := connect(t).Set(context.Background(), key, value, redis.KeepTTL).Err(); err != nil {
				t.Fatal(err)
			}
		},
		Resolution: 50 * time.Millisecond,
		MaxSize:    maxSize,
	}
}

// The clients of the tests, one for each way to deploy Redis. heed sets
// ContextTimeoutEnabled.

func standalone(t testing.TB, heed bool) redis.UniversalClient {
	return closing(t, redis.NewClient(&redis.Options{
		Addr: testenv.Need(t, "REDIS_ADDR"), ContextTimeoutEnabled: heed,
	}))
}

func cluster(t testing.TB, heed bool) redis.UniversalClient {
	return closing(t, redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: list(testenv.Need(t, "REDIS_CLUSTER_ADDRS")), ContextTimeoutEnabled: heed,
	}))
}

func sentinel(t testing.TB, heed bool) redis.UniversalClient {
	return closing(t, redis.NewFailoverClient(&redis.FailoverOptions{
		SentinelAddrs:         list(testenv.Need(t, "REDIS_SENTINEL_ADDRS")),
		MasterName:            testenv.Need(t, "REDIS_SENTINEL_MASTER"),
		ContextTimeoutEnabled: heed,
	}))
}

func list(addrs string) []string { return strings.Split(addrs, ",") }

func closing(t testing.TB, c redis.UniversalClient) redis.UniversalClient {
	t.Cleanup(func() { c.Close() })
	return c
}

func TestConformance(t *testing.T) {
	for _, deployment := range []struct {
		name    string
		connect func(testing.TB, bool) redis.UniversalClient
	}{
		{"Standalone", standalone}, {"Cluster", cluster}, {"Sentinel", sentinel},
	} {
		for name, heed := range map[string]bool{"Heeding": true, "Deaf": false} {
			t.Run(deployment.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				backendtest.Run(t, harness(func(t testing.TB) redis.UniversalClient {
					return deployment.connect(t, heed)
				}))
			})
		}
	}
}

// unlisted hides List: the cursor of miniredis is an index into its keys, so
// that it passes over records when others are deleted, as Redis never does.
type unlisted struct {
	backend.Backend
	backend.Pinger
	io.Closer
}

// TestConformanceMini runs the suite where there is no server.
func TestConformanceMini(t *testing.T) {
	server := miniredis.RunT(t)
	connect := func(t testing.TB) redis.UniversalClient {
		return closing(t, redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true}))
	}
	h := harness(connect)
	var shift time.Duration // the suite advances the clock while nothing else runs
	h.Advance = func(d time.Duration) {
		server.FastForward(d)
		shift += d
	}
	h.Open = func(t testing.TB) backend.Backend {
		b, err := NewWithConfig(connect(t), Config{MaxSize: maxSize})
		if err != nil {
			t.Fatal(err)
		}
		b.now = func() time.Time { return time.Now().Add(shift) }
		return unlisted{b, b, b}
	}
	h.Reopen = h.Open
	backendtest.Run(t, h)
}
