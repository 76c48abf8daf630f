package elasticbackend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

// flaskOn opens a backend that shares an index with Flask-Session2.
func flaskOn(t testing.TB, client elastictransport.Interface, index string) *Backend {
	t.Helper()
	return openOn(t, client, Config{Index: index, Flask: backend.FlaskSession2, MaxSize: maxSize})
}

// flaskWrites stores a session as Flask-Session2 does.
func flaskWrites(t testing.TB, index, key, data, expiration string) {
	t.Helper()
	raw(t, "PUT", index+"/_doc/"+escape(key), `{"id":"`+key+`","val":`+data+`,"expiration":`+expiration+`}`)
}

// flaskExpiration is an expiry as Flask-Session2 writes it.
func flaskExpiration(ttl time.Duration) string {
	return time.Now().UTC().Add(ttl).Format(`"2006-01-02T15:04:05.000000+00:00"`)
}

func TestFlaskConformance(t *testing.T) {
	index := newIndex(t)
	open := func(t testing.TB) backend.Backend { return flaskOn(t, connect(t), index) }
	backendtest.Run(t, backendtest.Harness{
		Open:   open,
		Reopen: open,
		Overwrite: func(t testing.TB, key string, data []byte) {
			flaskWrites(t, index, key, string(data), flaskExpiration(time.Hour))
		},
		Resolution:         50 * time.Millisecond,
		MaxSize:            maxSize,
		TouchMovesRevision: true,
		Flask:              true,
		JSON:               true,
	})
}

// TestFlaskDocument reads a record as Flask-Session2 does.
func TestFlaskDocument(t *testing.T) {
	ctx := context.Background()
	b := flaskOn(t, connect(t), newIndex(t))
	now := time.Unix(1_900_000_000, 0)
	b.now = func() time.Time { return now }
	key := newKey()
	check := func(val, expiration string) {
		t.Helper()
		var doc struct {
			Source json.RawMessage `json:"_source"`
		}
		if err := json.Unmarshal([]byte(raw(t, "GET", b.index+"/_doc/"+escape(key), "")), &doc); err != nil {
			t.Fatal(err)
		}
		want := `{"id":"` + key + `","val":` + val + `,"expiration":"` + expiration + `"}`
		if string(doc.Source) != want {
			t.Errorf("the document is %s, want %s", doc.Source, want)
		}
	}
	data := `{"_permanent": true, "v": [1.0, 1e2, "Zoë <&>"]}`
	must[backend.Revision](t)(b.Create(ctx, key, []byte(data), time.Minute))
	check(data, "2030-03-17T17:47:40.000000+00:00") // with a fraction although there is none
	if err := b.Touch(ctx, key, time.Hour); err != nil {
		t.Fatal(err)
	}
	check(data, "2030-03-17T18:46:40.000000+00:00")
	rec := must[backend.Record](t)(b.Load(ctx, key))
	if string(rec.Data) != data || !rec.Expires.Equal(now.Add(time.Hour)) {
		t.Errorf("Load returned %q until %v", rec.Data, rec.Expires)
	}
	now = now.Add(time.Microsecond)
	must[backend.Revision](t)(b.Update(ctx, key, []byte(`{}`), time.Minute, rec.Revision))
	check(`{}`, "2030-03-17T17:47:40.001000+00:00")
	if got := mapping(t, b.index); fmt.Sprint(got) != "map[dynamic:false properties:map["+
		"expiration:map[type:date] id:map[fields:map[keyword:map[ignore_above:512 type:keyword]] index:false type:text] val:map[enabled:false type:object]]]" {
		t.Errorf("the mapping is %v", got)
	}
}

