package dynamobackend

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/go-session2/sessions/backend"
)

// The attributes of an item.
const (
	keyAttribute     = "id"
	dataAttribute    = "data"
	expiresAttribute = "expires"
)

// maxSeconds is the end of the year 9999: what expires later has a time that
// Go's formats do not know.
const maxSeconds = 253402300799

// An item is what DynamoDB stores under one key.
type item = map[string]types.AttributeValue

// itemKey returns the primary key of an item.
func itemKey(key string) item {
	return item{keyAttribute: &types.AttributeValueMemberS{Value: key}}
}

// encode returns the item that is stored for data.
func encode(key string, data []byte, expires time.Time) item {
	return item{
		keyAttribute:     &types.AttributeValueMemberS{Value: key},
		dataAttribute:    binary(data),
		expiresAttribute: seconds(roundUp(expires)),
	}
}

// decode takes a stored item apart. It returns ErrNotFound for no item and
// for one that has expired by now.
func decode(stored item, now time.Time) (backend.Record, error) {
	var rec backend.Record
	if len(stored) == 0 {
		return rec, backend.ErrNotFound
	}
	switch expires := stored[expiresAttribute].(type) {
	case nil:
	case *types.AttributeValueMemberN:
		// A foreign program may write fractions.
		s, err := strconv.ParseFloat(expires.Value, 64)
		if err != nil {
			return rec, fmt.Errorf("%w: the attribute %s is out of range", backend.ErrCorrupt, expiresAttribute)
		}
		if s <= float64(now.Unix()) {
			return rec, backend.ErrNotFound
		}
		rec.Expires = time.Unix(int64(math.Ceil(min(s, maxSeconds))), 0)
	default:
		return rec, fmt.Errorf("%w: the attribute %s is no number", backend.ErrCorrupt, expiresAttribute)
	}
	data, ok := stored[dataAttribute].(*types.AttributeValueMemberB)
	if !ok {
		return backend.Record{}, fmt.Errorf("%w: there is no attribute %s that is binary", backend.ErrCorrupt, dataAttribute)
	}
	rec.Data, rec.Revision = data.Value, revision(data.Value)
	return rec, nil
}

// revision returns the revision of a record with this data: the data itself.
func revision(data []byte) backend.Revision {
	if data == nil {
		return backend.Revision{} // nil is no revision
	}
	return data
}

func binary(data []byte) types.AttributeValue {
	// The SDK writes a nil slice as null, which DynamoDB refuses.
	return &types.AttributeValueMemberB{Value: revision(data)}
}

func seconds(unix int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(unix, 10)}
}

// roundUp returns a time in whole seconds, not before it.
func roundUp(t time.Time) int64 {
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	return s
}

// A condition is what an item must be for a write to be done. Names are
// written as placeholders since DynamoDB reserves hundreds of words.
type condition struct {
	expression string
	names      map[string]string
	values     item
}

// setExpires goes with whenShorter.
const setExpires = "SET #expires = :expires"

// whenFree holds for a key that is not in use.
func whenFree(now time.Time) condition {
	return condition{
		"attribute_not_exists(#id) OR #expires <= :now",
		map[string]string{"#id": keyAttribute, "#expires": expiresAttribute},
		item{":now": seconds(now.Unix())},
	}
}

// whenAt holds for a record that is at a revision.
func whenAt(base backend.Revision, now time.Time) condition {
	return condition{
		"#data = :base AND (attribute_not_exists(#expires) OR #expires > :now)",
		map[string]string{"#data": dataAttribute, "#expires": expiresAttribute},
		item{":base": binary(base), ":now": seconds(now.Unix())},
	}
}

// whenShorter holds for a record that is gone before a time.
func whenShorter(expires, now time.Time) condition {
	return condition{
		"#expires > :now AND #expires < :expires",
		map[string]string{"#expires": expiresAttribute},
		item{":now": seconds(now.Unix()), ":expires": seconds(roundUp(expires))},
	}
}
