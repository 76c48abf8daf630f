package dynamobackend

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/go-session2/sessions/backend"
)

// TestSchemaConcurrently has many goroutines of many processes come upon a
// store without a table.
func TestSchemaConcurrently(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		w := new(wire)
		var users sync.WaitGroup
		for range 8 {
			b := on(t, connect(endpoint, w), table)
			for range 4 {
				users.Go(func() {
					if _, err := b.Load(context.Background(), "session:1"); !errors.Is(err, backend.ErrNotFound) {
						t.Error(err)
					}
				})
			}
		}
		users.Wait()
		for _, r := range w.take() {
			if r.operation == "CreateTable" && !strings.Contains(r.body, `"BillingMode":"PAY_PER_REQUEST"`) {
				t.Errorf("CreateTable sent %s", r.body)
			}
		}
		b := on(t, connect(endpoint, w), table)
		for range 2 {
			if on, err := b.expires(context.Background()); !on || err != nil {
				t.Errorf("the time to live is on: %t, %v", on, err)
			}
			if err := b.EnsureSchema(context.Background()); err != nil {
				t.Error(err)
			}
		}
		if got := w.count("CreateTable"); got != 0 {
			t.Errorf("a table that is there was created %d times", got)
		}
	})
}

// TestSchemaOnce has one backend look for its table only once.
func TestSchemaOnce(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		w := new(wire)
		b := on(t, connect(endpoint, w), table)
		var users sync.WaitGroup
		for range 20 {
			users.Go(func() { b.Delete(context.Background(), "session:1", nil) })
		}
		users.Wait()
		sent := strings.Join(w.operations(), " ")
		if strings.Count(sent, "CreateTable") != 1 || strings.Count(sent, "UpdateTimeToLive") != 1 || strings.Count(sent, "DeleteItem") != 20 {
			t.Errorf("sent: %s", sent)
		}
	})
}

func TestSkipSchema(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		ctx, w := context.Background(), new(wire)
		b, err := NewWithConfig(connect(endpoint, w), Config{Table: table, SkipSchema: true})
		if err != nil {
			t.Fatal(err)
		}
		var missing *types.ResourceNotFoundException
		if _, err := b.Create(ctx, "session:1", []byte("data"), time.Minute); !errors.As(err, &missing) {
			t.Errorf("Create without a table: %v", err)
		}
		if err := b.Ping(ctx); !errors.As(err, &missing) {
			t.Errorf("Ping without a table: %v", err)
		}
		// What an operator does.
		create, expire := Schema(table)
		if _, err := b.client.CreateTable(ctx, create); err != nil {
			t.Fatal(err)
		}
		if err := dynamodb.NewTableExistsWaiter(b.client).Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table}, time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := b.client.UpdateTimeToLive(ctx, expire); err != nil {
			t.Fatal(err)
		}
		w.take()
		if _, err := b.Create(ctx, "session:1", []byte("data"), time.Minute); err != nil {
			t.Error(err)
		}
		if got := strings.Join(w.operations(), " "); got != "PutItem" {
			t.Errorf("sent: %s", got)
		}
		if err := on(t, connect(endpoint, nil), table).EnsureSchema(ctx); err != nil {
			t.Errorf("the operator's table: %v", err)
		}
	})
}

