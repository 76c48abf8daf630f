package memcachedbackend

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

// secondsLeft asks memcached how long an item will live; -1 is for ever.
func secondsLeft(t *testing.T, key string) int {
	t.Helper()
	conn, err := net.Dial("tcp", testenv.Need(t, "MEMCACHED_ADDR"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "mg %s t\r\n", key)
	line, err := bufio.NewReader(conn).ReadString('\n')
	text, ok := strings.CutPrefix(strings.TrimSpace(line), "HD t")
	n, nan := strconv.Atoi(text)
	if err != nil || !ok || nan != nil {
		t.Fatalf("mg answered %q, %v", line, err)
	}
	return n
}

// TestStored looks at a record as a foreign program sees it.
func TestStored(t *testing.T) {
	client := connect(t)
	b, ctx := New(client), context.Background()
	const ttl = 90 * time.Second
	start := time.Now()
	key, rev := create(t, b, "a\x00\xff", ttl)
	check := func(what, data string, ttl time.Duration) {
		t.Helper()
		item, err := client.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		if item.Flags != 0 || len(item.Value) < 8 || string(item.Value[8:]) != data {
			t.Errorf("%s stored flags %d and %q", what, item.Flags, item.Value)
		}
		at := time.UnixMilli(int64(binary.BigEndian.Uint64(item.Value)))
		if at.Before(start.Add(ttl-time.Millisecond)) || at.After(time.Now().Add(ttl)) {
			t.Errorf("%s stored %v, which is %v from the start", what, at, at.Sub(start))
		}
		seconds := int(ttl / time.Second)
		if left := secondsLeft(t, key); left < seconds-int(time.Since(start)/time.Second)-1 || left > seconds+3 {
			t.Errorf("%s: memcached says that %d seconds are left", what, left)
		}
	}
	check("Create", "a\x00\xff", ttl)
	if err := b.Touch(ctx, key, 2*ttl); err != nil {
		t.Fatal(err)
	}
	check("Touch", "a\x00\xff", 2*ttl)
	if err := b.Touch(ctx, key, time.Second); err != nil {
		t.Fatal(err)
	}
	check("a short Touch", "a\x00\xff", 2*ttl)
	if _, err := b.Update(ctx, key, []byte("b"), 60*24*time.Hour, rev); err != nil {
		t.Fatal(err)
	}
	check("Update", "b", 60*24*time.Hour)
}

func TestExpiration(t *testing.T) {
	now := time.Unix(1_800_000_000, 600_000_000)
	day := 24 * time.Hour
	for _, test := range []struct {
		ttl  time.Duration
		want int32
	}{
		{time.Second, 2},
		{time.Second + 1, 3},
		{1500 * time.Millisecond, 3},
		{30*day - time.Second, maxRelative},
		{30*day - time.Second + 1, 1_800_000_000 + maxRelative - 1 + 2},
		{30 * day, 1_800_000_000 + maxRelative + 2},
		{400 * day, 1_800_000_000 + 400*86400 + 2},
		{(math.MaxInt32 - 1_800_000_002) * time.Second, math.MaxInt32},
		{(math.MaxInt32 - 1_800_000_001) * time.Second, 0},
		{backend.MaxTTL, 1_800_000_000 + int32(backend.MaxTTL/time.Second) + 2},
	} {
		if got := expiration(now.Add(test.ttl), now); got != test.want {
			t.Errorf("the expiration for %v is %d, want %d", test.ttl, got, test.want)
		}
	}
}

// TestAfter2038 stores a record that ends when memcached can no longer count.
func TestAfter2038(t *testing.T) {
	b, ctx := New(connect(t)), context.Background()
	b.now = func() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }
	key, rev := create(t, b, "data", backend.MaxTTL)
	if left := secondsLeft(t, key); left != -1 {
		t.Errorf("memcached says that %d seconds are left", left)
	}
	load(t, b, key)

	end := b.now().Add(backend.MaxTTL)
	b.now = func() time.Time { return end }
	if _, err := b.Load(ctx, key); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Load of the expired record: %v", err)
	}
	if _, err := b.Update(ctx, key, []byte("data"), time.Minute, rev); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Update of the expired record: %v", err)
	}
	if err := b.Touch(ctx, key, time.Minute); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Touch of the expired record: %v", err)
	}
	if err := b.Delete(ctx, key, rev); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Delete of the expired record: %v", err)
	}
	if _, err := b.Create(ctx, key, []byte("again"), time.Minute); err != nil {
		t.Errorf("Create over the expired record: %v", err)
	}
	if rec := load(t, b, key); string(rec.Data) != "again" {
		t.Errorf("the record holds %q", rec.Data)
	}
}

// TestForeignValue has a value that is too short for a record.
func TestForeignValue(t *testing.T) {
	client := connect(t)
	b, ctx := New(client), context.Background()
	key, rev := create(t, b, "data", time.Minute)
	if err := client.Replace(&memcache.Item{Key: key, Value: []byte("short"), Expiration: 60}); err != nil {
		t.Fatal(err)
	}
	_, loadErr := b.Load(ctx, key)
	_, createErr := b.Create(ctx, key, []byte("data"), time.Minute)
	_, updateErr := b.Update(ctx, key, []byte("more"), time.Minute, rev)
	for _, test := range []struct {
		op        string
		err, want error
	}{
		{"Load", loadErr, backend.ErrCorrupt},
		{"Create", createErr, backend.ErrExists},
		{"Update", updateErr, backend.ErrConflict},
		{"Touch", b.Touch(ctx, key, time.Hour), backend.ErrCorrupt},
		{"Delete", b.Delete(ctx, key, rev), backend.ErrConflict},
	} {
		if !errors.Is(test.err, test.want) {
			t.Errorf("%s: %v, want %v", test.op, test.err, test.want)
		}
	}
	if item, err := client.Get(key); err != nil || !bytes.Equal(item.Value, []byte("short")) {
		t.Errorf("the value was changed, %v", err)
	}
}
