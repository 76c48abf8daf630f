package mongobackend

import (
	"bytes"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/go-session2/sessions/backend"
)

// The fields of a document.
const (
	idField      = "_id"
	dataField    = "data"
	expiresField = "expires"
)

// document returns what is stored for data.
func document(key string, data []byte, expires time.Time) bson.D {
	return bson.D{{Key: idField, Value: key}, {Key: dataField, Value: binary(data)}, {Key: expiresField, Value: date(expires)}}
}

// set returns the change to other data.
func set(data []byte, expires time.Time) bson.D {
	return bson.D{{Key: "$set", Value: bson.D{{Key: dataField, Value: binary(data)}, {Key: expiresField, Value: date(expires)}}}}
}

// extend returns the change to a later expiry.
func extend(expires time.Time) bson.D {
	return bson.D{{Key: "$max", Value: bson.D{{Key: expiresField, Value: date(expires)}}}}
}

// The filters: the document under key, whatever it is, the record that has not
// expired, the one that has, and the one with this data.

func only(key string) bson.D { return bson.D{{Key: idField, Value: key}} }

func live(key string, now time.Time) bson.D {
	return append(only(key), bson.E{Key: expiresField, Value: bson.D{{Key: "$gt", Value: instant(now)}}})
}

func ended(key string, now time.Time) bson.D {
	return append(only(key), past(now))
}

func at(key string, data []byte, now time.Time) bson.D {
	return append(live(key, now), bson.E{Key: dataField, Value: binary(data)})
}

// past is the condition that a record has expired.
func past(now time.Time) bson.E {
	return bson.E{Key: expiresField, Value: bson.D{{Key: "$lte", Value: instant(now)}}}
}

// binary returns data as a field. A plain nil slice would become a null.
func binary(data []byte) bson.Binary { return bson.Binary{Data: data} }

// date returns an expiry as a field, rounded up to what MongoDB counts in.
func date(expires time.Time) bson.DateTime {
	return bson.NewDateTimeFromTime(expires.Add(time.Millisecond - 1))
}

// instant returns a time to compare with. It is rounded down, which makes no
// difference to a whole number of milliseconds.
func instant(now time.Time) bson.DateTime { return bson.NewDateTimeFromTime(now) }

// A record is what a document holds. The data is its revision.
type record struct {
	data    []byte
	expires time.Time
}

// decode takes a document apart.
func decode(doc bson.Raw) (*record, error) {
	subtype, data, isBinary := doc.Lookup(dataField).BinaryOK()
	millis, isDate := doc.Lookup(expiresField).DateTimeOK()
	if !isBinary || subtype != bson.TypeBinaryGeneric || !isDate {
		return nil, fmt.Errorf("%w: the document has no binary %s or no date %s", backend.ErrCorrupt, dataField, expiresField)
	}
	// The document is a part of a longer reply.
	return &record{revision(bytes.Clone(data)), time.UnixMilli(millis)}, nil
}

// revision returns the revision of a record with this data, which is the data
// itself, but not nil.
func revision(data []byte) backend.Revision {
	if data == nil {
		return backend.Revision{}
	}
	return data
}
