package codec

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
)

// Reads returns a Codec that writes the format of first, and reads that of
// first and of each of the others, which it tries in their order. With it live
// sessions move from one format to another: deploy Reads(new, old), and new
// alone when the last session that was saved before has expired. As long as a
// program runs that reads only the old format, use Reads(old, new).
//
// A document of another format keeps the types of its values as long as it is
// only read. When the session is changed, all of it is written in the format
// of first: each value as first writes what Decode of the other gives, a
// tuple of a [Pickle], for instance, as a list of [MessagePack]. For a value that first
// cannot hold Join returns an error: nothing is stored, and what was there
// stays, until that key is set anew or removed.
//
// If first or one of the others is a [Sealer], the Codec is one, too. It seals
// if first does, else it writes what first does. It opens what any Sealer
// of the chain has sealed, and reads what is in the format of another Codec.
// So as long as a Codec that does not encrypt is in the chain, somebody who can write to the
// store can make sessions up, as without encryption.
//
// A document that first can read costs no more than with first alone. A Codec
// that is nil can neither read nor write: it is an error of each method that
// needs it.
func Reads(first Codec, others ...Codec) Codec {
	c := &chain{codecs: append([]Codec{first}, others...)}
	seals := false
	for i, each := range c.codecs {
		if each == nil {
			c.codecs[i] = missing{}
		}
		_, is := each.(Sealer)
		seals = seals || is
	}
	_, _ = rand.Read(c.mark[:]) // ends the program rather than fail
	if seals {
		return &sealingChain{c}
	}
	return c
}

// A chain is what Reads returns.
//
// The Raw of an entry of another format is a mark, the number of its codec in
// the chain and what the codec has as Raw. The mark is random, so that no
// stored data begin with it. Join converts these, and Append never writes
// them: they are not stored.
type chain struct {
	redacted
	codecs []Codec
	mark   [16]byte
}

// foreign returns the codec for a Raw, and what it has as Raw.
func (c *chain) foreign(raw []byte) (Codec, []byte) {
	n := len(c.mark)
	if len(raw) > n && bytes.Equal(raw[:n], c.mark[:]) && int(raw[n]) < len(c.codecs) {
		return c.codecs[raw[n]], raw[n+1:]
	}
	return c.codecs[0], raw
}

func (c *chain) Append(dst []byte, v any) ([]byte, error) { return c.codecs[0].Append(dst, v) }

func (c *chain) Decode(raw []byte) (any, error) {
	codec, raw := c.foreign(raw)
	return codec.Decode(raw)
}

func (c *chain) DecodeInto(raw []byte, p any) error {
	codec, raw := c.foreign(raw)
	return codec.DecodeInto(raw, p)
}

func (c *chain) Join(dst []byte, entries []Entry) ([]byte, error) {
	entries, err := c.convert(entries)
	if err != nil {
		return dst, err
	}
	return c.codecs[0].Join(dst, entries)
}

// convert returns the entries in the format of first.
func (c *chain) convert(entries []Entry) ([]Entry, error) {
	own := entries
	for i := range entries {
		codec, raw := c.foreign(entries[i].Raw)
		if len(raw) == len(entries[i].Raw) {
			continue
		}
		v, err := codec.Decode(raw)
		if err == nil {
			raw, err = c.codecs[0].Append(nil, v)
		}
		if err != nil {
			return nil, fmt.Errorf("codec: a value that was stored in another format: %w", err)
		}
		if &own[0] == &entries[0] {
			own = append([]Entry(nil), entries...)
		}
		own[i].Raw = raw
	}
	return own, nil
}

func (c *chain) Split(doc []byte, yield func(Entry) error) error {
	return c.read(yield, func(codec Codec, yield func(Entry) error) error {
		return codec.Split(doc, yield)
	})
}

// gathered keeps slices for the entries of a document until all of it was
// found to be good.
var gathered = sync.Pool{New: func() any { return new([]Entry) }}

// read yields the entries that the first codec to do without an error finds.
func (c *chain) read(yield func(Entry) error, split func(Codec, func(Entry) error) error) error {
	list := gathered.Get().(*[]Entry)
	defer func() {
		clear(*list)
		*list = (*list)[:0]
		gathered.Put(list)
	}()
	var failed error
	for i, codec := range c.codecs {
		*list = (*list)[:0]
		err := split(codec, func(e Entry) error {
			*list = append(*list, e)
			return nil
		})
		switch {
		case err != nil && failed == nil:
			failed = err
			continue
		case err != nil:
			failed = fmt.Errorf("%w; %w", failed, err)
			continue
		}
		for _, e := range *list {
			if i > 0 {
				e.Raw = append(append(c.mark[:len(c.mark):len(c.mark)], byte(i)), e.Raw...)
			}
			if err := yield(e); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("codec: no format of the chain reads it: %w", failed)
}

// A sealingChain is a chain with a Sealer in it.
type sealingChain struct{ *chain }

var _ Sealer = (*sealingChain)(nil)

// Join returns an error: see [Sealer].
func (c *sealingChain) Join([]byte, []Entry) ([]byte, error) { return nil, errUnsealed }

// Split returns an error: see [Sealer].
func (c *sealingChain) Split([]byte, func(Entry) error) error { return errUnsealed }

// Seal appends a document of first.
func (c *sealingChain) Seal(dst []byte, entries []Entry, binding []byte) ([]byte, error) {
	sealer, is := c.codecs[0].(Sealer)
	if !is {
		return c.chain.Join(dst, entries)
	}
	entries, err := c.convert(entries)
	if err != nil {
		return dst, err
	}
	return sealer.Seal(dst, entries, binding)
}

// Open opens a document that a Sealer of the chain has sealed with the
// binding, or splits one of another format.
func (c *sealingChain) Open(sealed, binding []byte, yield func(Entry) error) error {
	return c.read(yield, func(codec Codec, yield func(Entry) error) error {
		if sealer, is := codec.(Sealer); is {
			return sealer.Open(sealed, binding, yield)
		}
		return codec.Split(sealed, yield)
	})
}

// missing is in the place of a Codec that is nil.
type missing struct{}

var errMissing = errors.New("codec: Reads was given a Codec that is nil")

func (missing) Append(dst []byte, _ any) ([]byte, error)   { return dst, errMissing }
func (missing) Decode([]byte) (any, error)                 { return nil, errMissing }
func (missing) DecodeInto([]byte, any) error               { return errMissing }
func (missing) Split([]byte, func(Entry) error) error      { return errMissing }
func (missing) Join(dst []byte, _ []Entry) ([]byte, error) { return dst, errMissing }
