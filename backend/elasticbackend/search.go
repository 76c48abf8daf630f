package elasticbackend

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// maxPage is the most records that one search finds.
const maxPage = 1000

// A query is the body of a search.
type query struct {
	Query       any      `json:"query"`
	Sort        []string `json:"sort"`
	SearchAfter []string `json:"search_after,omitempty"`
	Size        int      `json:"size"`
	Positions   bool     `json:"seq_no_primary_term"`
	Source      bool     `json:"_source"`
	Total       bool     `json:"track_total_hits"`
}

// A hit is a document that a search has found.
type hit struct {
	position
	ID   string            `json:"_id"`
	Sort []json.RawMessage `json:"sort"`
}

// search returns what all shards have found, or an error. An index that is not
// there holds nothing.
func (b *Backend) search(ctx context.Context, q query) ([]hit, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	var reply struct{ Hits *struct{ Hits []hit } }
	err = b.do(ctx, request{
		method: http.MethodPost, endpoint: searchEndpoint, body: body,
		query: url.Values{"allow_partial_search_results": {"false"}},
	}, &reply)
	switch {
	case is(err, noIndex):
		return nil, nil
	case err != nil:
		return nil, err
	case reply.Hits == nil:
		return nil, errAnswer
	}
	return reply.Hits.Hits, nil
}
