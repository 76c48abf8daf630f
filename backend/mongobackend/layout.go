package mongobackend

import (
	"bytes"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/go-session2/sessions/backend"
)

// A layout is the names of the fields of a document.
type layout struct {
	id, data, expires string
	endless           bool // a document without an expiry is a record as well

	owner string // of what is written; empty: as it is
}

// native is the layout of this library.
var native = layout{id: "_id", data: "data", expires: "expires"}

// document returns what is stored for data.
func (l layout) document(key string, data []byte, expires time.Time) bson.D {
	return append(l.only(key), l.values(data, expires)...)
}

func (l layout) values(data []byte, expires time.Time) bson.D {
	values := bson.D{{Key: l.data, Value: binary(data)}, {Key: l.expires, Value: date(expires)}}
	if l.owner != "" {
		values = append(values, bson.E{Key: ownerField, Value: l.owner})
	}
	return values
}

// set returns the change to other data.
func (l layout) set(data []byte, expires time.Time) bson.D {
	return bson.D{{Key: "$set", Value: l.values(data, expires)}}
}

// extend returns the change to a later expiry.
func (l layout) extend(expires time.Time) bson.D {
	change := bson.D{{Key: "$max", Value: bson.D{{Key: l.expires, Value: date(expires)}}}}
	if l.owner != "" {
		change = append(change, bson.E{Key: "$set", Value: bson.D{{Key: ownerField, Value: l.owner}}})
	}
	return change
}

// The filters: the document under key, whatever it is, the record that has not
// expired, the one that has, and the one with this data.

func (l layout) only(key string) bson.D { return bson.D{{Key: l.id, Value: key}} }

func (l layout) live(key string, now time.Time) bson.D {
	until := bson.E{Key: l.expires, Value: bson.D{{Key: "$gt", Value: instant(now)}}}
	if l.endless {
		until = bson.E{Key: "$or", Value: bson.A{bson.D{until}, bson.D{{Key: l.expires, Value: nil}}}}
	}
	return append(l.only(key), until)
}

func (l layout) ended(key string, now time.Time) bson.D {
	return append(l.only(key), l.past(now))
}

func (l layout) at(key string, data []byte, now time.Time) bson.D {
	return append(l.live(key, now), bson.E{Key: l.data, Value: binary(data)})
}

// past is the condition that a record has expired.
func (l layout) past(now time.Time) bson.E {
	return bson.E{Key: l.expires, Value: bson.D{{Key: "$lte", Value: instant(now)}}}
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

// A record is what a document holds. The data is its revision. A zero expiry
// is none.
type record struct {
	data    []byte
	expires time.Time
}

// ended reports whether the record has expired.
func (r *record) ended(now time.Time) bool { return !r.expires.IsZero() && !now.Before(r.expires) }

// decode takes a document apart.
func (l layout) decode(doc bson.Raw) (*record, error) {
	subtype, data, isBinary := doc.Lookup(l.data).BinaryOK()
	end := doc.Lookup(l.expires)
	millis, isDate := end.DateTimeOK()
	endless := l.endless && (end.IsZero() || end.Type == bson.TypeNull)
	if !isBinary || subtype != bson.TypeBinaryGeneric || !isDate && !endless {
		return nil, fmt.Errorf("%w: the document has no binary %s or no date %s", backend.ErrCorrupt, l.data, l.expires)
	}
	rec := &record{data: revision(bytes.Clone(data))} // the document is a part of a longer reply
	if isDate {
		rec.expires = time.UnixMilli(millis)
	}
	return rec, nil
}

// revision returns the revision of a record with this data, which is the data
// itself, but not nil.
func revision(data []byte) backend.Revision {
	if data == nil {
		return backend.Revision{}
	}
	return data
}
