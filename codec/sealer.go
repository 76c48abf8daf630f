package codec

// A Sealer is a Codec whose documents are worth something in one place only.
// Package sessions calls Seal in place of Join and Open in place of Split for
// a Codec that is a Sealer, with the binding of the record: what tells it from
// every other one, in an unambiguous encoding. It need not be secret, and the
// sealed bytes do not contain it.
//
// Join and Split of a Sealer always return an error. So whoever knows nothing
// of this interface, a wrapper for instance that hides it, cannot store
// plaintext by mistake.
type Sealer interface {
	Codec

	// Seal appends the sealed document with the given entries, each key
	// once, to dst.
	Seal(dst []byte, entries []Entry, binding []byte) ([]byte, error)

	// Open checks that sealed was made by Seal with the same binding, and
	// calls yield for each of its entries as Split does. It calls yield for
	// nothing else. The slices of the entry stay valid.
	Open(sealed, binding []byte, yield func(Entry) error) error
}
