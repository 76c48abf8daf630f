package mongobackend

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// maxBatch is the most records that one command removes.
const maxBatch = 1000

// Sweep implements [backend.Sweeper] by a find and a deleteMany for up to 1000
// records at a time.
func (b *Backend) Sweep(ctx context.Context, limit int) (removed int, err error) {
	for removed < limit {
		n := min(limit-removed, maxBatch)
		expired := b.past(b.now())
		anyKey := bson.E{Key: b.id, Value: bson.D{{Key: "$gte", Value: ""}}} // any string
		keys, err := b.keys(ctx, bson.D{anyKey, expired}, options.Find(), n)
		if err != nil {
			return removed, fail(ctx, "sweep", "", err)
		}
		if len(keys) == 0 {
			break
		}
		err = b.do(ctx, func(ctx context.Context) error {
			// The second condition spares what was extended meanwhile.
			these := bson.E{Key: b.id, Value: bson.D{{Key: "$in", Value: keys}}}
			res, err := b.coll.DeleteMany(ctx, bson.D{these, expired})
			if err == nil {
				removed += int(res.DeletedCount)
			}
			return err
		})
		if err != nil {
			return removed, fail(ctx, "sweep", "", err)
		}
		if len(keys) < n {
			break
		}
	}
	return removed, nil
}
