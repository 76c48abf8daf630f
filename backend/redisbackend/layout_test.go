package redisbackend

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
)

// TestLayout fixes the bytes, which other programs and later versions read.
func TestLayout(t *testing.T) {
	expires := time.UnixMilli(0x0102030405060708)
	value := encode([]byte("data"), expires)
	if len(value) != 20 || string(value[:8]) != "\x01\x02\x03\x04\x05\x06\x07\x08" || string(value[16:]) != "data" {
		t.Fatalf("encode gave %q", value)
	}
	if again := encode([]byte("data"), expires); bytes.Equal(again[8:16], value[8:16]) {
		t.Fatalf("two writes have the revision %q", again[8:16])
	}
	rec, err := decode(value)
	if err != nil || string(rec.Data) != "data" || !rec.Expires.Equal(expires) || !bytes.Equal(rec.Revision, value[8:16]) {
		t.Fatalf("decode gave %q, %q, %v, %v", rec.Data, []byte(rec.Revision), rec.Expires, err)
	}
	if !bytes.Equal(expiry(expires), value[:8]) {
		t.Fatal("expiry is not the beginning of a value")
	}
	if _, err := decode(value[:15]); !errors.Is(err, backend.ErrCorrupt) {
		t.Fatalf("decode of 15 bytes: %v", err)
	}
}

// TestRevision has data of many lengths, and bases that are no revision.
func TestRevision(t *testing.T) {
	eachServer(t, func(t *testing.T, client redis.UniversalClient) {
		ctx, b := context.Background(), New(client)
		for _, n := range []int{0, 1, 8, 16, 64 << 10} {
			key, data := "test:"+rand.Text(), bytes.Repeat([]byte{0xff}, n)
			rev, err := b.Create(ctx, key, data, time.Minute)
			if err != nil || len(rev) != revisionSize {
				t.Fatalf("Create of %d bytes: %v, %v", n, rev, err)
			}
			if again, err := b.Create(ctx, key, data, time.Minute); err != nil || !bytes.Equal(again, rev) {
				t.Fatalf("Create of %d bytes, repeated: revision %x, want %x, %v", n, again, rev, err)
			}
			rec, err := b.Load(ctx, key)
			if err != nil || !bytes.Equal(rec.Revision, rev) {
				t.Fatalf("Load of %d bytes: revision %x, want %x, %v", n, rec.Revision, rev, err)
			}
			for _, base := range []backend.Revision{nil, {}, []byte("x"), someRevision, append(rev[:8:8], 0)} {
				if _, err := b.Update(ctx, key, []byte("other"), time.Minute, base); !errors.Is(err, backend.ErrConflict) {
					t.Fatalf("Update of %d bytes at a revision that is none: %v", n, err)
				}
				if err := b.Delete(ctx, key, base); base != nil && !errors.Is(err, backend.ErrConflict) {
					t.Fatalf("Delete of %d bytes at a revision that is none: %v", n, err)
				} else if base == nil {
					rev, _ = b.Create(ctx, key, data, time.Minute)
				}
			}
			if _, err := b.Update(ctx, key, []byte("other"), time.Minute, rev); err != nil {
				t.Fatalf("Update of %d bytes: %v", n, err)
			}
		}
	})
}

