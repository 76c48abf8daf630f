package dynamobackend

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/go-session2/sessions/backend"
)

var _ backend.Indexer = (*Backend)(nil)

const (
	// ownerPrefix begins the key of the item of an owner.
	ownerPrefix = "sessions-of:"

	// keysAttribute is the attribute of such an item with the keys of the
	// records, a set of strings.
	keysAttribute = "keys"

	// afterlife is by how much the item of an owner outlives the records.
	afterlife = time.Hour

	// trimEvery is how many keys an item gets before the dead ones are
	// looked for.
	trimEvery = 16

	// maxBatchGet is how many items DynamoDB returns at a time.
	maxBatchGet = 100
)

// Indexed implements [backend.Indexer]: the keys of an owner's records are a
// set in an item of its own, in the same table, under "sessions-of:" and the
// owner. A secondary index would be behind the records. The set has room for
// some 4000 sessions. The tables of Flask are left to Flask.
//
// A Create is followed by an entry into the set: the ID of the session is not
// in use before the Create has returned. An Update or Touch comes after it. So
// an entry whose record is absent is of no use any more, and is removed.
func (b *Backend) Indexed(owner string) (backend.Index, error) {
	if b.flask != backend.NoFlask {
		return nil, fmt.Errorf("dynamodb: %w: the table of Flask has no place for one", backend.ErrNoIndex)
	}
	return view{Backend: b, item: ownerPrefix + owner}, nil
}

// A view writes records for an owner.
type view struct {
	*Backend
	item string // key of the owner's item
}

func (v view) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	const op = "create"
	rev, err := v.Backend.Create(ctx, key, data, ttl)
	if err != nil {
		return nil, err
	}
	if err := v.own(ctx, key, ttl); err != nil {
		// Then there is no session, as far as anybody is told.
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = v.Backend.Delete(undo, key, nil)
		return nil, v.fail(ctx, op, key, err)
	}
	return rev, nil
}

func (v view) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	if err := v.own(ctx, key, ttl); err != nil {
		return nil, v.fail(ctx, "update", key, err)
	}
	return v.Backend.Update(ctx, key, data, ttl, base)
}

func (v view) Touch(ctx context.Context, key string, ttl time.Duration) error {
	if err := v.own(ctx, key, ttl); err != nil {
		return v.fail(ctx, "touch", key, err)
	}
	return v.Backend.Touch(ctx, key, ttl)
}

// Delete also removes the entry. That this fails is no matter.
func (v view) Delete(ctx context.Context, key string, base backend.Revision) error {
	err := v.Backend.Delete(ctx, key, base)
	if err == nil {
		_ = v.forget(ctx, []string{key})
	}
	return err
}

// own enters a record into the set, and makes the set live as long.
func (v view) own(ctx context.Context, key string, ttl time.Duration) error {
	if err := v.begin(ctx); err != nil {
		return err
	}
	until := seconds(roundUp(v.now().Add(ttl + afterlife)))
	names := map[string]string{"#keys": keysAttribute, "#expires": v.layout.expires}
	add := &dynamodb.UpdateItemInput{
		TableName:                 &v.table,
		Key:                       v.layout.itemKey(v.item),
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: item{":keys": set(key), ":until": until},
		ReturnValues:              types.ReturnValueAllNew,
	}
	for {
		add.UpdateExpression = aws.String("ADD #keys :keys SET #expires = :until")
		add.ConditionExpression = aws.String("attribute_not_exists(#expires) OR #expires < :until")
		out, err := v.client.UpdateItem(ctx, add, steady)
		if _, failed := refused(err); failed { // it lives longer already
			add.UpdateExpression = aws.String("ADD #keys :keys")
			add.ConditionExpression = aws.String("#expires >= :until")
			out, err = v.client.UpdateItem(ctx, add, steady)
		}
		if _, failed := refused(err); failed && ctx.Err() == nil {
			continue // it was removed meanwhile
		}
		if err != nil {
			return err
		}
		if keys := members(out.Attributes); len(keys)%trimEvery == 0 {
			_, err = v.trim(ctx, keys)
		}
		return err
	}
}

