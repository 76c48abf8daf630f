// Package codec turns the keys and values of a session into bytes and back.
//
// A session is stored as one document: an ordered list of keys, each with its
// value. Package sessions takes a document apart without decoding the values,
// decodes a value when a handler asks for it, encodes a value when it was
// changed, and copies the rest: so the cost of a request depends on the keys
// it uses and not on the size of the session.
//
// [MessagePack] is the default, as it keeps Go types; [JSON] can be read by
// people; [Encrypted] keeps the documents of another codec secret.
//
// MessagePack has the functions of github.com/tinylib/msgp write and read the
// single values and does the rest here, as no library keeps Go types. The
// choice was measured. Writing and reading one int or string takes 15 to 70
// times as long as with msgp's functions, and 5 to 8 allocations instead of
// none, with shamaton/msgpack 2.4.0, vmihailenco/msgpack 5.4.1 and
// ugorji/go/codec 1.3.2. Finding one key, among 10 or in 64 KiB, takes 5
// times as long with vmihailenco's streaming decoder and 15 to 20 times with
// the other two, which decode or index everything. And five bytes that promise
// a list of 2^32 elements made vmihailenco's decoder ask for 64 GiB, where
// msgp's functions allocate nothing.
//
// Pickle is code of this package. The libraries, kisielk/og-rek 1.3.0 and
// nlpodyssey/gopickle 0.2.0, are for pickles that are trusted, and make Go
// values of everything in one. Nine bytes that promise a text of 2^40 made
// gopickle ask for 1 TiB. Of 234 sessions that Python has pickled, in all
// protocols, gopickle reads 178 and og-rek 224, which does not know the opcodes of
// sets; a datetime is a call of a function for it, and a tuple, set or
// Decimal is not written as one again by either. Splitting 64 KiB takes half
// the time of theirs here, and 17 allocations where they take 6000, as no
// value is made.
//
// To measure this package:
//
//	go test -run '^$' -bench . ./codec
package codec

// A Codec is a format for session data. Its methods may be called by any
// number of goroutines at once and keep no reference to their arguments.
//
// The data that a Codec reads may have been damaged or written by an
// attacker: every method returns an error for it, within memory and time in
// proportion to its length, and never panics. The errors hold no data.
type Codec interface {
	// Append appends the encoding of the value v to dst. It returns an
	// error for a value that the format cannot bring back.
	Append(dst []byte, v any) ([]byte, error)

	// Decode returns the value that was encoded as raw, with the Go type
	// that the format says.
	Decode(raw []byte) (any, error)

	// DecodeInto decodes raw into the variable that the non-nil pointer p
	// points to. It returns an error, and may have changed the variable,
	// when the value does not fit the variable's type without loss.
	DecodeInto(raw []byte, p any) error

	// Split checks the structure of a whole document and calls yield for
	// each of its entries, in order, each key once. The slices of the entry
	// are parts of doc or fresh; they stay valid as long as doc does. An
	// error of yield ends the walk and is returned as it is.
	Split(doc []byte, yield func(Entry) error) error

	// Join appends the document with the given entries, each key once, to
	// dst.
	Join(dst []byte, entries []Entry) ([]byte, error)
}

// A Span is where an entry is in a document that holds keys and values as they
// are: the key from Key to Raw, the encoded value from Raw to End.
type Span struct{ Key, Raw, End uint32 }

// Of returns the entry in the document.
func (s Span) Of(doc []byte) Entry {
	return Entry{Key: doc[s.Key:s.Raw:s.Raw], Raw: doc[s.Raw:s.End:s.End]}
}

// An Entry is one key of a document with its encoded value. Neither slice may
// be changed.
type Entry struct {
	redacted // shows neither

	Key []byte // UTF-8, by convention
	Raw []byte // as Append encoded it
}
