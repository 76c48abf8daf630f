package backend

import "context"

// An Indexer is a Backend that can find the records of an owner, so that all
// sessions of a user can be listed and ended.
type Indexer interface {
	Backend

	// Indexed returns a view of the store through which records are written
	// for an owner: 1 to 64 of the characters A-Z, a-z, 0-9, '-' and '_'. It
	// does no I/O. The error is an [ErrNoIndex] that says why, for a store
	// that keeps no index, or not in the layout in use. It does not depend
	// on the owner.
	Indexed(owner string) (Index, error)
}

// An Index is a view of a [Backend] on the same records, which notes the owner
// of what is written through it. A Create, Update or Touch of the view does
// what that of the Backend does, and when it has returned nil, Owned lists the
// key, in every process. One that fails may have changed the index, but no
// record.
//
//   - The owner of a record is that of the view that has written it last. An
//     Update or Touch of the Backend itself leaves it as it is. But whoever
//     makes a record live longer than it would, by more than a few seconds,
//     does so through the view, so that what the index holds may expire too.
//   - The index need not be written together with the record. What counts is
//     when a method returns: a record whose Create is under way may be listed
//     or not, and one that has got another owner may still be listed for the
//     one before. So the caller compares what the record itself says.
//   - A record that was deleted, through the view or not, or that has expired
//     is not listed, and what the index holds of it goes in the end without a
//     look at the whole store: with the record, when the owner's next record
//     is written, when Owned is called, or by the store's own expiry or Sweep.
//   - An Index is for any number of goroutines at once, costs nothing, and
//     needs not be closed.
type Index interface {
	Backend

	// Owned returns the keys of the owner's records, each once, in no
	// particular order. It takes time and memory for these only. It sees
	// every write that had returned when it was called.
	//
	// Where the store cannot look at all of its index at one moment, a
	// record that is copied to a new key and then deleted, while Owned is
	// running, may be listed under neither. It is listed by one of two calls
	// that follow one another.
	Owned(ctx context.Context) ([]string, error)
}