// Owned implements [backend.Index] by a read of the set, and of the records'
// expiries; and again while there are entries without a record, as the record
// may have moved after the set was read.
func (v view) Owned(ctx context.Context) ([]string, error) {
	const op = "list by owner"
	if err := v.begin(ctx); err != nil {
		return nil, fail(ctx, op, "", err)
	}
	for {
		out, err := v.client.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: &v.table, Key: v.layout.itemKey(v.item), ConsistentRead: aws.Bool(true),
		}, steady)
		if err != nil {
			return nil, v.fail(ctx, op, "", err)
		}
		keys := members(out.Item)
		dead, err := v.trim(ctx, keys)
		if err != nil {
			return nil, v.fail(ctx, op, "", err)
		}
		if dead == 0 {
			return keys, nil
		}
	}
}

// trim removes the entries among keys that have no live record and returns how
// many they are.
func (v view) trim(ctx context.Context, keys []string) (dead int, err error) {
	for len(keys) > 0 {
		n := min(len(keys), maxBatchGet)
		live, err := v.live(ctx, keys[:n])
		if err != nil {
			return dead, err
		}
		var gone []string
		for _, key := range keys[:n] {
			if !live[key] {
				gone = append(gone, key)
			}
		}
		keys = keys[n:]
		if len(gone) == 0 {
			continue
		}
		if err := v.forget(ctx, gone); err != nil {
			return dead, err
		}
		dead += len(gone)
	}
	return dead, nil
}

// live returns which of at most maxBatchGet keys have a live record.
func (v view) live(ctx context.Context, keys []string) (map[string]bool, error) {
	ask := types.KeysAndAttributes{
		ConsistentRead:           aws.Bool(true),
		ProjectionExpression:     aws.String("#id, #expires"),
		ExpressionAttributeNames: map[string]string{"#id": v.layout.key, "#expires": v.layout.expires},
	}
	for _, key := range keys {
		ask.Keys = append(ask.Keys, v.layout.itemKey(key))
	}
	live := make(map[string]bool)
	pending := map[string]types.KeysAndAttributes{v.table: ask}
	for delay := minDelay; len(pending) > 0; delay = min(2*delay, maxDelay) {
		out, err := v.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: pending}, steady)
		if err != nil {
			return nil, err
		}
		for _, found := range out.Responses[v.table] {
			key, _ := found[v.layout.key].(*types.AttributeValueMemberS)
			found[v.layout.data] = binary(nil) // which was not asked for
			if _, err := v.layout.decode(found, v.now()); key != nil && err == nil {
				live[key.Value] = true
			}
		}
		if pending = out.UnprocessedKeys; len(pending) == 0 {
			break
		}
		select { // the server has too much to do
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return live, nil
}

// forget removes entries from the set.
func (v view) forget(ctx context.Context, keys []string) error {
	if err := v.begin(ctx); err != nil {
		return err
	}
	_, err := v.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &v.table,
		Key:                       v.layout.itemKey(v.item),
		UpdateExpression:          aws.String("DELETE #keys :keys"),
		ConditionExpression:       aws.String("attribute_exists(#keys)"), // else it would make an item
		ExpressionAttributeNames:  map[string]string{"#keys": keysAttribute},
		ExpressionAttributeValues: item{":keys": set(keys...)},
	}, steady)
	if _, failed := refused(err); failed {
		return nil
	}
	return err
}

// fail is that of the package, for an error that may quote the owner as well.
func (v view) fail(ctx context.Context, op, key string, err error) error {
	return fail(ctx, op, key, quiet(err, v.item))
}

func set(keys ...string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: keys} }

// members returns the keys in the item of an owner.
func members(i item) []string {
	if keys, ok := i[keysAttribute].(*types.AttributeValueMemberSS); ok {
		return keys.Value
	}
	return nil
}
