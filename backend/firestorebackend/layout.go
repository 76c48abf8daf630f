package firestorebackend

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/firestore"

	"github.com/go-session2/sessions/backend"
)

// A layout names the fields of a document.
type layout struct {
	id            string // of the key, or none
	data, expires string
	forever       bool // the expiry may be a null, or absent

	owner string // of what is written; empty: as it is
}

// native is the layout of this package.
var native = layout{data: "data", expires: "expires"}

// A record is what a document holds, and when it was changed last.
type record struct {
	data    []byte
	expires time.Time // zero: never
	updated time.Time
	owner   string
}

func (r record) live(now time.Time) bool { return r.expires.IsZero() || now.Before(r.expires) }

// document returns the fields of a new document.
func (l *layout) document(key string, r record) map[string]any {
	fields := map[string]any{l.data: r.data, l.expires: r.expires}
	if l.id != "" {
		fields[l.id] = key
	}
	if l.owner != "" {
		fields[ownerField] = l.owner
	}
	return fields
}

// changes returns what makes a document that there is into this record.
func (l *layout) changes(r record) []firestore.Update {
	return append(l.extension(r.expires), firestore.Update{Path: l.data, Value: r.data})
}

// extension returns the change to another expiry, and owner.
func (l *layout) extension(expires time.Time) []firestore.Update {
	changes := []firestore.Update{{Path: l.expires, Value: expires}}
	if l.owner != "" {
		changes = append(changes, firestore.Update{Path: ownerField, Value: l.owner})
	}
	return changes
}

// decode takes a document apart.
func (l *layout) decode(doc *firestore.DocumentSnapshot) (*record, error) {
	fields := doc.Data()
	data, isBytes := fields[l.data].([]byte)
	expires, isTime := fields[l.expires].(time.Time)
	if !isBytes || !isTime && (!l.forever || fields[l.expires] != nil) {
		return nil, fmt.Errorf("%w: the document has no bytes %s or no timestamp %s", backend.ErrCorrupt, l.data, l.expires)
	}
	owner, _ := fields[ownerField].(string)
	return &record{data: data, expires: expires, updated: doc.UpdateTime, owner: owner}, nil
}

// expiry returns when a record ends, rounded up to the microseconds that
// Firestore counts in.
func expiry(now time.Time, ttl time.Duration) time.Time {
	return now.Add(ttl + time.Microsecond - 1).UTC().Truncate(time.Microsecond)
}

// revisionSize is the length of a revision: the update time in nanoseconds,
// exactly as Firestore gave it, since it takes it back only so, and the expiry
// in microseconds. The expiry is there because a precondition cannot hold it:
// a base that has expired is refused without asking.
const revisionSize = 16

func (r record) revision() backend.Revision {
	rev := binary.BigEndian.AppendUint64(make([]byte, 0, revisionSize), uint64(r.updated.UnixNano()))
	return binary.BigEndian.AppendUint64(rev, uint64(r.expires.UnixMicro()))
}

// parse returns the update time and the expiry that a revision stands for. It
// is not ok for what is no revision of this package.
func parse(rev backend.Revision) (r record, ok bool) {
	if len(rev) != revisionSize {
		return record{}, false
	}
	return record{
		updated: time.Unix(0, int64(binary.BigEndian.Uint64(rev))),
		expires: time.UnixMicro(int64(binary.BigEndian.Uint64(rev[8:]))),
	}, true
}

// maxKey is the longest ID of a document, in bytes.
const maxKey = 1500

var errKey = fmt.Errorf("the key cannot be the ID of a document: those have 1 to %d bytes of UTF-8, no slash, and are not ., .. or __x__", maxKey)

// check returns an error for a key that Firestore does not allow.
// https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields
func check(key string) error {
	if key == "" || len(key) > maxKey || key == "." || key == ".." || strings.Contains(key, "/") || reserved(key) || !utf8.ValidString(key) {
		return errKey
	}
	return nil
}

// reserved reports whether a name is one of those that Firestore keeps for
// itself.
func reserved(name string) bool {
	return len(name) >= 4 && strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__")
}
