package dynamobackend

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/go-session2/sessions/backend"
)

// TestStoredLayout looks at the table as another program does.
func TestStoredLayout(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		ctx, db := context.Background(), connect(endpoint, nil)
		b := on(t, db, table)
		data := []byte("\x00 any \xff bytes")
		before := time.Now()
		if _, err := b.Create(ctx, "session:key", data, time.Hour+time.Millisecond); err != nil {
			t.Fatal(err)
		}
		check := func(data string, ttl time.Duration) {
			t.Helper()
			got := stored(t, db, table, "session:key")
			key, _ := got["id"].(*types.AttributeValueMemberS)
			value, _ := got["data"].(*types.AttributeValueMemberB)
			expires, _ := got["expires"].(*types.AttributeValueMemberN)
			if len(got) != 3 || key == nil || value == nil || expires == nil || key.Value != "session:key" || string(value.Value) != data {
				t.Fatalf("the item is %v", got)
			}
			// Whole seconds, never early, less than a second late.
			s, err := strconv.ParseInt(expires.Value, 10, 64)
			if end := time.Unix(s, 0); err != nil || end.Before(before.Add(ttl)) || end.After(time.Now().Add(ttl+time.Second)) {
				t.Errorf("expires is %s, for %v after %v", expires.Value, ttl, before)
			}
		}
		check(string(data), time.Hour+time.Millisecond)

		before = time.Now()
		if _, err := b.Update(ctx, "session:key", nil, time.Minute, revision(data)); err != nil {
			t.Fatal(err)
		}
		check("", time.Minute)
		before = time.Now()
		if err := b.Touch(ctx, "session:key", backend.MaxTTL); err != nil {
			t.Fatal(err)
		}
		check("", backend.MaxTTL)

		ttl, err := db.Client().DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		if d := ttl.TimeToLiveDescription; d.TimeToLiveStatus != types.TimeToLiveStatusEnabled || aws.ToString(d.AttributeName) != "expires" {
			t.Errorf("the time to live is %s on %q", d.TimeToLiveStatus, aws.ToString(d.AttributeName))
		}
		desc, err := db.Client().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		if m := desc.Table.BillingModeSummary; m == nil || m.BillingMode != types.BillingModePayPerRequest {
			t.Errorf("the table is billed by %v", m)
		}
	})
}

func number(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
func text(s string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: s} }

// TestForeignItems has items that this package did not write, or that DynamoDB
// has not removed yet.
func TestForeignItems(t *testing.T) {
	const now = 2_000_000_000 // long after DynamoDB Local would remove nothing of it
	data := binary([]byte("data"))
	for name, c := range map[string]struct {
		attributes    item
		loads, writes error // of Load; of Update and Delete at revision "data", and of Touch
		creates       error
		expires       time.Time
	}{
		"live":            {item{"data": data, "expires": number("2000000001")}, nil, nil, backend.ErrExists, time.Unix(now+1, 0)},
		"fraction":        {item{"data": data, "expires": number("2000000000.25")}, nil, nil, backend.ErrExists, time.Unix(now+1, 0)},
		"no expiry":       {item{"data": data}, nil, nil, backend.ErrExists, time.Time{}},
		"far future":      {item{"data": data, "expires": number("1e30")}, nil, nil, backend.ErrExists, time.Unix(maxSeconds, 0)},
		"more attributes": {item{"data": data, "expires": number("2000000009"), "user": text("x")}, nil, nil, backend.ErrExists, time.Unix(now+9, 0)},
		"expired":         {item{"data": data, "expires": number("2000000000")}, backend.ErrNotFound, backend.ErrNotFound, nil, time.Time{}},
		"long expired":    {item{"data": data, "expires": number("-1")}, backend.ErrNotFound, backend.ErrNotFound, nil, time.Time{}},
		"no data":         {item{"expires": number("2000000009")}, backend.ErrCorrupt, backend.ErrCorrupt, backend.ErrExists, time.Time{}},
		"data a string":   {item{"data": text("data"), "expires": number("2000000009")}, backend.ErrCorrupt, backend.ErrCorrupt, backend.ErrExists, time.Time{}},
		"expiry a string": {item{"data": data, "expires": text("2000000009")}, backend.ErrCorrupt, backend.ErrCorrupt, backend.ErrExists, time.Time{}},
		"key alone":       {item{}, backend.ErrCorrupt, backend.ErrCorrupt, backend.ErrExists, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			onLocal(t, func(t *testing.T, endpoint, table string) {
				ctx, db := context.Background(), connect(endpoint, nil)
				b := on(t, db, table)
				b.now = func() time.Time { return time.Unix(now, 999) }
				if err := b.EnsureSchema(ctx); err != nil {
					t.Fatal(err)
				}
				fresh := func(key string) string {
					i := native.itemKey(key)
					for name, value := range c.attributes {
						i[name] = value
					}
					put(t, db, table, i)
					return key
				}
				wants := func(op string, err, want error) {
					t.Helper()
					if !errors.Is(err, want) || (err == nil) != (want == nil) {
						t.Errorf("%s: %v, want %v", op, err, want)
					}
				}
				rec, err := b.Load(ctx, fresh("load"))
				wants("Load", err, c.loads)
				if err == nil && (string(rec.Data) != "data" || !rec.Expires.Equal(c.expires)) {
					t.Errorf("Load: %q until %v, want until %v", rec.Data, rec.Expires, c.expires)
				}
				_, err = b.Create(ctx, fresh("create"), []byte("new"), time.Minute)
				wants("Create", err, c.creates)
				_, err = b.Update(ctx, fresh("update"), []byte("new"), time.Minute, revision([]byte("data")))
				wants("Update", err, c.writes)
				want := c.writes
				if errors.Is(want, backend.ErrCorrupt) && c.attributes["data"] != data && c.attributes["expires"] != nil {
					want = nil // Touch does not look at the data
				}
				wants("Touch", b.Touch(ctx, fresh("touch"), time.Minute), want)
				wants("Delete at a revision", b.Delete(ctx, fresh("delete"), revision([]byte("data"))), c.writes)
				wants("Delete", b.Delete(ctx, "delete", nil), nil)
				if err == nil && c.creates != nil {
					if got := stored(t, db, table, "update"); len(got) != 3 || fmt.Sprint(got["expires"]) == fmt.Sprint(c.attributes["expires"]) {
						t.Errorf("after Update: %v", got)
					}
				}
				if errors.Is(c.writes, backend.ErrCorrupt) {
					if got := stored(t, db, table, "update"); len(got) != 1+len(c.attributes) {
						t.Errorf("Update changed what is no record: %v", got)
					}
				}
			})
		})
	}
}
