package datastorebackend

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/datastore"

	"github.com/go-session2/sessions/backend"
)

// dataProperty is the property that holds the data.
const dataProperty = "data"

// A layout says what is stored beside the data.
type layout struct {
	expires string // the property that holds the expiry
	forever bool   // which may be a null, or absent

	owner string // of what is written; empty: as it is
}

// native is the layout of this package.
var native = layout{expires: "expires"}

// A record is what an entity holds. The data is its revision.
type record struct {
	data    backend.Revision
	expires time.Time              // zero: never
	other   datastore.PropertyList // what this package knows nothing of
}

func (r *record) live(now time.Time) bool { return r.expires.IsZero() || now.Before(r.expires) }

func (r *record) is(base backend.Revision) bool { return base != nil && bytes.Equal(r.data, base) }

// encode returns the properties of the entity for a record.
func (l layout) encode(r record) *datastore.PropertyList {
	list := append(datastore.PropertyList{
		{Name: dataProperty, Value: []byte(r.data), NoIndex: true},
		{Name: l.expires, Value: r.expires},
	}, l.owned(r.other)...)
	return &list
}

// decode takes the properties of an entity apart.
func (l layout) decode(list datastore.PropertyList) (*record, error) {
	var r record
	isBytes, isTime := false, l.forever
	for _, p := range list {
		switch p.Name {
		case dataProperty:
			var data []byte
			data, isBytes = p.Value.([]byte)
			r.data = revision(data)
		case l.expires:
			r.expires, isTime = p.Value.(time.Time)
			isTime = isTime || l.forever && p.Value == nil
		default:
			r.other = append(r.other, p)
		}
	}
	if !isBytes || !isTime {
		return nil, fmt.Errorf("%w: the entity has no blob %s or no timestamp %s", backend.ErrCorrupt, dataProperty, l.expires)
	}
	return &r, nil
}

// revision returns the revision of a record with this data, which is the data
// itself, but not nil.
func revision(data []byte) backend.Revision {
	if data == nil {
		return backend.Revision{}
	}
	return data
}

// expiry returns when a record ends, rounded up to the microseconds that
// Datastore counts in.
func expiry(now time.Time, ttl time.Duration) time.Time {
	return now.Add(ttl + time.Microsecond - 1).UTC().Truncate(time.Microsecond)
}

// name returns the key of an entity.
func (b *Backend) name(key string) *datastore.Key { return datastore.NameKey(b.kind, key, nil) }

// maxKey is the longest name in a key, in bytes.
const maxKey = 1500

var errKey = fmt.Errorf("the key cannot be the name of an entity: those have 1 to %d bytes of UTF-8 and are not of the form __x__", maxKey)

// check returns an error for a key that Datastore does not allow.
// https://cloud.google.com/datastore/docs/concepts/limits
func check(key string) error {
	if key == "" || len(key) > maxKey || reserved(key) || !utf8.ValidString(key) {
		return errKey
	}
	return nil
}

// reserved reports whether a name is one of those that Datastore keeps for
// itself.
func reserved(name string) bool {
	return len(name) >= 4 && strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__")
}