// TestForeignWriter has a program overwrite a record that knows nothing of
// revisions, with as many bytes or others.
func TestForeignWriter(t *testing.T) {
	eachServer(t, func(t *testing.T, client redis.UniversalClient) {
		ctx, b := context.Background(), New(client)
		for _, foreign := range []string{"", "short", strings.Repeat("\x80\x04\x95 a pickle", 10), strings.Repeat("\x00", 20)} {
			key := "test:" + rand.Text()
			rev, err := b.Create(ctx, key, []byte("data"), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Set(ctx, key, foreign, time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Update(ctx, key, []byte("mine"), time.Minute, rev); !errors.Is(err, backend.ErrConflict) {
				t.Errorf("Update over %d foreign bytes: %v", len(foreign), err)
			}
			if err := b.Delete(ctx, key, rev); !errors.Is(err, backend.ErrConflict) {
				t.Errorf("Delete of %d foreign bytes: %v", len(foreign), err)
			}
			if got := client.Get(ctx, key).Val(); got != foreign {
				t.Errorf("%d foreign bytes were changed", len(foreign))
			}
		}
	})
}

// TestTTL compares what the record says with what Redis does.
func TestTTL(t *testing.T) {
	eachServer(t, func(t *testing.T, client redis.UniversalClient) {
		ctx, b, key := context.Background(), New(client), "test:"+rand.Text()
		agree := func(op string, ttl time.Duration) backend.Revision {
			t.Helper()
			rec, err := b.Load(ctx, key)
			if err != nil {
				t.Fatal(err)
			}
			left, err := client.PTTL(ctx, key).Result()
			if err != nil {
				t.Fatal(err)
			}
			const slack = 10 * time.Second // that the test may take
			if left > ttl || left < ttl-slack {
				t.Errorf("after %s Redis keeps the key for %v, want %v", op, left, ttl)
			}
			if said := time.Until(rec.Expires); said > ttl || said < ttl-slack {
				t.Errorf("after %s the record says %v, want %v", op, said, ttl)
			}
			return rec.Revision
		}
		if _, err := b.Create(ctx, key, []byte("data"), time.Minute); err != nil {
			t.Fatal(err)
		}
		rev := agree("Create", time.Minute)
		if err := b.Touch(ctx, key, time.Hour); err != nil {
			t.Fatal(err)
		}
		agree("Touch", time.Hour)
		if err := b.Touch(ctx, key, time.Minute); err != nil {
			t.Fatal(err)
		}
		agree("a shorter Touch", time.Hour)
		if _, err := b.Update(ctx, key, []byte("more"), 90*time.Second+time.Nanosecond, rev); err != nil {
			t.Fatalf("Update at the revision before the touch: %v", err)
		}
		agree("Update", 90*time.Second+time.Millisecond)

		// A foreign program may store without any time to live.
		if err := client.Persist(ctx, key).Err(); err != nil {
			t.Fatal(err)
		}
		if err := b.Touch(ctx, key, time.Minute); err != nil {
			t.Fatal(err)
		}
		if left := client.PTTL(ctx, key).Val(); left != -1 {
			t.Errorf("Touch shortened a record that lives for ever to %v", left)
		}
	})
}

// TestCorrupt has values that this package did not write. None is changed.
func TestCorrupt(t *testing.T) {
	eachServer(t, func(t *testing.T, client redis.UniversalClient) {
		ctx, b := context.Background(), New(client)
		inMini := strings.HasSuffix(t.Name(), "/Mini")
		for name, foreign := range map[string]struct {
			store func(key string) error
			wants error // of Update and Delete: the value is not what it was
		}{
			"short": {func(key string) error { return client.Set(ctx, key, "1234567", time.Minute).Err() }, backend.ErrConflict},
			"empty": {func(key string) error { return client.Set(ctx, key, "", time.Minute).Err() }, backend.ErrConflict},
			"list":  {func(key string) error { return client.RPush(ctx, key, "1", "2").Err() }, backend.ErrCorrupt},
		} {
			if inMini && name == "list" {
				continue // miniredis words this error of a script in its own way
			}
			key := "test:" + rand.Text()
			if err := foreign.store(key); err != nil {
				t.Fatal(err)
			}
			before := client.Dump(ctx, key).Val()
			check := func(op string, err, want error) {
				t.Helper()
				if !errors.Is(err, want) {
					t.Errorf("%s on a value that is %s: %v, want %v", op, name, err, want)
				}
				if client.Dump(ctx, key).Val() != before {
					t.Errorf("%s changed a value that is %s", op, name)
				}
			}
			_, err := b.Load(ctx, key)
			check("Load", err, backend.ErrCorrupt)
			_, err = b.Create(ctx, key, nil, time.Minute)
			check("Create", err, backend.ErrExists)
			_, err = b.Update(ctx, key, []byte("data"), time.Minute, someRevision)
			check("Update", err, foreign.wants)
			check("Touch", b.Touch(ctx, key, time.Hour), backend.ErrCorrupt)
			check("Delete at a revision", b.Delete(ctx, key, someRevision), foreign.wants)
			if err := b.Delete(ctx, key, nil); err != nil {
				t.Errorf("Delete of a value that is %s: %v", name, err)
			}
		}
	})
}

// eachServer runs f on one server of each kind.
func eachServer(t *testing.T, f func(t *testing.T, client redis.UniversalClient)) {
	for name, connect := range map[string]func(testing.TB, bool) redis.UniversalClient{
		"Standalone": standalone, "Cluster": cluster, "Mini": mini,
	} {
		t.Run(name, func(t *testing.T) { f(t, connect(t, true)) })
	}
}
