package dynamobackend

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/guregu/dynamo/v2"
)

type clientFunc func(*http.Request) (*http.Response, error)

func (f clientFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// TestRequestBody looks at what the transport gets to read, as the failure
// that steady prevents depends on the speed of the server.
func TestRequestBody(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		cfg, requests := awsConfig(endpoint), 0
		cfg.HTTPClient = clientFunc(func(r *http.Request) (*http.Response, error) {
			requests++
			if _, ok := r.Body.(io.WriterTo); ok {
				t.Errorf("%s has a body with WriteTo", r.Header.Get("X-Amz-Target"))
			}
			body := r.Body
			resp, err := http.DefaultClient.Do(r)
			body.Close() // as smithy-go does
			if n, err := io.Copy(io.Discard, body); n != 0 || err != nil {
				t.Errorf("reading the closed body: %d, %v", n, err)
			}
			return resp, err
		})
		b := on(t, dynamo.New(cfg), table)
		for _, s := range steps(b, "key") {
			s.run()
		}
		if requests < 20 {
			t.Errorf("only %d requests", requests)
		}
	})
}

// TestLargeReplies reads what does not come with the first packet.
func TestLargeReplies(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		ctx, b := context.Background(), on(t, connect(endpoint, nil), table)
		data := bytes.Repeat([]byte("0123456789abcdef"), 16<<10)
		if _, err := b.Create(ctx, "key", data, time.Hour); err != nil {
			t.Fatal(err)
		}
		for range 150 {
			if rec, err := b.Load(ctx, "key"); err != nil || !bytes.Equal(rec.Data, data) {
				t.Fatalf("%d bytes, %v", len(rec.Data), err)
			}
		}
	})
}
