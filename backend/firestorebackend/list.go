package firestorebackend

import (
	"context"
	"errors"
	"strings"

	"cloud.google.com/go/firestore"
)

// List implements [backend.Lister] by one query for a page, in the order of
// the keys. The cursor is the last key of the page. A prefix must be one that
// could be a key.
func (b *Backend) List(ctx context.Context, prefix, cursor string, limit int) (keys []string, next string, err error) {
	const op = "list"
	found, err := do(ctx, b, func() ([]*firestore.DocumentSnapshot, error) {
		if limit < 1 {
			return nil, errors.New("the limit is not at least 1")
		}
		q := b.coll.OrderBy(firestore.DocumentID, firestore.Asc).Select().Limit(limit)
		switch {
		case cursor != "":
			if err := check(cursor); err != nil {
				return nil, err
			}
			q = q.StartAfter(cursor)
		case prefix != "":
			if err := check(prefix); err != nil {
				return nil, err
			}
			q = q.StartAt(prefix)
		}
		return q.Documents(ctx).GetAll()
	})
	if err != nil {
		return nil, "", fail(ctx, op, prefix, err)
	}
	for _, doc := range found {
		if !strings.HasPrefix(doc.Ref.ID, prefix) {
			return keys, "", nil
		}
		keys = append(keys, doc.Ref.ID)
	}
	if len(keys) < limit {
		return keys, "", nil
	}
	return keys, keys[limit-1], nil
}
