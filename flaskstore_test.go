package sessions_test

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/codec"
	"github.com/go-session2/sessions/internal/testenv"
)

// captures are what Flask's extensions have stored and signed.
type captures struct {
	Stacks map[string]struct {
		Redis   []capture
		Cookies []struct {
			Key   string `json:"secret_key"`
			ID    string `json:"sid"`
			Value string `json:"cookie_value"`
			Data  string `json:"value_hex"`
		} `json:"signed_cookie"`
	}
	Signer []struct {
		Key    string `json:"secret_key_hex"`
		ID     string `json:"sid"`
		Signed string
	}
}

type capture struct {
	Name string
	ID   string `json:"sid"`
	TTL  int    `json:"ttl_s"`
	Data string `json:"value_hex"` // "" when it stored nothing
}

func loadCaptures(t testing.TB) *captures {
	t.Helper()
	f, err := os.Open("codec/testdata/flask-fixtures.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := new(captures)
	z, err := gzip.NewReader(f)
	if err == nil {
		err = json.NewDecoder(z).Decode(all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A flaskSite is an application on Redis, in the layout of an extension, whose
// records Flask can change as well.
type flaskSite struct {
	*site
	prefix string
	redis  *redis.Client
	store  *losing
	codec  codec.Codec
}

// A losing store can lose the reply to a write, after it has happened.
type losing struct {
	*redisbackend.Backend
	lose           atomic.Bool
	writes, visits atomic.Int64
}

func (l *losing) lost(err error) error {
	l.writes.Add(1)
	if l.lose.CompareAndSwap(true, false) {
		return os.ErrDeadlineExceeded
	}
	return err
}

func (l *losing) Load(ctx context.Context, key string) (backend.Record, error) {
	l.visits.Add(1)
	return l.Backend.Load(ctx, key)
}

func (l *losing) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	rev, err := l.Backend.Create(ctx, key, data, ttl)
	return rev, l.lost(err)
}

func (l *losing) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	rev, err := l.Backend.Update(ctx, key, data, ttl, base)
	return rev, l.lost(err)
}

func (l *losing) Delete(ctx context.Context, key string, base backend.Revision) error {
	return l.lost(l.Backend.Delete(ctx, key, base))
}

// mountFlask makes a site with the routes of shop and others.
func mountFlask(t *testing.T, layout backend.FlaskLayout, more routes, cfg sessions.Config) *flaskSite {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: testenv.Need(t, "REDIS_ADDR"), ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	b, err := redisbackend.NewWithConfig(client, redisbackend.Config{Flask: layout})
	if err != nil {
		t.Fatal(err)
	}
	f := &flaskSite{prefix: "test:" + rand.Text() + ":", redis: client, store: &losing{Backend: b}}
	cfg.Backend, cfg.Prefix = f.store, f.prefix
	f.codec = cfg.Codec
	if f.codec == nil {
		f.codec = codec.Pickle{}
	}
	f.site = mountIn(t, frameworks["Gin"], more, []sessions.Config{sessions.FlaskCompatible(cfg)})
	return f
}

// put stores a session as Flask does.
func (f *flaskSite) put(id string, data []byte) {
	f.t.Helper()
	if err := f.redis.SetEx(context.Background(), f.prefix+id, data, 31*24*time.Hour).Err(); err != nil {
		f.t.Fatal(err)
	}
}

// data returns the stored bytes of a session, or nil.
func (f *flaskSite) data(id string) []byte {
	f.t.Helper()
	list, err := f.redis.MGet(context.Background(), f.prefix+id).Result()
	if err != nil {
		f.t.Fatal(err)
	}
	if s, ok := list[0].(string); ok {
		return []byte(s)
	}
	return nil
}

// values returns what is stored under each key of a session.
func (f *flaskSite) values(data []byte) map[string]any {
	f.t.Helper()
	all := make(map[string]any)
	err := f.codec.Split(data, func(e codec.Entry) error {
		v, err := f.codec.Decode(e.Raw)
		all[string(e.Key)] = v
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return all
}

// pickled returns a session as Flask-Session2 stores it.
func pickled(t testing.TB, values map[string]any) []byte {
	t.Helper()
	var entries []codec.Entry
	for key, v := range values {
		raw, err := codec.Pickle{}.Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, codec.Entry{Key: []byte(key), Raw: raw})
	}
	data, err := codec.Pickle{}.Join(nil, entries)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const flaskID = "7784546d-81b0-4c1a-a337-92bbeb8d175e"
