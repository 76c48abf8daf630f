package elasticbackend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// List implements [backend.Lister] by one search for a page of up to 1000
// keys, in the order of the keys. The first page begins with a refresh of the
// index, so that the list shows what was stored before. The cursor is the last
// key of the page.
func (b *Backend) List(ctx context.Context, prefix, cursor string, limit int) (keys []string, next string, err error) {
	const op = "list"
	if limit < 1 {
		return nil, "", fail(ctx, op, prefix, fmt.Errorf("the limit is %d, not at least 1", limit))
	}
	q := query{
		Query: map[string]any{"prefix": map[string]string{b.layout.key: prefix}},
		Sort:  []string{b.layout.key},
		Size:  min(limit, maxPage),
	}
	if cursor != "" {
		q.SearchAfter = []string{cursor}
	} else if err := b.do(ctx, request{method: http.MethodPost, endpoint: refreshEndpoint}, &struct{}{}); err != nil && !is(err, noIndex) {
		return nil, "", fail(ctx, op, prefix, err)
	}
	hits, err := b.search(ctx, q)
	if err != nil {
		return nil, "", fail(ctx, op, prefix, err)
	}
	for _, h := range hits {
		keys = append(keys, h.ID)
	}
	if len(hits) < q.Size {
		return keys, "", nil
	}
	sort := hits[len(hits)-1].Sort
	if len(sort) != 1 || json.Unmarshal(sort[0], &next) != nil {
		return nil, "", fail(ctx, op, prefix, errAnswer)
	}
	return keys, next, nil
}
