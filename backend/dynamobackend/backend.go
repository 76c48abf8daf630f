// Package dynamobackend keeps sessions in Amazon DynamoDB.
//
// # Layout
//
// A record is one item with three attributes: id (S), the partition key, is
// the key that package sessions gives; data (B) is the data; expires (N) is
// the Unix time in whole seconds from which the record is gone, rounded up,
// so that a record lives up to a second longer than its time to live. An item
// without expires never expires.
//
// # Guarantees
//
// Load is a strongly consistent read. Every write is one conditional request.
// A revision is the data itself, and Update and Delete compare it with the
// stored attribute, so that they notice whatever a program has changed that
// knows nothing of revisions, by PutItem or by UpdateItem. It makes the
// request of an Update as large as the old and the new data together;
// DynamoDB takes 2 MB of values in a condition and charges for the item only.
// A condition that fails answers with the stored item, so that no second
// request is needed to tell a conflict from a record that is gone.
//
// # Expiry
//
// DynamoDB removes expired items by the time to live on the attribute
// expires, without cost, but often days later, and until then they are read
// like others. So every read and every condition looks at expires itself, by
// the clock of the program: the hosts must have the right time.
//
// DynamoDB removes no item that expired more than five years ago. That
// concerns tables whose time to live was off for so long.
//
// # What a server must be
//
// DynamoDB, or a server that knows ReturnValuesOnConditionCheckFailure for
// PutItem, UpdateItem and DeleteItem, such as DynamoDB Local 2.0 or later;
// otherwise a conflict is reported as a missing record. In a global table all
// programs must use one region: replication between regions is asynchronous,
// and the last writer wins, so that sessions that were deleted could come
// back.
//
// # What a client must be
//
// The SDK repeats a request when its reply is lost. Create and Update
// recognise what they have stored already, and Touch may be repeated. A
// Delete at a revision that is repeated finds nothing and returns
// ErrNotFound, although it was this call that removed the record.
//
// # Flask
//
// With [Config.Flask] the items are those of a Flask extension. Flask-Session2
// has the attributes SessionId (S) and Session (S), which is JSON, and no
// expiry: what it has stored never ends, until this package stores it, which
// adds expires. Flask-Session has id (S), val (B) and expiration (N), whose
// value is off by the server's distance from UTC unless the Flask process runs
// in UTC; it is taken as it is.
//
// There the data does not tell whose write it is, so that Create, Update and
// Delete are not repeated by the SDK but when they have certainly done
// nothing: when they were throttled, or there was no connection.
package dynamobackend

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/guregu/dynamo/v2"
	"github.com/guregu/dynamo/v2/dynamodbiface"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// A Backend keeps sessions in one table of DynamoDB. It may be used by any
// number of goroutines at once. Make one with [New] or [NewWithConfig].
type Backend struct {
	redacted
	client  dynamodbiface.DynamoDBAPI
	table   string
	maxSize int
	layout  layout
	flask   backend.FlaskLayout
	schema  schema
	invalid error           // what every method returns for a client that cannot be used
	owned   *http.Transport // what Close releases, if anything
	closed  atomic.Bool
	now     func() time.Time
}

// redacted keeps a Backend out of logs, with what it leads to.
type redacted = redact.Opaque

var (
	_ backend.Backend = (*Backend)(nil)
	_ backend.Lister  = (*Backend)(nil)
	_ backend.Pinger  = (*Backend)(nil)
	_ io.Closer       = (*Backend)(nil)
)

// New returns a Backend on the table sessions of a client that the caller
// made. It does no I/O. With an aws.Config it is
//
//	dynamobackend.New(dynamo.New(cfg))
//
// New never fails, so that it fits into a Config literal. With a nil client
// every method of the Backend returns an error that says so;
// [NewWithConfig] returns that error at once.
func New(db *dynamo.DB) *Backend { return newBackend(db, Config{}) }

// Load implements [backend.Backend] by one GetItem. An item that is no record
// gives ErrCorrupt.
func (b *Backend) Load(ctx context.Context, key string) (backend.Record, error) {
	const op = "load"
	if err := b.begin(ctx); err != nil {
		return backend.Record{}, fail(ctx, op, key, err)
	}
	rec, err := b.get(ctx, key)
	return rec, fail(ctx, op, key, err)
}

func (b *Backend) get(ctx context.Context, key string) (backend.Record, error) {
	out, err := b.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &b.table,
		Key:            b.layout.itemKey(key),
		ConsistentRead: aws.Bool(true),
	}, steady)
	if err != nil {
		return backend.Record{}, err
	}
	return b.layout.decode(out.Item, b.now())
}

// Create implements [backend.Backend] by one PutItem.
func (b *Backend) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	const op = "create"
	err := b.beginWrite(ctx, data)
	if err == nil {
		now := b.now()
		err = b.put(ctx, key, data, now.Add(ttl), b.layout.whenFree(now))
		err = b.differs(err, data, now)
		// Whatever else is there, also what is no record, is in use.
		if errors.Is(err, backend.ErrConflict) || errors.Is(err, backend.ErrNotFound) || errors.Is(err, backend.ErrCorrupt) {
			err = backend.ErrExists
		}
	}
	if err != nil {
		return nil, fail(ctx, op, key, err)
	}
	return revision(data), nil
}

