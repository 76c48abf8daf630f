package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// newPrefix returns a prefix that no other run uses, so that the keys can be
// removed without touching anybody else's.
func newPrefix(name string) string { return "bench:" + rand.Text()[:10] + ":" + name + ":" }

// removeKeys removes what was stored under a prefix.
func removeKeys(p place) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := newRedis(p)
	defer func() { _ = client.Close() }()
	for cursor := uint64(0); ; {
		keys, next, err := client.Scan(ctx, cursor, p.prefix+"*", 1000).Result()
		if err != nil {
			return fmt.Errorf("removing the keys of the benchmark: %w", err)
		}
		if len(keys) > 0 {
			if err := client.Unlink(ctx, keys...).Err(); err != nil {
				return fmt.Errorf("removing the keys of the benchmark: %w", err)
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// A redisInfo asks the server about itself.
type redisInfo struct{ client *redis.Client }

// field returns a field of INFO, or "".
func (i redisInfo) field(section, name string) string {
	text, err := i.client.Info(context.Background(), section).Result()
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(text, "\n"+name+":")
	value, _, _ := strings.Cut(rest, "\r")
	return value
}

// cpu returns the CPU time that the server has used.
func (i redisInfo) cpu() time.Duration {
	var user, system float64
	_, _ = fmt.Sscan(i.field("cpu", "used_cpu_user"), &user)
	_, _ = fmt.Sscan(i.field("cpu", "used_cpu_sys"), &system)
	return time.Duration((user + system) * float64(time.Second))
}
