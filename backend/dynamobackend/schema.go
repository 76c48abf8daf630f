package dynamobackend

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Between two looks at a table that is being created passes so much time, at
// first and at most.
const (
	minDelay = 50 * time.Millisecond
	maxDelay = 2 * time.Second
)

// Schema returns the requests that make a table for sessions: one creates it,
// with on-demand capacity, and the other switches its time to live on, once
// the table is active. As commands they are
//
//	aws dynamodb create-table --table-name sessions \
//	  --attribute-definitions AttributeName=id,AttributeType=S \
//	  --key-schema AttributeName=id,KeyType=HASH --billing-mode PAY_PER_REQUEST
//	aws dynamodb wait table-exists --table-name sessions
//	aws dynamodb update-time-to-live --table-name sessions \
//	  --time-to-live-specification Enabled=true,AttributeName=expires
func Schema(table string) (*dynamodb.CreateTableInput, *dynamodb.UpdateTimeToLiveInput) {
	return native.schema(table)
}

func (l *layout) schema(table string) (*dynamodb.CreateTableInput, *dynamodb.UpdateTimeToLiveInput) {
	create := &dynamodb.CreateTableInput{
		TableName:            aws.String(table),
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String(l.key), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String(l.key), KeyType: types.KeyTypeHash}},
		BillingMode:          types.BillingModePayPerRequest,
	}
	expire := &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String(table),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String(l.expires),
			Enabled:       aws.Bool(true),
		},
	}
	return create, expire
}

// A schema is the state of the table, as far as this process knows.
type schema struct {
	ready atomic.Bool
	turn  chan struct{} // holds a value while somebody creates the table
}

// EnsureSchema creates what [Schema] describes if it is not there, and waits
// until the table can be used, which on AWS takes some seconds. Any number of
// processes may do so at the same time. It returns an error when the program
// may not create it, and when there is a table of that name that has another
// key, or a time to live on another attribute.
//
// Without [Config.SkipSchema] the first operation calls it, and until it
// succeeds, the next. A program whose first requests shall not have to wait
// for a new table calls it when it starts.
func (b *Backend) EnsureSchema(ctx context.Context) error {
	err := b.usable(ctx)
	if err == nil {
		err = b.ensure(ctx)
	}
	return fail(ctx, "ensure schema", "", err)
}

// prepare creates the schema once in the life of the Backend. Others wait,
// no longer than their contexts let them.
func (b *Backend) prepare(ctx context.Context) error {
	s := &b.schema
	if s.ready.Load() {
		return nil
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()
	if s.ready.Load() {
		return nil
	}
	if err := b.ensure(ctx); err != nil {
		return fmt.Errorf("ensure schema: %w", err)
	}
	s.ready.Store(true)
	return nil
}

func (b *Backend) ensure(ctx context.Context) error {
	if err := b.ensureTable(ctx); err != nil {
		return err
	}
	return b.ensureExpiry(ctx)
}

// ensureTable creates the table if there is none and waits until it can be
// used.
func (b *Backend) ensureTable(ctx context.Context) error {
	created := false
	for delay := minDelay; ; delay = min(2*delay, maxDelay) {
		out, err := b.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &b.table}, steady)
		var missing *types.ResourceNotFoundException
		switch {
		case errors.As(err, &missing):
			// For a moment DynamoDB does not see what it has created.
			if !created {
				if err := b.createTable(ctx); err != nil {
					return err
				}
				created = true
			}
		case err != nil:
			return err
		default:
			if done, err := b.layout.check(out.Table); done || err != nil {
				return err
			}
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *Backend) createTable(ctx context.Context) error {
	create, _ := b.layout.schema(b.table)
	_, err := b.client.CreateTable(ctx, create, steady)
	var inUse *types.ResourceInUseException
	if errors.As(err, &inUse) {
		return nil // another process was faster
	}
	return err
}

// check reports whether a table can be used, and returns an error when
// it never can.
func (l *layout) check(t *types.TableDescription) (done bool, err error) {
	if t == nil {
		return false, errors.New("the server does not describe the table")
	}
	if len(t.KeySchema) != 1 || aws.ToString(t.KeySchema[0].AttributeName) != l.key {
		return false, fmt.Errorf("the table has another primary key than %s alone: it is no table of sessions", l.key)
	}
	for _, a := range t.AttributeDefinitions {
		if aws.ToString(a.AttributeName) == l.key && a.AttributeType != types.ScalarAttributeTypeS {
			return false, fmt.Errorf("the primary key %s of the table is no string: it is no table of sessions", l.key)
		}
	}
	switch t.TableStatus {
	case types.TableStatusActive, types.TableStatusUpdating:
		return true, nil
	case types.TableStatusCreating:
		return false, nil
	}
	return false, fmt.Errorf("the table is %s", t.TableStatus)
}

// ensureExpiry switches the time to live on if it is off.
func (b *Backend) ensureExpiry(ctx context.Context) error {
	if on, err := b.expires(ctx); on || err != nil {
		return err
	}
	_, expire := b.layout.schema(b.table)
	_, err := b.client.UpdateTimeToLive(ctx, expire, steady)
	if err == nil {
		return nil
	}
	// DynamoDB refuses to switch on what another process has switched on.
	if on, _ := b.expires(ctx); on {
		return nil
	}
	return fmt.Errorf("switch the time to live on: %w", err)
}

// expires reports whether DynamoDB removes the expired items of the table.
func (b *Backend) expires(ctx context.Context) (bool, error) {
	out, err := b.client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &b.table}, steady)
	if err != nil {
		return false, err
	}
	d := out.TimeToLiveDescription
	if d == nil || d.TimeToLiveStatus != types.TimeToLiveStatusEnabled && d.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
		return false, nil
	}
	if aws.ToString(d.AttributeName) != b.layout.expires {
		return false, fmt.Errorf("the time to live of the table is on another attribute than %s", b.layout.expires)
	}
	return true, nil
}
