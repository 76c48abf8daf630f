package dynamobackend

import (
	"context"
	"fmt"
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// List implements [backend.Lister] by one Scan a page. Any page may be short
// or empty: one call looks at up to limit items, at most 1 MB of them, whether
// they have the prefix or not. Expired records are left out. The cursor is the
// last key that was looked at.
//
// DynamoDB charges for the whole items that it looks at, so a listing costs as
// much as loading every session of the table.
func (b *Backend) List(ctx context.Context, prefix, cursor string, limit int) (keys []string, next string, err error) {
	const op = "list"
	if limit < 1 {
		return nil, "", fail(ctx, op, "", fmt.Errorf("the limit is %d, not at least 1", limit))
	}
	if err := b.begin(ctx); err != nil {
		return nil, "", fail(ctx, op, "", err)
	}
	input := &dynamodb.ScanInput{
		TableName: &b.table,
		// A scan that is not consistent leaves out what is new.
		ConsistentRead:            aws.Bool(true),
		Limit:                     aws.Int32(int32(min(limit, math.MaxInt32))),
		ProjectionExpression:      aws.String("#id"),
		FilterExpression:          aws.String("attribute_not_exists(#keys) AND (attribute_not_exists(#expires) OR #expires > :now)"),
		ExpressionAttributeNames:  map[string]string{"#id": b.layout.key, "#expires": b.layout.expires, "#keys": keysAttribute},
		ExpressionAttributeValues: item{":now": seconds(b.now().Unix())},
	}
	if prefix != "" {
		input.FilterExpression = aws.String("begins_with(#id, :prefix) AND (" + *input.FilterExpression + ")")
		input.ExpressionAttributeValues[":prefix"] = &types.AttributeValueMemberS{Value: prefix}
	}
	if cursor != "" {
		input.ExclusiveStartKey = b.layout.itemKey(cursor)
	}
	out, err := b.client.Scan(ctx, input, steady)
	if err != nil {
		return nil, "", fail(ctx, op, cursor, err)
	}
	for _, found := range out.Items {
		if key, ok := found[b.layout.key].(*types.AttributeValueMemberS); ok {
			keys = append(keys, key.Value)
		}
	}
	if last, ok := out.LastEvaluatedKey[b.layout.key].(*types.AttributeValueMemberS); ok {
		next = last.Value
	}
	return keys, next, nil
}
