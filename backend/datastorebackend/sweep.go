package datastorebackend

import (
	"context"
	"errors"

	"cloud.google.com/go/datastore"
	"google.golang.org/api/iterator"
)

// sweepBatch is how many records one transaction of a sweep removes at most.
// It reads them, and a reply should not become too large.
const sweepBatch = 20

// Sweep implements [backend.Sweeper] by a query for the expired records, and a
// transaction for each 20 of them that removes those which are still expired.
func (b *Backend) Sweep(ctx context.Context, limit int) (removed int, err error) {
	const op = "sweep"
	var found *datastore.Iterator
	for removed < limit {
		n := min(limit-removed, sweepBatch)
		keys, err := do(ctx, b, func() ([]*datastore.Key, error) {
			if found == nil {
				found = b.client.Run(ctx, datastore.NewQuery(b.kind).FilterField(b.layout.expires, "<=", b.now()).KeysOnly())
			}
			return next(found, n)
		})
		if err != nil {
			return removed, fail(ctx, op, "", err)
		}
		if len(keys) == 0 {
			break
		}
		done, err := b.removeAll(ctx, keys)
		removed += done
		if err != nil {
			return removed, fail(ctx, op, "", err)
		}
	}
	return removed, nil
}

// next returns the next n keys, or fewer at the end.
func next(found *datastore.Iterator, n int) (keys []*datastore.Key, err error) {
	for len(keys) < n {
		key, err := found.Next(nil)
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// removeAll removes the records that have expired and returns how many.
func (b *Backend) removeAll(ctx context.Context, keys []*datastore.Key) (removed int, err error) {
	var count int
	err = b.transact(ctx, "", func(tx *datastore.Transaction) error {
		lists := make([]datastore.PropertyList, len(keys))
		each := make(datastore.MultiError, len(keys))
		if err := tx.GetMulti(keys, lists); err != nil && !errors.As(err, &each) {
			return err
		}
		var expired []*datastore.Key
		for i, key := range keys {
			if errors.Is(each[i], datastore.ErrNoSuchEntity) {
				continue
			}
			if each[i] != nil {
				return each[i]
			}
			if rec, err := b.layout.decode(lists[i]); err == nil && !rec.live(b.now()) {
				expired = append(expired, key)
			}
		}
		count = len(expired)
		if count == 0 {
			return errDone
		}
		return tx.DeleteMulti(expired)
	})
	if err != nil {
		return 0, err
	}
	return count, nil
}