// Update implements [backend.Backend] by one PutItem. Attributes that other
// programs have added to the item are dropped.
func (b *Backend) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	const op = "update"
	err := b.beginWrite(ctx, data)
	switch {
	case err != nil:
	case base == nil:
		err = b.compare(ctx, key, data)
	default:
		now := b.now()
		err = b.put(ctx, key, data, now.Add(ttl), b.layout.whenAt(base, now))
		err = b.differs(err, data, now)
	}
	if err != nil {
		return nil, fail(ctx, op, key, err)
	}
	return revision(data), nil
}

// put stores a record where the condition holds.
func (b *Backend) put(ctx context.Context, key string, data []byte, expires time.Time, c condition) error {
	_, err := b.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &b.table,
		Item:                                b.layout.encode(key, data, expires),
		ConditionExpression:                 &c.expression,
		ExpressionAttributeNames:            c.names,
		ExpressionAttributeValues:           c.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, b.writing)
	return err
}

// compare is an Update on the zero revision, which is no record's: it changes
// nothing.
func (b *Backend) compare(ctx context.Context, key string, data []byte) error {
	rec, err := b.get(ctx, key)
	if err == nil && (b.flask != backend.NoFlask || !bytes.Equal(rec.Data, data)) {
		err = backend.ErrConflict
	}
	return err
}

// Touch implements [backend.Backend] by one UpdateItem. It changes no
// revision.
func (b *Backend) Touch(ctx context.Context, key string, ttl time.Duration) error {
	const op = "touch"
	if err := b.begin(ctx); err != nil {
		return fail(ctx, op, key, err)
	}
	now := b.now()
	c := b.layout.whenShorter(now.Add(ttl), now)
	_, err := b.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           &b.table,
		Key:                                 b.layout.itemKey(key),
		UpdateExpression:                    aws.String(setExpires),
		ConditionExpression:                 &c.expression,
		ExpressionAttributeNames:            c.names,
		ExpressionAttributeValues:           c.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, steady)
	if item, failed := refused(err); failed {
		_, err = b.layout.decode(item, now) // no error when it lives longer already
	}
	return fail(ctx, op, key, err)
}

// Delete implements [backend.Backend] by one DeleteItem. When a base is given
// and the reply is lost and the SDK repeats the request, it returns
// ErrNotFound.
func (b *Backend) Delete(ctx context.Context, key string, base backend.Revision) error {
	const op = "delete"
	if err := b.begin(ctx); err != nil {
		return fail(ctx, op, key, err)
	}
	input := &dynamodb.DeleteItemInput{TableName: &b.table, Key: b.layout.itemKey(key)}
	now := b.now()
	if base != nil {
		c := b.layout.whenAt(base, now)
		input.ConditionExpression = &c.expression
		input.ExpressionAttributeNames = c.names
		input.ExpressionAttributeValues = c.values
		input.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	_, err := b.client.DeleteItem(ctx, input, b.writing)
	if item, failed := refused(err); failed {
		if _, err = b.layout.decode(item, now); err == nil {
			err = backend.ErrConflict
		}
	}
	return fail(ctx, op, key, err)
}

// Ping implements [backend.Pinger] by one DescribeTable, which costs nothing.
// Unless SkipSchema is set, it creates the table first, as all methods do.
func (b *Backend) Ping(ctx context.Context) error {
	const op = "ping"
	if err := b.begin(ctx); err != nil {
		return fail(ctx, op, "", err)
	}
	_, err := b.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &b.table}, steady)
	return fail(ctx, op, "", err)
}

// Close makes every later call return ErrClosed. A client that was passed in
// stays as it is; of one that was opened by its settings, the connections are
// closed. It may be called repeatedly.
func (b *Backend) Close() error {
	if !b.closed.Swap(true) && b.owned != nil {
		b.owned.CloseIdleConnections()
	}
	return nil
}

// begin returns why an operation cannot be done, and sees to it that there is
// a table.
func (b *Backend) begin(ctx context.Context) error {
	if err := b.usable(ctx); err != nil {
		return err
	}
	return b.prepare(ctx)
}

func (b *Backend) usable(ctx context.Context) error {
	switch {
	case b.closed.Load():
		return backend.ErrClosed
	case b.invalid != nil:
		return b.invalid
	}
	return ctx.Err()
}

// beginWrite is begin for an operation that stores data.
func (b *Backend) beginWrite(ctx context.Context, data []byte) error {
	if err := b.usable(ctx); err != nil {
		return err
	}
	if len(data) > b.maxSize {
		return backend.TooLarge(len(data), b.maxSize)
	}
	if b.layout.text && !utf8.Valid(data) {
		return errText
	}
	return b.prepare(ctx)
}
