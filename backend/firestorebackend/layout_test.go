package firestorebackend

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/firestore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-session2/sessions/backend"
)

// TestStored looks at a record as a foreign program sees it.
func TestStored(t *testing.T) {
	b, ctx := fresh(t), context.Background()
	const ttl = time.Hour
	doc := b.coll.Doc("key")
	check := func(what string, start time.Time, data string, ttl time.Duration) {
		t.Helper()
		snap, err := doc.Get(ctx)
		if err != nil {
			t.Fatal(err)
		}
		fields := snap.Data()
		stored, isBytes := fields["data"].([]byte)
		expires, isTime := fields["expires"].(time.Time)
		if !isBytes || !isTime || string(stored) != data {
			t.Fatalf("%s stored %v", what, fields)
		}
		if expires.Before(start.Add(ttl)) || expires.After(time.Now().Add(ttl+time.Microsecond)) {
			t.Errorf("%s stored the expiry %v, which is not %v from %v", what, expires, ttl, start)
		}
		delete(fields, "data")
		delete(fields, "expires")
		if what != "Create" {
			delete(fields, "theirs")
		}
		if len(fields) > 0 {
			t.Errorf("%s stored also %v", what, fields)
		}
	}
	start := time.Now()
	rev, err := b.Create(ctx, "key", nil, ttl)
	if err != nil {
		t.Fatal(err)
	}
	check("Create", start, "", ttl)
	start = time.Now()
	if _, err := b.Update(ctx, "key", []byte("a\x00\xff"), 2*ttl, rev); err != nil {
		t.Fatal(err)
	}
	check("Update", start, "a\x00\xff", 2*ttl)
	if err := b.Touch(ctx, "key", ttl); err != nil {
		t.Fatal(err)
	}
	check("a short Touch", start, "a\x00\xff", 2*ttl)
	if _, err := doc.Set(ctx, map[string]any{"theirs": 1}, firestore.MergeAll); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	if err := b.Touch(ctx, "key", 3*ttl); err != nil {
		t.Fatal(err)
	}
	check("Touch", start, "a\x00\xff", 3*ttl)
	if snap, err := doc.Get(ctx); err != nil || snap.Data()["theirs"] != int64(1) {
		t.Errorf("Touch removed a field: %v", err)
	}
}

