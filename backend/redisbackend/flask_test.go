package redisbackend

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

// flaskHarness is harness for the layout of a Flask extension.
func flaskHarness(connect func(t testing.TB) redis.UniversalClient) backendtest.Harness {
	h := harness(connect)
	h.Open = func(t testing.TB) backend.Backend {
		b, err := NewWithConfig(connect(t), Config{MaxSize: maxSize, Flask: backend.FlaskSession2})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	h.Reopen = h.Open
	h.Overwrite = func(t testing.TB, key string, data []byte) {
		if err := connect(t).Set(context.Background(), key, data, redis.KeepTTL).Err(); err != nil {
			t.Fatal(err)
		}
	}
	h.Flask = true
	return h
}

func TestFlaskConformance(t *testing.T) {
	for name, connect := range map[string]func(testing.TB, bool) redis.UniversalClient{
		"Standalone": standalone, "Cluster": cluster, "Sentinel": sentinel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, flaskHarness(func(t testing.TB) redis.UniversalClient { return connect(t, true) }))
		})
	}
}