// TestFlaskIndex has an index with the mapping that Elasticsearch guesses from
// what Flask-Session2 stores.
func TestFlaskIndex(t *testing.T) {
	ctx := context.Background()
	index := newIndex(t)
	raw(t, "PUT", index, "")
	flaskWrites(t, index, "session:1", `{"_permanent":true,"n":{"a":1}}`, flaskExpiration(time.Hour))
	flaskWrites(t, index, "session:old", `{"n":{"a":1}}`, flaskExpiration(-time.Hour))
	flaskWrites(t, index, "other:1", `{"n":{"a":1}}`, flaskExpiration(time.Hour))
	flaskWrites(t, index, "session:browser", `{"n":{"a":1}}`, `null`) // not permanent
	b := flaskOn(t, connect(t), index)
	rec := must[backend.Record](t)(b.Load(ctx, "session:1"))
	if string(rec.Data) != `{"_permanent":true,"n":{"a":1}}` || time.Until(rec.Expires) < 59*time.Minute {
		t.Errorf("Load returned %q until %v", rec.Data, rec.Expires)
	}
	must[backend.Revision](t)(b.Update(ctx, "session:1", []byte(`{"n":{"a":2}}`), time.Hour, rec.Revision))
	must[backend.Revision](t)(b.Create(ctx, "session:2", []byte(`{"n":{"a":3}}`), time.Hour))
	if _, err := b.Load(ctx, "session:old"); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Load of an expired record: %v", err)
	}
	raw(t, "POST", index+"/_refresh", "")
	if n, err := b.Sweep(ctx, 10); n != 1 || err != nil {
		t.Errorf("Sweep: %d, %v", n, err)
	}
	if keys, next, err := b.List(ctx, "session:", "", 10); !slices.Equal(keys, []string{"session:1", "session:2", "session:browser"}) || next != "" || err != nil {
		t.Errorf("List: %q, %q, %v", keys, next, err)
	}

	rec = must[backend.Record](t)(b.Load(ctx, "session:browser"))
	if !rec.Expires.IsZero() {
		t.Errorf("a record without an expiry ends %v", rec.Expires)
	}
	if err := b.Touch(ctx, "session:browser", time.Hour); err != nil {
		t.Error(err)
	}
	must[backend.Revision](t)(b.Update(ctx, "session:browser", []byte(`{"n":{"a":2}}`), time.Hour, rec.Revision))
	if rec := must[backend.Record](t)(b.Load(ctx, "session:browser")); rec.Expires.IsZero() {
		t.Error("an Update gave the record no expiry")
	}
}

func TestFlaskCorrupt(t *testing.T) {
	ctx := context.Background()
	b := flaskOn(t, connect(t), newIndex(t))
	for i, doc := range []string{
		`{}`,
		`{"val": null, "expiration": null}`,
		`{"val": [1], "expiration": null}`,
		`{"val": "secret", "expiration": null}`,
		`{"val": {}, "expiration": 17}`,
		`{"val": {}, "expiration": {"secret": 1}}`,
	} {
		key := newKey()
		rev := must[backend.Revision](t)(b.Create(ctx, key, []byte(`{}`), time.Hour))
		raw(t, "DELETE", b.index+"/_doc/"+escape(key), "")
		if strings.Contains(doc, `[`) || strings.Contains(doc, `"secret"`) || strings.Contains(doc, "17") {
			raw(t, "DELETE", b.index, "") // as the mapping does not allow it
			raw(t, "PUT", b.index, `{"mappings": {"dynamic": false}}`)
		}
		raw(t, "PUT", b.index+"/_doc/"+escape(key), doc)
		if _, err := b.Load(ctx, key); !errors.Is(err, backend.ErrCorrupt) {
			t.Errorf("%d: Load: %v", i, err)
		}
		if _, err := b.Create(ctx, key, []byte(`{}`), time.Hour); !errors.Is(err, backend.ErrExists) {
			t.Errorf("%d: Create: %v", i, err)
		}
		if _, err := b.Update(ctx, key, []byte(`{}`), time.Hour, rev); !errors.Is(err, backend.ErrConflict) {
			t.Errorf("%d: Update: %v", i, err)
		}
	}
}

func TestFlaskObject(t *testing.T) {
	b := flaskOn(t, clientFor(t, "http://localhost:1"), "")
	for _, data := range []string{"", "null", "[]", `"x"`, "{", "{}{}", "\x80\x04", `{"a": NaN}`} {
		_, creating := b.Create(context.Background(), "key", []byte(data), time.Hour)
		_, updating := b.Update(context.Background(), "key", []byte(data), time.Hour, (&state{seqNo: 1, term: 1, expires: time.Time{}}).revision())
		if !errors.Is(creating, errObject) || !errors.Is(updating, errObject) {
			t.Errorf("%q: Create: %v; Update: %v", data, creating, updating)
		}
	}
}

func TestFlaskConfig(t *testing.T) {
	client := clientFor(t, "http://localhost:1")
	for _, flask := range []backend.FlaskLayout{-1, backend.FlaskSession, 3} {
		if _, err := NewWithConfig(client, Config{Flask: flask}); err == nil || !strings.Contains(err.Error(), "FlaskSession2") {
			t.Errorf("the layout %d: %v", flask, err)
		}
	}
	if flask, format := New(client).FlaskLayout(); flask != backend.NoFlask || format != "" {
		t.Errorf("the layout is %d, %q", flask, format)
	}
	for _, c := range []map[string]any{{}, {clientSetting: client}} {
		c["SESSION_FLASK_COMPATIBLE"] = "true"
		b, err := openSettings(c)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if flask, format := b.FlaskLayout(); flask != backend.FlaskSession2 || format != backend.FlaskJSON || b.index != "sessions" {
			t.Errorf("the layout is %d, %q, in %s", flask, format, b.index)
		}
		c["SESSION_SERIALIZATION_FORMAT"] = "msgpack"
		if _, err := openSettings(c); !errors.Is(err, errNoFlask) {
			t.Errorf("Flask-Session: %v", err)
		}
	}
}