// TestOtherTables has tables that are there but are not as they should be.
func TestOtherTables(t *testing.T) {
	change := map[string]struct {
		change func(*dynamodb.CreateTableInput, *dynamodb.UpdateTimeToLiveInput)
		want   string
	}{
		"without expiry": {func(_ *dynamodb.CreateTableInput, u *dynamodb.UpdateTimeToLiveInput) {
			u.TimeToLiveSpecification = nil
		}, ""},
		"other expiry": {func(_ *dynamodb.CreateTableInput, u *dynamodb.UpdateTimeToLiveInput) {
			u.TimeToLiveSpecification.AttributeName = aws.String("ttl")
		}, "the time to live of the table is on another attribute than expires"},
		"Flask-Session2's": {func(c *dynamodb.CreateTableInput, _ *dynamodb.UpdateTimeToLiveInput) {
			c.AttributeDefinitions[0].AttributeName = aws.String("SessionId")
			c.KeySchema[0].AttributeName = aws.String("SessionId")
		}, "the table has another primary key than id alone"},
		"sort key": {func(c *dynamodb.CreateTableInput, _ *dynamodb.UpdateTimeToLiveInput) {
			c.AttributeDefinitions = append(c.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String("sort"), AttributeType: types.ScalarAttributeTypeS})
			c.KeySchema = append(c.KeySchema, types.KeySchemaElement{AttributeName: aws.String("sort"), KeyType: types.KeyTypeRange})
		}, "the table has another primary key than id alone"},
		"binary key": {func(c *dynamodb.CreateTableInput, _ *dynamodb.UpdateTimeToLiveInput) {
			c.AttributeDefinitions[0].AttributeType = types.ScalarAttributeTypeB
		}, "the primary key id of the table is no string"},
	}
	for name, c := range change {
		t.Run(name, func(t *testing.T) {
			onLocal(t, func(t *testing.T, endpoint, table string) {
				ctx, b := context.Background(), on(t, connect(endpoint, nil), table)
				create, expire := Schema(table)
				c.change(create, expire)
				if _, err := b.client.CreateTable(ctx, create); err != nil {
					t.Fatal(err)
				}
				if expire.TimeToLiveSpecification != nil {
					if _, err := b.client.UpdateTimeToLive(ctx, expire); err != nil {
						t.Fatal(err)
					}
				}
				_, err := b.Create(ctx, "session:1", []byte("data"), time.Minute)
				if c.want != "" {
					if err == nil || !strings.Contains(err.Error(), "dynamodb: create: ensure schema: "+c.want) {
						t.Errorf("Create: %v", err)
					}
					if err := b.EnsureSchema(ctx); err == nil || !strings.Contains(err.Error(), "dynamodb: ensure schema: "+c.want) {
						t.Errorf("EnsureSchema: %v", err)
					}
					return
				}
				if err != nil {
					t.Error(err)
				}
				if on, err := b.expires(ctx); !on || err != nil {
					t.Errorf("the time to live is on: %t, %v", on, err)
				}
			})
		})
	}
}

// status makes a wire say that the table is something else for n replies.
func status(w *wire, status string, n int) {
	w.edit = func(operation, reply string) string {
		if operation == "DescribeTable" && n > 0 && strings.Contains(reply, `"ACTIVE"`) {
			n--
			return strings.ReplaceAll(reply, `"ACTIVE"`, `"`+status+`"`)
		}
		return reply
	}
}

// TestTableStatus has a table that is not, or not yet, active.
func TestTableStatus(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		w := new(wire)
		b := on(t, connect(endpoint, w), table)

		status(w, "CREATING", 1<<30)
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		if err := b.Delete(ctx, "session:1", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a table that is never active: %v", err)
		}
		status(w, "DELETING", 1)
		if err := b.Delete(context.Background(), "session:1", nil); err == nil || !strings.Contains(err.Error(), "the table is DELETING") {
			t.Errorf("a table that is being deleted: %v", err)
		}
		// No failure is the last word.
		status(w, "CREATING", 2)
		w.take()
		if err := b.Delete(context.Background(), "session:1", nil); err != nil {
			t.Error(err)
		}
		if got := strings.Join(w.operations(), " "); !strings.HasPrefix(got, "DescribeTable DescribeTable DescribeTable DescribeTimeToLive") || !strings.HasSuffix(got, " DeleteItem") {
			t.Errorf("sent: %s", got)
		}
		status(w, "UPDATING", 1)
		if err := b.EnsureSchema(context.Background()); err != nil {
			t.Errorf("a table that is being updated: %v", err)
		}
	})
}

// TestSchemaWaiting has a goroutine wait for another that creates the table.
func TestSchemaWaiting(t *testing.T) {
	b := on(t, connect("http://localhost:1", nil), "sessions")
	b.schema.turn <- struct{}{}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := b.Load(ctx, "session:1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