// TestMicroseconds has times with nanoseconds, which Firestore cuts in fields
// and refuses in preconditions.
func TestMicroseconds(t *testing.T) {
	b, ctx := fresh(t), context.Background()
	for nanos, want := range map[int]int{0: 0, 1: 1000, 999: 1000, 1000: 1000, 1001: 2000} {
		if got := expiry(time.Unix(1, int64(nanos)), time.Second); got.Nanosecond() != want || got.Unix() != 2 {
			t.Errorf("an expiry with %d ns became %v", nanos, got)
		}
	}
	b.now = func() time.Time { return time.Unix(2_000_000_000, 123_456_789) }
	rev, err := b.Create(ctx, "key", []byte("data"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := b.Load(ctx, "key")
	if err != nil || rec.Expires.UnixNano() != 2_000_003_600_123_457_000 {
		t.Errorf("the expiry is %v, %v", rec.Expires, err)
	}
	if !reflect.DeepEqual(rec.Revision, rev) {
		t.Errorf("Create returned the revision %x, Load %x", rev, rec.Revision)
	}
	at, ok := parse(rev)
	if !ok || !at.expires.Equal(rec.Expires) {
		t.Errorf("the revision stands for %v, %v", at, ok)
	}
	_, err = b.update(ctx, "key", native.extension(at.expires), at.updated.Add(1))
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("Firestore takes nanoseconds now: %v", err)
	}
	if _, err := b.Update(ctx, "key", []byte("more"), time.Hour, rev); err != nil {
		t.Error(err)
	}
}

// TestSameAgain writes what is stored already, which in Firestore does not
// move the update time.
func TestSameAgain(t *testing.T) {
	b, ctx := fresh(t), context.Background()
	now := time.Now()
	b.now = func() time.Time { return now }
	rev, err := b.Create(ctx, "key", []byte("data"), time.Hour)
	for range 3 {
		if err != nil {
			t.Fatal(err)
		}
		rev, err = b.Update(ctx, "key", []byte("data"), time.Hour, rev)
	}
	if err := b.Delete(ctx, "key", rev); err != nil {
		t.Error(err)
	}
}

// TestForeignRevision has bases that are none of this package.
func TestForeignRevision(t *testing.T) {
	b, ctx := fresh(t), context.Background()
	rev, err := b.Create(ctx, "key", []byte("data"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []backend.Revision{{}, rev[:15], append(rev[:16:16], 0), []byte("data")} {
		if _, err := b.Update(ctx, "key", []byte("more"), time.Hour, base); !errors.Is(err, backend.ErrConflict) {
			t.Errorf("Update on %x: %v", base, err)
		}
		if err := b.Delete(ctx, "key", base); !errors.Is(err, backend.ErrConflict) {
			t.Errorf("Delete on %x: %v", base, err)
		}
		if _, err := b.Update(ctx, "other", []byte("more"), time.Hour, base); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("Update of nothing on %x: %v", base, err)
		}
	}
}

// TestForeignDocument has documents under a key that are no records.
func TestForeignDocument(t *testing.T) {
	b, ctx := fresh(t), context.Background()
	later := time.Now().Add(time.Hour)
	for name, fields := range map[string]map[string]any{
		"empty":     {},
		"no data":   {"expires": later},
		"null data": {"data": nil, "expires": later},
		"text":      {"data": "data", "expires": later},
		"no expiry": {"data": []byte("data")},
		"number":    {"data": []byte("data"), "expires": 1},
	} {
		res, err := b.coll.Doc(name).Create(ctx, fields)
		if err != nil {
			t.Fatal(err)
		}
		base := record{updated: res.UpdateTime.Add(-time.Second), expires: later}.revision()
		_, loadErr := b.Load(ctx, name)
		_, createErr := b.Create(ctx, name, []byte("data"), time.Minute)
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
		after, err := b.coll.Doc(name).Get(ctx)
		if err != nil || !after.UpdateTime.Equal(res.UpdateTime) {
			t.Errorf("%s: the document was changed, %v", name, err)
		}
	}
	if n, err := b.Sweep(ctx, 100); n != 0 || err != nil {
		t.Errorf("Sweep removed %d, %v", n, err)
	}
}

// TestKeys has keys that cannot be the ID of a document, which the client or
// the server would take for another path.
func TestKeys(t *testing.T) {
	b, ctx := fresh(t), context.Background()
	data := []byte("data")
	for _, key := range []string{"", ".", "..", "a/b", "/", "a/b/c", "__secret__", "____", "\xff", strings.Repeat("k", maxKey+1)} {
		_, loadErr := b.Load(ctx, key)
		_, createErr := b.Create(ctx, key, data, time.Hour)
		_, updateErr := b.Update(ctx, key, data, time.Hour, record{expires: time.Now().Add(time.Hour)}.revision())
		errs := map[string]error{
			"load": loadErr, "create": createErr, "update": updateErr,
			"touch": b.Touch(ctx, key, time.Hour), "delete": b.Delete(ctx, key, nil),
		}
		if key != "" {
			_, _, errs["list"] = b.List(ctx, key, "", 10)
			_, _, after := b.List(ctx, "", key, 10)
			errs["list after"] = after
		}
		for op, err := range maps.All(errs) {
			if !errors.Is(err, errKey) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s of the key %.20q: %v", op, key, err)
			}
		}
	}
	for _, key := range []string{"___", "__a", "a__", ".a", "...", "ü", "a b", strings.Repeat("k", maxKey)} {
		if _, err := b.Create(ctx, key, data, time.Hour); err != nil {
			t.Errorf("create of the key %.20q: %v", key, err)
		}
		if rec, err := b.Load(ctx, key); err != nil || string(rec.Data) != "data" {
			t.Errorf("load of the key %.20q: %v", key, err)
		}
	}
}

func TestSchema(t *testing.T) {
	got := strings.Join(Schema("flask_session"), "\n")
	want := "gcloud firestore indexes fields update data --collection-group=flask_session --disable-indexes\n" +
		"gcloud firestore fields ttls update expires --collection-group=flask_session --enable-ttl"
	if got != want {
		t.Errorf("the commands are\n%s", got)
	}
}
