package firestorebackend

import (
	"context"

	"cloud.google.com/go/firestore"
)

// maxBatch is how many records one query of a sweep finds at most.
const maxBatch = 500

// Sweep implements [backend.Sweeper] by a query for up to 500 expired records
// at a time, and a request for each 20 of them that deletes those which have
// not changed since. It returns an error where the operator has switched off
// the index on the field expires.
func (b *Backend) Sweep(ctx context.Context, limit int) (removed int, err error) {
	for removed < limit {
		n := min(limit-removed, maxBatch)
		found, err := b.expired(ctx, n)
		if err == nil {
			var done int
			done, err = b.removeAll(ctx, found)
			removed += done
		}
		if err != nil {
			return removed, fail(ctx, "sweep", "", err)
		}
		if len(found) < n {
			break
		}
	}
	return removed, nil
}

// expired returns at most limit documents without their fields.
func (b *Backend) expired(ctx context.Context, limit int) ([]*firestore.DocumentSnapshot, error) {
	return do(ctx, b, func() ([]*firestore.DocumentSnapshot, error) {
		q := b.coll.Where(b.layout.expires, "<=", b.now()).Select().Limit(limit)
		return q.Documents(ctx).GetAll()
	})
}

// removeAll deletes documents that have not changed and returns how many.
func (b *Backend) removeAll(ctx context.Context, found []*firestore.DocumentSnapshot) (removed int, err error) {
	if len(found) == 0 {
		return 0, nil
	}
	return do(ctx, b, func() (int, error) {
		w := b.client.BulkWriter(ctx)
		var jobs []*firestore.BulkWriterJob
		for _, doc := range found {
			job, err := w.Delete(doc.Ref, firestore.LastUpdateTime(doc.UpdateTime))
			if err != nil {
				w.End()
				return 0, err
			}
			jobs = append(jobs, job)
		}
		w.End()
		var removed int
		var failed error
		for _, job := range jobs {
			switch _, err := job.Results(); {
			case err == nil:
				removed++
			case !refused(err):
				failed = err
			}
		}
		return removed, failed
	})
}
