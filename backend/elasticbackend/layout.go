package elasticbackend

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-session2/sessions/backend"
)

// A layout says what the documents of an index are.
type layout struct {
	key, expires string // the fields that are searched
	properties   string // the mapping
	encode       func(key string, data []byte, expires time.Time) ([]byte, error)
	source       func() source
}

// A source is a document that package json can decode.
type source interface {
	// expiry returns when the record will be gone, if the document says
	// so. The zero time is never.
	expiry() (expires time.Time, ok bool)

	// content returns the data, if there is some.
	content() (data []byte, ok bool)
}

func layoutOf(flask backend.FlaskLayout) layout {
	if flask != backend.NoFlask {
		return layout{
			key: "id.keyword", expires: "expiration", properties: flaskProperties,
			encode: encodeFlask, source: func() source { return new(flaskDocument) },
		}
	}
	return layout{
		key: "key", expires: "expires", properties: properties,
		encode: encode, source: func() source { return new(document) },
	}
}

// properties is the mapping of the fields.
const properties = `{"key": {"type": "keyword"}, "data": {"type": "binary"}, "expires": {"type": "date", "format": "epoch_millis"}, "owner": {"type": "keyword"}}`

// A document is what is stored of a record. Package json has Data in base64.
// What is absent is nil.
type document struct {
	Key     string  `json:"key,omitempty"`
	Data    *[]byte `json:"data,omitempty"`
	Expires *int64  `json:"expires,omitempty"`
	Owner   string  `json:"owner,omitempty"`
}

// encode returns the document of a record.
func encode(key string, data []byte, expires time.Time) ([]byte, error) {
	if data == nil {
		data = []byte{} // nil would become a null
	}
	millis := expires.UnixMilli()
	return json.Marshal(document{Key: key, Data: &data, Expires: &millis})
}

// encodeExpiry returns the part of a document that a touch changes.
func encodeExpiry(expires time.Time, owner string) ([]byte, error) {
	millis := expires.UnixMilli()
	return json.Marshal(document{Expires: &millis, Owner: owner})
}

// expiry implements source.
func (d *document) expiry() (expires time.Time, ok bool) {
	if d.Expires == nil {
		return time.Time{}, false
	}
	return time.UnixMilli(*d.Expires), true
}

// content implements source.
func (d *document) content() (data []byte, ok bool) {
	if d.Data == nil {
		return nil, false
	}
	return *d.Data, true
}

// errDocument does not tell what is wrong, as that could quote the document.
var errDocument = fmt.Errorf("%w: the document is not one of this backend", backend.ErrCorrupt)

// roundUp returns an expiry in the unit in which it is stored.
func roundUp(expires time.Time) time.Time {
	return time.UnixMilli(expires.Add(time.Millisecond - 1).UnixMilli())
}

// A state identifies one stored state of one record.
type state struct {
	seqNo, term int64
	expires     time.Time
	owner       string // "": none, or not read
}

func (s *state) ended(now time.Time) bool { return !s.expires.IsZero() && !now.Before(s.expires) }

// A record is a document that was read.
type record struct {
	state
	data []byte
}

const (
	revisionSize = 3 * 8 // and then the owner
	maxOwner     = 64
)

func (s *state) revision() backend.Revision {
	rev := make(backend.Revision, 0, revisionSize)
	for _, n := range []int64{s.seqNo, s.term, s.expires.UnixMilli()} {
		rev = binary.BigEndian.AppendUint64(rev, uint64(n))
	}
	return append(rev, s.owner...)
}

// parseRevision returns nil for what is no revision of this package.
func parseRevision(rev backend.Revision) *state {
	if len(rev) < revisionSize || len(rev) > revisionSize+maxOwner {
		return nil
	}
	n := func(i int) int64 { return int64(binary.BigEndian.Uint64(rev[i*8:])) }
	s := &state{seqNo: n(0), term: n(1), expires: time.UnixMilli(n(2)), owner: string(rev[revisionSize:])}
	if s.seqNo < 0 || s.term < 1 {
		return nil
	}
	return s
}
