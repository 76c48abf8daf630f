package dynamobackend

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/go-session2/sessions/backend"
)

// A layout names the attributes of an item.
type layout struct {
	key, data, expires string
	text               bool // the data is a string, else it is binary
}

// native is the layout of this package.
var native = layout{key: "id", data: "data", expires: "expires"}

// maxSeconds is the end of the year 9999: what expires later has a time that
// Go's formats do not know.
const maxSeconds = 253402300799

// An item is what DynamoDB stores under one key.
type item = map[string]types.AttributeValue

// itemKey returns the primary key of an item.
func (l *layout) itemKey(key string) item {
	return item{l.key: &types.AttributeValueMemberS{Value: key}}
}

// encode returns the item that is stored for data.
func (l *layout) encode(key string, data []byte, expires time.Time) item {
	return item{
		l.key:     &types.AttributeValueMemberS{Value: key},
		l.data:    l.value(data),
		l.expires: seconds(roundUp(expires)),
	}
}

// decode takes a stored item apart. It returns ErrNotFound for no item and
// for one that has expired by now.
func (l *layout) decode(stored item, now time.Time) (backend.Record, error) {
	var rec backend.Record
	if len(stored) == 0 {
		return rec, backend.ErrNotFound
	}
	switch expires := stored[l.expires].(type) {
	case nil:
	case *types.AttributeValueMemberN:
		// A foreign program may write fractions.
		s, err := strconv.ParseFloat(expires.Value, 64)
		if err != nil {
			return rec, fmt.Errorf("%w: the attribute %s is out of range", backend.ErrCorrupt, l.expires)
		}
		if s <= float64(now.Unix()) {
			return rec, backend.ErrNotFound
		}
		rec.Expires = time.Unix(int64(math.Ceil(min(s, maxSeconds))), 0)
	default:
		return rec, fmt.Errorf("%w: the attribute %s is no number", backend.ErrCorrupt, l.expires)
	}
	switch data := stored[l.data].(type) {
	case *types.AttributeValueMemberB:
		if !l.text {
			rec.Data, rec.Revision = data.Value, revision(data.Value)
			return rec, nil
		}
	case *types.AttributeValueMemberS:
		if l.text {
			rec.Data = []byte(data.Value)
			rec.Revision = revision(rec.Data)
			return rec, nil
		}
	}
	return backend.Record{}, fmt.Errorf("%w: there is no attribute %s of the right type", backend.ErrCorrupt, l.data)
}

// revision returns the revision of a record with this data: the data itself.
func revision(data []byte) backend.Revision {
	if data == nil {
		return backend.Revision{} // nil is no revision
	}
	return data
}

// value returns the attribute for data.
func (l *layout) value(data []byte) types.AttributeValue {
	if l.text {
		return &types.AttributeValueMemberS{Value: string(data)}
	}
	return binary(data)
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
func (l *layout) whenFree(now time.Time) condition {
	return condition{
		"attribute_not_exists(#id) OR #expires <= :now",
		map[string]string{"#id": l.key, "#expires": l.expires},
		item{":now": seconds(now.Unix())},
	}
}

// whenAt holds for a record that is at a revision.
func (l *layout) whenAt(base backend.Revision, now time.Time) condition {
	return condition{
		"#data = :base AND (attribute_not_exists(#expires) OR #expires > :now)",
		map[string]string{"#data": l.data, "#expires": l.expires},
		item{":base": l.value(base), ":now": seconds(now.Unix())},
	}
}

// whenShorter holds for a record that is gone before a time.
func (l *layout) whenShorter(expires, now time.Time) condition {
	return condition{
		"#expires > :now AND #expires < :expires",
		map[string]string{"#expires": l.expires},
		item{":now": seconds(now.Unix()), ":expires": seconds(roundUp(expires))},
	}
}
