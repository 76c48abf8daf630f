package mongobackend

import (
	"context"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// TestSweepExtended extends a record after Sweep has found it and before it
// removes what it has found.
func TestSweepExtended(t *testing.T) {
	other, ctx := collection(t), context.Background()
	writer := newUnindexed(t, other)
	extend := func(_ context.Context, e *event.CommandSucceededEvent) {
		if e.CommandName != "find" {
			return
		}
		if err := writer.Touch(ctx, "extended", time.Hour); err != nil {
			t.Error(err)
		}
	}
	client := connect(t, options.Client().SetMonitor(&event.CommandMonitor{Succeeded: extend}))
	sweeper := newUnindexed(t, client.Database(database).Collection(other.Name()))
	for _, key := range []string{"expired", "extended"} {
		if _, err := writer.Create(ctx, key, nil, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	// The clock of the sweeper is ahead.
	sweeper.now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	if n, err := sweeper.Sweep(ctx, 10); n != 1 || err != nil {
		t.Errorf("Sweep: %d, %v", n, err)
	}
	if _, err := writer.Load(ctx, "extended"); err != nil {
		t.Errorf("the extended record: %v", err)
	}
}
