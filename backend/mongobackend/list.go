package mongobackend

import (
	"context"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// List implements [backend.Lister] by one find for a page, in the order of the
// keys. The cursor is the last key of the page.
func (b *Backend) List(ctx context.Context, prefix, cursor string, limit int) (keys []string, next string, err error) {
	const op = "list"
	if limit < 1 {
		return nil, "", fail(ctx, op, prefix, fmt.Errorf("the limit is %d, not at least 1", limit))
	}
	from := bson.E{Key: "$gte", Value: prefix}
	if cursor != "" {
		from = bson.E{Key: "$gt", Value: cursor}
	}
	order := options.Find().SetSort(bson.D{{Key: b.id, Value: 1}})
	found, err := b.keys(ctx, bson.D{{Key: b.id, Value: bson.D{from}}}, order, limit)
	if err != nil {
		return nil, "", fail(ctx, op, prefix, err)
	}
	for _, key := range found {
		if !strings.HasPrefix(key, prefix) {
			return keys, "", nil
		}
		keys = append(keys, key)
	}
	if len(keys) < limit {
		return keys, "", nil
	}
	return keys, keys[limit-1], nil
}
