package leaktest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/elasticbackend"
	"github.com/go-session2/sessions/backend/filebackend"
	"github.com/go-session2/sessions/backend/memcachedbackend"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/internal/testenv"
)

// A store is a kind of store whose content can be dumped.
type store struct {
	name string
	open func(t *testing.T) place
}

// A place is where one test keeps its sessions.
type place struct {
	backend backend.Backend
	prefix  string          // of the keys; empty for the default
	down    backend.Backend // the same, where no store answers; nil for none
	dump    func() []byte   // all that the store holds, keys and data, byte by byte
}

// nowhere is an address that refuses connections.
const nowhere = "127.0.0.1:1"

func stores() []store {
	return []store{
		{"memory", memory}, {"filesystem", filesystem}, {"redis", redisServer}, {"memcached", memcached},
		{"mongodb", mongodb}, {"PostgreSQL", postgres}, {"MariaDB", mariadb}, {"SQLite", sqlite}, {"gorm", gormSQLite},
		{"dynamodb", dynamodb}, {"elasticsearch", elasticsearch}, {"firestore", firestoreServer}, {"datastore", datastoreServer},
	}
}

// must returns v, or ends the test.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// unique returns a name that nobody else uses, of lower-case letters and
// digits.
func unique() string { return "leaktest" + strings.ToLower(rand.Text()) }

func memory(t *testing.T) place {
	b := must(memorybackend.New(memorybackend.Config{}))(t)
	return place{backend: b, dump: func() []byte {
		var dump []byte
		for cursor := ""; ; {
			keys, next, err := b.List(context.Background(), "", cursor, 100)
			check(t, err)
			for _, key := range keys {
				rec, err := b.Load(context.Background(), key)
				check(t, err)
				dump = append(append(dump, key...), rec.Data...)
			}
			if cursor = next; cursor == "" {
				return dump
			}
		}
	}}
}

func filesystem(t *testing.T) place {
	open := func(dir string) *filebackend.Backend {
		b := must(filebackend.New(filebackend.Config{Dir: dir}))(t)
		t.Cleanup(func() { b.Close() })
		return b
	}
	dir := filepath.Join(t.TempDir(), "sessions")
	down := open(filepath.Join(t.TempDir(), "sessions"))
	check(t, down.Close())
	return place{backend: open(dir), down: down, dump: func() (dump []byte) {
		check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			dump = append(append(dump, path...), content...)
			return err
		}))
		return dump
	}}
}

func redisServer(t *testing.T) place {
	client := redisClient(t, testenv.Need(t, "REDIS_ADDR"))
	prefix := unique() + ":"
	return place{backend: redisbackend.New(client), down: redisbackend.New(redisClient(t, nowhere)), prefix: prefix, dump: func() (dump []byte) {
		ctx := context.Background()
		keys := client.Scan(ctx, 0, prefix+"*", 1000).Iterator()
		for keys.Next(ctx) {
			value, err := client.Get(ctx, keys.Val()).Bytes()
			check(t, err)
			dump = append(append(dump, keys.Val()...), value...)
			check(t, client.Del(ctx, keys.Val()).Err())
		}
		check(t, keys.Err())
		return dump
	}}
}

// memcached dumps what the server itself lists: the keys of all items.
func memcached(t *testing.T) place {
	addr := testenv.Need(t, "MEMCACHED_ADDR")
	client := memcacheClient(t, addr)
	prefix := unique() + ":"
	return place{backend: memcachedbackend.New(client), down: memcachedbackend.New(memcacheClient(t, nowhere)), prefix: prefix, dump: func() (dump []byte) {
		for _, key := range memcacheKeys(t, addr) {
			if !strings.HasPrefix(key, prefix) {
				continue
			}
			dump = append(dump, key...)
			item, err := client.Get(key)
			if errors.Is(err, errCacheMiss) {
				continue // deleted, or expired
			}
			check(t, err)
			dump = append(dump, item.Value...)
			check(t, client.Delete(key))
		}
		return dump
	}}
}

func elasticsearch(t *testing.T) place {
	url := testenv.Need(t, "ELASTICSEARCH_URL")
	index := unique()
	ask := func(method, path string) []byte {
		r := must(http.NewRequest(method, url+"/"+index+path, nil))(t)
		resp := must(http.DefaultClient.Do(r))(t)
		defer resp.Body.Close()
		body := must(io.ReadAll(resp.Body))(t)
		if resp.StatusCode >= 300 {
			t.Errorf("%s %s: %s", method, path, resp.Status)
		}
		return body
	}
	t.Cleanup(func() { ask("DELETE", "?ignore_unavailable=true") })
	open := func(url string) backend.Backend {
		b := must(elasticbackend.NewWithConfig(elasticClient(t, url), elasticbackend.Config{Index: index}))(t)
		t.Cleanup(func() { b.Close() })
		return b
	}
	return place{backend: open(url), down: open("http://" + nowhere), dump: func() []byte {
		ask("POST", "/_refresh")
		return bytes.Clone(ask("GET", "/_search?size=10000"))
	}}
}
