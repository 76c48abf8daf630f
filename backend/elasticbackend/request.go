package elasticbackend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-session2/sessions/backend"
)

// The endpoints of an index.
const (
	docEndpoint     = "_doc"
	createEndpoint  = "_create"
	updateEndpoint  = "_update"
	searchEndpoint  = "_search"
	bulkEndpoint    = "_bulk"
	refreshEndpoint = "_refresh"
	mappingEndpoint = "_mapping"
)

// A request is one request to the index.
type request struct {
	method   string
	endpoint string // none for the index itself
	key      string // the _id, where the endpoint has one
	query    url.Values
	body     []byte
	lines    bool // the body is a list of JSON documents
	single   bool // not to be repeated when the server may have got it
}

// http returns the request for the client, which adds the address.
func (r *request) http(ctx context.Context, index string) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, "/", body)
	if err != nil {
		return nil, err
	}
	path := "/" + index
	if r.endpoint != "" {
		path += "/" + r.endpoint
	}
	req.URL = &url.URL{Path: path, RawQuery: r.query.Encode()}
	if r.key != "" {
		req.URL.Path += "/" + r.key
		req.URL.RawPath = path + "/" + escape(r.key)
	}
	req.Header.Set("Accept", "application/json")
	if r.lines {
		req.Header.Set("Content-Type", "application/x-ndjson")
	} else if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// escape makes one path segment of a key, also of a key that is "..".
func escape(key string) string {
	return strings.NewReplacer("+", "%20", ".", "%2E").Replace(url.QueryEscape(key))
}

var errAnswer = errors.New("the answer is not one of Elasticsearch")

// do sends a request and decodes the answer, a JSON object, into reply. An
// answer that is no success is a *statusError.
func (b *Backend) do(ctx context.Context, r request, reply any) error {
	switch {
	case b.closed.Load():
		return backend.ErrClosed
	case b.invalid != nil:
		return b.invalid
	case ctx.Err() != nil:
		return ctx.Err()
	}
	req, err := r.http(ctx, b.index)
	if err != nil {
		return err
	}
	var once single
	if r.single {
		req = once.guard(req)
	}
	res, err := b.client.Perform(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	// Read to its end, so that the connection can be used again.
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		err := newStatusError(res.StatusCode, body)
		if is(err, noIndex) {
			b.schema.forget()
		}
		if once.repeated() {
			return errLost
		}
		return err
	}
	if json.Unmarshal(body, reply) != nil {
		return errAnswer // the text of the other error could quote the answer
	}
	return nil
}
