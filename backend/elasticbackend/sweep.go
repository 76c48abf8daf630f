package elasticbackend

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Sweep implements [backend.Sweeper] by a search and a bulk request with
// conditional deletes for up to 1000 records at a time. The bulk request ends
// with a refresh, so that the next search does not find the same records. What
// expired less than a refresh interval ago may be left for the next sweep.
func (b *Backend) Sweep(ctx context.Context, limit int) (removed int, err error) {
	const op = "sweep"
	for removed < limit {
		size := min(limit-removed, maxPage)
		hits, err := b.search(ctx, query{
			Query: map[string]any{"range": map[string]any{b.layout.expires: map[string]any{
				"lte": b.now().UnixMilli(), "format": "epoch_millis",
			}}},
			Sort:      []string{"_doc"},
			Size:      size,
			Positions: true,
		})
		if err != nil {
			return removed, fail(ctx, op, "", err)
		}
		if len(hits) == 0 {
			break
		}
		n, err := b.removeAll(ctx, hits)
		removed += n
		if err != nil {
			return removed, fail(ctx, op, "", err)
		}
		// None at all means that others are sweeping the same records.
		if n == 0 || len(hits) < size {
			break
		}
	}
	return removed, nil
}

// removeAll deletes the documents that are as they were found and returns how
// many that were.
func (b *Backend) removeAll(ctx context.Context, hits []hit) (removed int, err error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body) // ends each document with a new line
	for _, h := range hits {
		at, err := h.state(time.Time{})
		if err != nil {
			return 0, err
		}
		err = enc.Encode(map[string]any{"delete": map[string]any{
			"_id": h.ID, "if_seq_no": at.seqNo, "if_primary_term": at.term,
		}})
		if err != nil {
			return 0, err
		}
	}
	var reply struct {
		Items []struct {
			Delete struct{ Status int }
		}
	}
	err = b.do(ctx, request{
		method: http.MethodPost, endpoint: bulkEndpoint, body: body.Bytes(), lines: true,
		query: url.Values{"refresh": {"true"}},
	}, &reply)
	if err != nil {
		return 0, err
	}
	for _, item := range reply.Items {
		switch status := item.Delete.Status; status {
		case http.StatusOK:
			removed++
		case http.StatusConflict, http.StatusNotFound: // extended or removed meanwhile
		default:
			err = &statusError{status: status}
		}
	}
	return removed, err
}
