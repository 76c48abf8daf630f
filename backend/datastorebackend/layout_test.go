package datastorebackend

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/datastore"

	"github.com/go-session2/sessions/backend"
)

// stored returns the properties of an entity.
func stored(t *testing.T, b *Backend, key string) map[string]datastore.Property {
	t.Helper()
	var list datastore.PropertyList
	if err := b.client.Get(context.Background(), b.name(key), &list); err != nil {
		t.Fatal(err)
	}
	properties := make(map[string]datastore.Property)
	for _, p := range list {
		properties[p.Name] = p
	}
	return properties
}

// TestStored looks at a record as a foreign program sees it.
func TestStored(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		b, ctx := s.fresh(t), context.Background()
		const ttl = time.Hour
		check := func(what string, start time.Time, data string, ttl time.Duration, n int) {
			t.Helper()
			properties := stored(t, b, "key")
			blob, isBytes := properties["data"].Value.([]byte)
			expires, isTime := properties["expires"].Value.(time.Time)
			if !isBytes || !isTime || string(blob) != data || len(properties) != n {
				t.Fatalf("%s stored %v", what, properties)
			}
			if !properties["data"].NoIndex || properties["expires"].NoIndex {
				t.Errorf("%s indexes the data or not the expiry", what)
			}
			if expires.Before(start.Add(ttl)) || expires.After(time.Now().Add(ttl+time.Microsecond)) {
				t.Errorf("%s stored the expiry %v, which is not %v from %v", what, expires, ttl, start)
			}
		}
		start := time.Now()
		rev, err := b.Create(ctx, "key", nil, ttl)
		if err != nil {
			t.Fatal(err)
		}
		check("Create", start, "", ttl, 2)
		start = time.Now()
		if _, err := b.Update(ctx, "key", []byte("a\x00\xff"), 2*ttl, rev); err != nil {
			t.Fatal(err)
		}
		check("Update", start, "a\x00\xff", 2*ttl, 2)
		if err := b.Touch(ctx, "key", ttl); err != nil {
			t.Fatal(err)
		}
		check("a short Touch", start, "a\x00\xff", 2*ttl, 2)

		theirs := datastore.Property{Name: "theirs", Value: strings.Repeat("x", 2000), NoIndex: true}
		rec := record{data: []byte("data"), expires: expiry(time.Now(), ttl), other: datastore.PropertyList{theirs}}
		if _, err := b.client.Put(ctx, b.name("key"), b.layout.encode(rec)); err != nil {
			t.Fatal(err)
		}
		start = time.Now()
		if err := b.Touch(ctx, "key", 3*ttl); err != nil {
			t.Fatal(err)
		}
		check("Touch", start, "data", 3*ttl, 3)
		start = time.Now()
		if _, err := b.Update(ctx, "key", []byte("more"), ttl, []byte("data")); err != nil {
			t.Fatal(err)
		}
		check("Update", start, "more", ttl, 3)
		if got := stored(t, b, "key")["theirs"]; !reflect.DeepEqual(got, theirs) {
			t.Errorf("a foreign property became %v", got)
		}
	})
}

// TestMicroseconds has times with nanoseconds, which Datastore cuts.
func TestMicroseconds(t *testing.T) {
	for nanos, want := range map[int]int{0: 0, 1: 1000, 999: 1000, 1000: 1000, 1001: 2000} {
		if got := expiry(time.Unix(1, int64(nanos)), time.Second); got.Nanosecond() != want || got.Unix() != 2 {
			t.Errorf("an expiry with %d ns became %v", nanos, got)
		}
	}
	eachServer(t, func(t *testing.T, s server) {
		b, ctx := s.fresh(t), context.Background()
		b.now = func() time.Time { return time.Unix(2_000_000_000, 123_456_789) }
		if _, err := b.Create(ctx, "key", []byte("data"), time.Hour); err != nil {
			t.Fatal(err)
		}
		rec, err := b.Load(ctx, "key")
		if err != nil || rec.Expires.UnixNano() != 2_000_003_600_123_457_000 {
			t.Errorf("the expiry is %v, %v", rec.Expires, err)
		}
	})
}

