package backend

import (
	"errors"
	"fmt"
)

// The errors that every Backend reports in the same way. Test for them with
// errors.Is: backends wrap them with the operation that failed.
var (
	// ErrNotFound: there is no record under the key, or it has expired.
	ErrNotFound = errors.New("no such record")

	// ErrExists: Create found a record under the key.
	ErrExists = errors.New("record exists")

	// ErrConflict: the record was changed since the given revision.
	ErrConflict = errors.New("record was changed meanwhile")

	// ErrTooLarge: the store cannot hold a value of this size. Nothing was
	// sent and the stored record is as before. The text names the limit.
	ErrTooLarge = errors.New("value too large for the store")

	// ErrFull: a limit on the number of records is reached and none of them
	// has expired. Live records are never evicted to make room.
	ErrFull = errors.New("store is full")

	// ErrCorrupt: what the store holds under the key is damaged or is not
	// what this backend writes. It is left as it is.
	ErrCorrupt = errors.New("stored record is corrupt")

	// ErrClosed: the backend was closed.
	ErrClosed = errors.New("backend is closed")

	// ErrNotConfigured: there is no store, as none was configured.
	ErrNotConfigured = errors.New("no session store is configured")

	// ErrNoIndex: the store cannot find the records of an owner. The text
	// says why.
	ErrNoIndex = errors.New("store keeps no index of users")
)

// TooLarge returns an ErrTooLarge that names the sizes, in bytes.
func TooLarge(size, limit int) error {
	return fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, size, limit)
}
