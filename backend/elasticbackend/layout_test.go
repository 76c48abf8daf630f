package elasticbackend

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// TestLayout reads a record as a foreign program does.
func TestLayout(t *testing.T) {
	ctx := context.Background()
	b, _ := watch(t)
	now := time.UnixMilli(1_900_000_000_123).Add(time.Nanosecond)
	b.now = func() time.Time { return now }
	key, data := newKey(), []byte("\x00\xff data")
	check := func(expires int64, data []byte) {
		t.Helper()
		var doc struct {
			ID     string         `json:"_id"`
			Source map[string]any `json:"_source"`
		}
		if err := json.Unmarshal([]byte(raw(t, "GET", b.index+"/_doc/"+escape(key), "")), &doc); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"key": key, "data": base64.StdEncoding.EncodeToString(data), "expires": float64(expires)}
		if doc.ID != key || !maps.Equal(doc.Source, want) {
			t.Errorf("the document is %q %v, want %v", doc.ID, doc.Source, want)
		}
	}
	rev := must[backend.Revision](t)(b.Create(ctx, key, data, time.Minute))
	check(1_900_000_060_124, data) // rounded up
	if err := b.Touch(ctx, key, time.Hour); err != nil {
		t.Fatal(err)
	}
	check(1_900_003_600_124, data)
	rec := must[backend.Record](t)(b.Load(ctx, key))
	if !rec.Expires.Equal(time.UnixMilli(1_900_003_600_124)) {
		t.Errorf("Load says that it expires at %v", rec.Expires)
	}
	if bytes.Equal(rec.Revision, rev) {
		t.Error("the touch has not moved the revision")
	}
	rev = must[backend.Revision](t)(b.Update(ctx, key, nil, time.Second, rec.Revision))
	check(1_900_000_001_124, nil)
	if rec := must[backend.Record](t)(b.Load(ctx, key)); len(rec.Data) != 0 || !bytes.Equal(rec.Revision, rev) {
		t.Errorf("Load returned %q at %x, want %x", rec.Data, rec.Revision, rev)
	}
	raw(t, "POST", b.index+"/_refresh", "")
	// The expiry is a date, so that Kibana and index queries show it as one.
	found := raw(t, "POST", b.index+"/_search", `{"query": {"range": {"expires": {"gte": "1900000001124", "lte": "1900000001124"}}}}`)
	if !bytes.Contains([]byte(found), []byte(key)) {
		t.Errorf("a search by the date found %s", found)
	}
}

// TestRecordBoundary has a record that expires at this very moment.
func TestRecordBoundary(t *testing.T) {
	ctx := context.Background()
	b, _ := watch(t)
	now := time.UnixMilli(1_900_000_000_000)
	b.now = func() time.Time { return now }
	key := newKey()
	must[backend.Revision](t)(b.Create(ctx, key, []byte("data"), time.Second))
	now = now.Add(time.Second - time.Nanosecond)
	must[backend.Record](t)(b.Load(ctx, key))
	now = now.Add(time.Nanosecond)
	if _, err := b.Load(ctx, key); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Load: %v", err)
	}
}

// TestCorrupt has documents that are no records.
func TestCorrupt(t *testing.T) {
	ctx := context.Background()
	b, _ := watch(t)
	future := time.Now().Add(time.Hour).UnixMilli()
	for i, doc := range []string{
		`{}`,
		`{"x": 1}`,
		fmt.Sprintf(`{"expires": %d}`, future),
		fmt.Sprintf(`{"expires": %d, "data": null}`, future),
		fmt.Sprintf(`{"expires": %d, "data": "no base64: secret"}`, future),
		fmt.Sprintf(`{"expires": %d, "data": 17}`, future),
		`{"data": "AAAA"}`,
		`{"data": "AAAA", "expires": null}`,
	} {
		key := newKey()
		rev := must[backend.Revision](t)(b.Create(ctx, key, []byte("data"), time.Hour))
		raw(t, "PUT", b.index+"/_doc/"+escape(key), doc)
		if _, err := b.Load(ctx, key); !errors.Is(err, backend.ErrCorrupt) {
			t.Errorf("%d: Load: %v", i, err)
		}
		if _, err := b.Create(ctx, key, []byte("data"), time.Hour); !errors.Is(err, backend.ErrExists) {
			t.Errorf("%d: Create: %v", i, err)
		}
		if _, err := b.Update(ctx, key, []byte("data"), time.Hour, rev); !errors.Is(err, backend.ErrConflict) {
			t.Errorf("%d: Update: %v", i, err)
		}
		if err := b.Delete(ctx, key, rev); !errors.Is(err, backend.ErrConflict) {
			t.Errorf("%d: Delete at a revision: %v", i, err)
		}
		if err := b.Delete(ctx, key, nil); err != nil {
			t.Errorf("%d: Delete: %v", i, err)
		}
	}
}

func TestRevision(t *testing.T) {
	s := state{seqNo: 1 << 40, term: 7, expires: time.UnixMilli(1_900_000_000_000), owner: "ada"}
	got := parseRevision(s.revision())
	if got == nil || got.seqNo != s.seqNo || got.term != s.term || !got.expires.Equal(s.expires) || got.owner != s.owner {
		t.Errorf("%v became %v", s, got)
	}
	for _, rev := range []backend.Revision{nil, {}, make(backend.Revision, 23), make(backend.Revision, 25)} {
		if parseRevision(rev) != nil {
			t.Errorf("%x was parsed", rev)
		}
	}
}
