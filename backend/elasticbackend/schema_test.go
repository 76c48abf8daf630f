package elasticbackend

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// mapping returns the mapping of an index, as the server has it.
func mapping(t testing.TB, index string) map[string]any {
	t.Helper()
	var reply map[string]struct{ Mappings map[string]any }
	if err := json.Unmarshal([]byte(raw(t, "GET", index+"/_mapping", "")), &reply); err != nil {
		t.Fatal(err)
	}
	return reply[index].Mappings
}

// wantMapping is what the server makes of Schema.
var wantMapping = map[string]any{
	"dynamic": "false",
	"properties": map[string]any{
		"key":     map[string]any{"type": "keyword"},
		"data":    map[string]any{"type": "binary"},
		"expires": map[string]any{"type": "date", "format": "epoch_millis"},
		"owner":   map[string]any{"type": "keyword"},
	},
}

// TestSchemaAtOnce has several processes make the index at the same time.
func TestSchemaAtOnce(t *testing.T) {
	for range 5 {
		index := newIndex(t)
		var all sync.WaitGroup
		start := make(chan struct{})
		for range 8 {
			b := openOn(t, connect(t), Config{Index: index})
			all.Go(func() {
				<-start
				if _, err := b.Create(context.Background(), newKey(), []byte("data"), time.Minute); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
		if got := mapping(t, index); !reflect.DeepEqual(got, wantMapping) {
			t.Errorf("the mapping is %v, want %v", got, wantMapping)
		}
	}
}

// TestSchemaOnce counts the requests of a process with many goroutines.
func TestSchemaOnce(t *testing.T) {
	client := &spy{Interface: connect(t)}
	b := openOn(t, client, Config{Index: newIndex(t)})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := b.Create(context.Background(), newKey(), []byte("data"), time.Minute); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	sent := client.take()
	if n := strings.Count(sent, "PUT _mapping"); n != 1 || strings.Count(sent, "PUT index") != 1 {
		t.Errorf("sent %q", sent)
	}
}

func TestSchemaOrder(t *testing.T) {
	ctx := context.Background()
	client := &spy{Interface: connect(t)}
	index := newIndex(t)
	b := openOn(t, client, Config{Index: index})

	// There is no index: reads find nothing and make none.
	rev := (&state{seqNo: 1, term: 1, expires: time.Now().Add(time.Hour)}).revision()
	if _, err := b.Load(ctx, "key"); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Load: %v", err)
	}
	if err := b.Touch(ctx, "key", time.Minute); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Touch: %v", err)
	}
	for _, base := range []backend.Revision{rev, {}, (&state{}).revision()} {
		if err := b.Delete(ctx, "key", base); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("Delete: %v", err)
		}
	}
	if err := b.Delete(ctx, "key", nil); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if keys, next, err := b.List(ctx, "", "", 10); len(keys) != 0 || next != "" || err != nil {
		t.Errorf("List: %q, %q, %v", keys, next, err)
	}
	if n, err := b.Sweep(ctx, 10); n != 0 || err != nil {
		t.Errorf("Sweep: %d, %v", n, err)
	}
	if err := b.Ping(ctx); err != nil {
		t.Errorf("Ping: %v", err)
	}
	if got := raw(t, "GET", "_cat/indices?h=index", ""); strings.Contains(got, index) {
		t.Fatal("a read has made the index")
	}

	// The first write makes it, once.
	client.take()
	if _, err := b.Update(ctx, "key", []byte("data"), time.Minute, rev); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Update: %v", err)
	}
	if got, want := client.take(), "PUT _mapping, PUT index, PUT _doc if_seq_no, POST _update _source"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	if got := mapping(t, index); !reflect.DeepEqual(got, wantMapping) {
		t.Errorf("the mapping is %v, want %v", got, wantMapping)
	}
	must[backend.Revision](t)(b.Create(ctx, "key", []byte("data"), time.Minute))
	if got, want := client.take(), "PUT _create"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}

	// An operator logs everybody out: it is made again.
	raw(t, "DELETE", index, "")
	if _, err := b.Load(ctx, "key"); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Load: %v", err)
	}
	must[backend.Revision](t)(b.Create(ctx, "key", []byte("data"), time.Minute))
	if got := mapping(t, index); !reflect.DeepEqual(got, wantMapping) {
		t.Errorf("the mapping is %v, want %v", got, wantMapping)
	}
}

// TestSchemaThere has an index, or an alias of one, that is there already.
func TestSchemaThere(t *testing.T) {
	ctx := context.Background()
	index := newIndex(t)
	raw(t, "PUT", index, `{"settings": {"number_of_replicas": 0}, "aliases": {"`+index+`-alias": {}}}`)
	b := openOn(t, connect(t), Config{Index: index + "-alias"})
	key := newKey()
	must[backend.Revision](t)(b.Create(ctx, key, []byte("data"), time.Minute))
	if keys, _, err := b.List(ctx, key, "", 10); len(keys) != 1 || err != nil {
		t.Errorf("List: %q, %v", keys, err)
	}
	if got := mapping(t, index)["properties"]; !reflect.DeepEqual(got, wantMapping["properties"]) {
		t.Errorf("the fields are %v", got)
	}

	other := newIndex(t)
	raw(t, "PUT", other, `{"mappings": {"properties": {"data": {"type": "text"}}}}`)
	b = openOn(t, connect(t), Config{Index: other})
	for range 2 {
		_, err := b.Create(ctx, key, []byte("data"), time.Minute)
		if err == nil || !strings.Contains(err.Error(), "illegal_argument_exception") {
			t.Errorf("Create in an index with other fields: %v", err)
		}
	}
	if err := b.EnsureSchema(ctx); err == nil || !strings.HasPrefix(err.Error(), "elasticsearch: ensure schema: ") {
		t.Errorf("EnsureSchema: %v", err)
	}
}

func TestSkipSchema(t *testing.T) {
	ctx := context.Background()
	index := newIndex(t)
	client := &spy{Interface: connect(t)}
	b := openOn(t, client, Config{Index: index, SkipSchema: true})
	if err := b.Ping(ctx); err == nil || !strings.Contains(err.Error(), "index_not_found_exception") {
		t.Errorf("Ping without an index: %v", err)
	}
	raw(t, "PUT", index, Schema())
	if got := mapping(t, index); !reflect.DeepEqual(got, wantMapping) {
		t.Errorf("the mapping is %v, want %v", got, wantMapping)
	}
	if err := b.Ping(ctx); err != nil {
		t.Errorf("Ping: %v", err)
	}
	client.take()
	must[backend.Revision](t)(b.Create(ctx, newKey(), []byte("data"), time.Minute))
	if got, want := client.take(), "PUT _create"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// TestSchemaWaits has a goroutine give up while another makes the index.
func TestSchemaWaits(t *testing.T) {
	b := openOn(t, clientFor(t, "http://localhost:1"), Config{})
	b.schema.turn <- struct{}{}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := b.Create(ctx, "key", nil, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Create: %v", err)
	}
}
