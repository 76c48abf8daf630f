// Package backend defines what a session store must do.
//
// A Backend keeps opaque bytes under a key, for a time, and changes them only
// by compare-and-swap. It knows nothing of HTTP, of cookies or of how the
// bytes are encoded; package sessions owns all of that. Handlers never call a
// Backend themselves.
//
// To write a new one, implement [Backend], add the optional interfaces that
// the store can honour ([Sweeper], [Lister], [Indexer], [Pinger], [io.Closer]), and run
// package backendtest against the real store.
package backend

import (
	"context"
	"time"
)

// A Backend is a session store. All methods may be called by any number of
// goroutines at once.
//
// The rules that keep a logged-out session dead are these three: Create never
// overwrites, Update never creates, and the callers never use a key twice.
//
//   - A record past its expiry does not exist, for every method, whatever the
//     store's own removal of expired records does or when it does it.
//   - Time to live is relative, at least one second, at most [MaxTTL]. A
//     backend may round it up to the store's resolution, never below it.
//   - Data is any bytes. A backend keeps no reference to the slice it was
//     given after the method returns unless it only reads it: the caller must
//     not change it either.
//   - A method that returns an error wraps one of the errors of this package
//     where one applies; any other error means that the store could not be
//     reached or did not answer in time, and that a write may or may not have
//     happened. An error's text holds no key and no data.
//   - A context that is already done is answered with its error before the
//     store is asked. A deadline bounds the call.
//   - A backend that holds resources of its own is an [io.Closer]. Close
//     releases what the backend opened, never a client that the caller passed
//     in, and may be called more than once; afterwards every method returns
//     ErrClosed.
type Backend interface {
	// Load returns the record stored under key, or ErrNotFound.
	Load(ctx context.Context, key string) (Record, error)

	// Create stores data under a key that is not in use and returns the
	// revision stored. It returns ErrExists, and changes nothing, when the
	// key is in use; but when the record holds exactly data it returns nil,
	// because then it was this call that stored it and the reply was lost
	// (package sessions writes a random token into every record, so equal
	// bytes mean the same write).
	Create(ctx context.Context, key string, data []byte, ttl time.Duration) (Revision, error)

	// Update replaces the record under key if it still is at revision base,
	// in one step of the store, and sets its time to live. It returns
	// ErrConflict when the record was changed since, also by a writer that
	// knows nothing of revisions, and ErrNotFound when it is gone; both
	// change nothing. As with Create, a record that already holds exactly
	// data is a success.
	Update(ctx context.Context, key string, data []byte, ttl time.Duration, base Revision) (Revision, error)

	// Touch makes the record under key live for ttl from now unless it
	// already lives longer. It changes no data, and no revision where the
	// store lets it: then an Update based on a revision from before the
	// touch still succeeds; elsewhere it is a conflict, which costs the
	// caller a retry. It returns ErrNotFound, and creates nothing, when
	// there is no record.
	Touch(ctx context.Context, key string, ttl time.Duration) error

	// Delete removes the record under key. With a zero base it removes
	// whatever is there, and an absent record is no error. With another
	// base it removes the record only if it still is at that revision, and
	// returns ErrConflict or ErrNotFound as Update does.
	Delete(ctx context.Context, key string, base Revision) error
}

// MaxTTL is the longest time to live that a Backend must honour: ten years of
// 366 days.
const MaxTTL = 10 * 366 * 24 * time.Hour

// A Record is what a Backend has stored under one key. Formatted, logged or
// encoded it shows nothing.
type Record struct {
	redacted

	// Data is the stored bytes. It must not be changed: it may be the
	// backend's own copy.
	Data []byte

	// Revision identifies the stored state for Update and Delete.
	Revision Revision

	// Expires is when the record will be gone unless it is updated or
	// touched. The zero time means that the store does not say.
	Expires time.Time
}

// A Revision identifies one stored state of one record. Only the backend that
// made it can read it; to everybody else it is opaque and must not be changed.
// The zero Revision, nil, identifies no state.
//
// A store without a revision of its own (an ETag, a version column, a CAS
// number) uses what it has stored: either a digest of the bytes, or simply
// the very slice that it returns as Data, which costs nothing until it is
// compared.
type Revision []byte

// A Sweeper is a Backend whose store does not remove expired records by
// itself.
type Sweeper interface {
	// Sweep removes at most limit expired records and returns how many it
	// removed; fewer than limit means that it found no more. It never
	// removes a record that was extended meanwhile, and several processes
	// may sweep one store at once.
	Sweep(ctx context.Context, limit int) (removed int, err error)
}

// A Lister is a Backend that can enumerate its records.
type Lister interface {
	// List returns up to limit keys that begin with prefix, and the cursor
	// for the next page: empty after the last. The first page's cursor is
	// empty. Memory use is bounded by the page, not by the store. A record
	// that exists during the whole enumeration is listed at least once;
	// expired records may be listed.
	List(ctx context.Context, prefix, cursor string, limit int) (keys []string, next string, err error)
}

// A Pinger is a Backend that can tell cheaply whether its store answers.
type Pinger interface {
	// Ping returns nil when the store answers.
	Ping(ctx context.Context) error
}
