package elasticbackend

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

// TestFlaskLostReply loses the reply to each write: that is an error, and no
// second request is sent that could find what the first has done. A client
// that compresses cannot be kept from sending one, but its answer is not
// believed.
func TestFlaskLostReply(t *testing.T) {
	ctx := context.Background()
	target := must[*url.URL](t)(url.Parse(testenv.Need(t, "ELASTICSEARCH_URL")))
	for _, how := range []string{"broken connection", "gateway timeout"} {
		for _, compress := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/compress=%t", how, compress), func(t *testing.T) {
				var lose atomic.Bool
				var sent atomic.Int32
				addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
					sent.Add(1)
					if !lose.CompareAndSwap(true, false) {
						forward(t, w, r, target, r.URL.EscapedPath())
						return
					}
					forward(t, httptest.NewRecorder(), r, target, r.URL.EscapedPath())
					if how == "broken connection" {
						panic(http.ErrAbortHandler)
					}
					w.WriteHeader(http.StatusGatewayTimeout)
				})
				client := must[*elastictransport.Client](t)(elastictransport.New(elastictransport.Config{
					URLs: parseHosts(addr), CompressRequestBody: compress,
				}))
				b := flaskOn(t, client, newIndex(t))
				if err := b.prepare(ctx); err != nil {
					t.Fatal(err)
				}
				key := newKey()
				one, two := []byte(`{"n": 1}`), []byte(`{"n": 2}`)
				var rev backend.Revision
				load := func() { rev = must[backend.Record](t)(b.Load(ctx, key)).Revision }
				for _, s := range []struct {
					name string
					run  func() error
					then func()
				}{
					{"Create", func() error { _, err := b.Create(ctx, key, one, time.Hour); return err }, load},
					{"Update", func() error { _, err := b.Update(ctx, key, two, time.Hour, rev); return err }, load},
					{"Delete at a revision", func() error { return b.Delete(ctx, key, rev) }, func() {}},
				} {
					lose.Store(true)
					sent.Store(0)
					err := s.run()
					if err == nil || errors.Is(err, backend.ErrExists) || errors.Is(err, backend.ErrConflict) || errors.Is(err, backend.ErrNotFound) {
						t.Errorf("%s whose reply was lost: %v", s.name, err)
					}
					if n := sent.Load(); n != 1 && !compress {
						t.Errorf("%s sent %d requests", s.name, n)
					}
					s.then()
				}
				if _, err := b.Load(ctx, key); !errors.Is(err, backend.ErrNotFound) {
					t.Errorf("Load after Delete: %v", err)
				}

				// A touch and a read are repeated.
				must[backend.Revision](t)(b.Create(ctx, key, one, time.Minute))
				lose.Store(true)
				if err := b.Touch(ctx, key, time.Hour); err != nil {
					t.Errorf("Touch: %v", err)
				}
				lose.Store(true)
				load()
				if err := b.Delete(ctx, key, rev); err != nil {
					t.Errorf("Delete: %v", err)
				}
			})
		}
	}
}

// TestFlaskSeveralNodes has a node that is down: a request that it did not get
// goes to the next.
func TestFlaskSeveralNodes(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	b := flaskOn(t, clientFor(t, s.URL, testenv.Need(t, "ELASTICSEARCH_URL")), newIndex(t))
	ctx := context.Background()
	for range 5 {
		key := newKey()
		rev := must[backend.Revision](t)(b.Create(ctx, key, []byte(`{"n": 1}`), time.Minute))
		rev = must[backend.Revision](t)(b.Update(ctx, key, []byte(`{"n": 2}`), time.Minute, rev))
		if err := b.Delete(ctx, key, rev); err != nil {
			t.Error(err)
		}
	}
}