// TestForeignEntity has entities under a key that are no records.
func TestForeignEntity(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		b, ctx := s.fresh(t), context.Background()
		data := datastore.Property{Name: "data", Value: []byte("data"), NoIndex: true}
		expires := datastore.Property{Name: "expires", Value: time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)}
		for name, list := range map[string]datastore.PropertyList{
			"empty":     {},
			"no data":   {expires},
			"null data": {{Name: "data"}, expires},
			"text":      {{Name: "data", Value: "data"}, expires},
			"no expiry": {data},
			"number":    {data, {Name: "expires", Value: int64(1)}},
			"null":      {data, {Name: "expires"}},
		} {
			if _, err := b.client.Put(ctx, b.name(name), &list); err != nil {
				t.Fatal(err)
			}
			before := stored(t, b, name)
			base := backend.Revision("data")
			_, loadErr := b.Load(ctx, name)
			_, createErr := b.Create(ctx, name, base, time.Minute)
			_, updateErr := b.Update(ctx, name, []byte("more"), time.Minute, base)
			for _, test := range []struct {
				op        string
				err, want error
			}{
				{"Load", loadErr, backend.ErrCorrupt},
				{"Create", createErr, backend.ErrExists},
				{"Update", updateErr, backend.ErrConflict},
				{"Touch", b.Touch(ctx, name, time.Minute), backend.ErrCorrupt},
				{"Delete", b.Delete(ctx, name, base), backend.ErrConflict},
			} {
				if !errors.Is(test.err, test.want) {
					t.Errorf("%s: %s: %v, want %v", name, test.op, test.err, test.want)
				}
			}
			if n, err := b.Sweep(ctx, 100); n != 0 || err != nil {
				t.Errorf("%s: Sweep removed %d, %v", name, n, err)
			}
			if after := stored(t, b, name); !reflect.DeepEqual(before, after) {
				t.Errorf("%s: the entity was changed from %v to %v", name, before, after)
			}
		}
	})
}

// TestForeignKeys has entities with keys that are none of this package: with a
// number, below a record, and below something else. They are not listed.
func TestForeignKeys(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) {
		b, ctx := s.fresh(t), context.Background()
		if _, err := b.Create(ctx, "key", nil, time.Hour); err != nil {
			t.Fatal(err)
		}
		foreign := []*datastore.Key{
			datastore.IDKey(b.kind, 7, nil),
			datastore.NameKey(b.kind, "child", b.name("key")),
			datastore.NameKey(b.kind, "key", datastore.NameKey("A"+b.kind, "parent", nil)),
			datastore.NameKey(b.kind, "key", datastore.NameKey("z"+b.kind, "parent", nil)),
		}
		for _, key := range foreign {
			if _, err := b.client.Put(ctx, key, b.layout.encode(record{expires: time.Now()})); err != nil {
				t.Fatal(err)
			}
		}
		for _, prefix := range []string{"", "k", "key"} {
			for _, limit := range []int{1, 2, 3, 10} {
				var all []string
				for cursor, pages := "", 0; ; pages++ {
					keys, next, err := b.List(ctx, prefix, cursor, limit)
					if err != nil || pages > 10 {
						t.Fatalf("page %d, %v", pages, err)
					}
					all = append(all, keys...)
					if cursor = next; next == "" {
						break
					}
				}
				if !reflect.DeepEqual(all, []string{"key"}) {
					t.Errorf("List of %q gives %q", prefix, all)
				}
			}
		}
	})
}

// TestKeys has keys that cannot be the name of an entity.
func TestKeys(t *testing.T) {
	b, ctx := optimistic.fresh(t), context.Background()
	data := []byte("data")
	for _, key := range []string{"", "__secret__", "____", "\xff", strings.Repeat("k", maxKey+1)} {
		_, loadErr := b.Load(ctx, key)
		_, createErr := b.Create(ctx, key, data, time.Hour)
		_, updateErr := b.Update(ctx, key, data, time.Hour, data)
		errs := map[string]error{
			"load": loadErr, "create": createErr, "update": updateErr, "touch": b.Touch(ctx, key, time.Hour),
			"delete": b.Delete(ctx, key, nil), "delete at a revision": b.Delete(ctx, key, data),
		}
		if key != "" {
			_, _, errs["list"] = b.List(ctx, key, "", 10)
			_, _, errs["list after"] = b.List(ctx, "", key, 10)
		}
		for op, err := range errs {
			if !errors.Is(err, errKey) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s of the key %.20q: %v", op, key, err)
			}
		}
	}
	for _, key := range []string{"___", "__a", "a__", ".", "..", "a/b", "ü", "a b", "\x00", strings.Repeat("k", maxKey)} {
		if _, err := b.Create(ctx, key, data, time.Hour); err != nil {
			t.Errorf("create of the key %.20q: %v", key, err)
		}
		if rec, err := b.Load(ctx, key); err != nil || string(rec.Data) != "data" {
			t.Errorf("load of the key %.20q: %v", key, err)
		}
	}
}

func TestSchema(t *testing.T) {
	got := strings.Join(Schema("session"), "\n")
	if want := "gcloud firestore fields ttls update expires --collection-group=session --enable-ttl"; got != want {
		t.Errorf("the commands are\n%s", got)
	}
}
