package datastorebackend

import (
	"context"
	"errors"
	"strings"

	"cloud.google.com/go/datastore"
)

// firstName is the lowest name that a key can have. (Keys with a number come
// before those with a name.)
const firstName = "\x00"

// List implements [backend.Lister] by one query for a page, in the order of
// the keys. The cursor is the last key of the page. A prefix must be one that
// could be a key.
func (b *Backend) List(ctx context.Context, prefix, cursor string, limit int) (keys []string, next string, err error) {
	const op = "list"
	found, err := do(ctx, b, func() ([]*datastore.Key, error) {
		if limit < 1 {
			return nil, errors.New("the limit is not at least 1")
		}
		operator, from := ">=", firstName
		switch {
		case cursor != "":
			operator, from = ">", cursor
		case prefix != "":
			from = prefix
		}
		if err := check(from); err != nil {
			return nil, err
		}
		q := datastore.NewQuery(b.kind).FilterField("__key__", operator, b.name(from)).Order("__key__").KeysOnly().Limit(limit)
		return b.client.GetAll(ctx, q, nil)
	})
	if err != nil {
		return nil, "", fail(ctx, op, prefix, err)
	}
	for _, key := range found {
		if key.Parent != nil {
			continue // of another program
		}
		if !strings.HasPrefix(key.Name, prefix) {
			return keys, "", nil
		}
		keys = append(keys, key.Name)
	}
	if len(found) < limit || len(keys) == 0 {
		return keys, "", nil
	}
	return keys, keys[len(keys)-1], nil
}
