package codec

import (
	"errors"
	"fmt"
)

// Pickle is the format in which Flask-Session2 and cachelib keep a session: one
// dict, by Python's module pickle. It is for programs that share sessions with
// Python. The zero value writes protocol 4. Its methods may be called by any
// number of goroutines at once.
//
// A pickle is a program that can call anything in Python. Here nothing is
// called: a pickle that names a class or function that is not in this table
// is refused, by all methods, with an error that names it. So are persistent
// IDs, extension codes, buffers that are kept elsewhere, and what contains
// itself. All protocols are read, whichever is written.
//
// Decode gives, and these Go types are written as:
//
//		None                    nil
//		bool                    bool
//		int                     int; if too large int64, uint64, *big.Int
//		float, complex          float64, complex128
//		str                     string
//		bytes, bytearray        []byte, ByteArray
//		list                    []any
//		tuple, set, frozenset   Tuple, Set, FrozenSet
//		dict                    map[string]any; with other keys Dict
//		OrderedDict             OrderedDict
//		datetime                time.Time; without a time zone in Naive
//		date, time              Date, Clock
//		timedelta               time.Duration; if too long TimeDelta
//		Decimal, UUID, Markup   Decimal, UUID, Markup
//
//	  - Times lose what is below a microsecond when they are written, as
//	    Python's clocks have no nanoseconds: time.Now() comes back a little
//	    earlier. A Duration with nanoseconds is an error; round it.
//	  - A time is written with its zone's offset and abbreviation. A datetime of
//	    a zoneinfo.ZoneInfo is read as a time in the location of that name, if
//	    this machine's database has it, and written as what it was.
//	  - A str may hold half a surrogate pair. It is three bytes in the string
//	    then, which are not UTF-8 for Go. No other string that is not UTF-8 can
//	    be written; use []byte.
//	  - Other Go types are written as [MessagePack] writes them: named types as
//	    their kind, structs as dicts, by the tag session:"name", types with the
//	    methods of encoding.TextMarshaler and TextUnmarshaler as str. A *big.Int
//	    is an int, an array a list, a nil slice, map or pointer None. A map may
//	    have integers, floats or bools as keys. What Python has nothing for, as
//	    functions and channels, is an error that names the type.
//	  - Elements of a set and keys of a dict must be of types that Python can
//	    hash, and differ for Python: 1, 1.0 and True do not.
//
// DecodeInto converts further when nothing is lost: numbers as that of
// MessagePack does; a tuple, set or frozenset to a slice or array; a Markup,
// Decimal, UUID, Date or Clock to a string and to types with UnmarshalText; a
// UUID to a [16]byte; a date to a time in Naive; a dict to a struct, and to a
// map with keys of any of the types above.
//
// An Entry's Raw is a pickle without its beginning and end, and complete:
// what a value shares with those of other keys is in each. Values that are
// not decoded keep all that Python has put into them, also what their Go
// types do not hold. Append sorts the keys of maps: equal values have equal
// encodings.
type Pickle struct {
	// Protocol is the protocol that is written, 1 to 5. Zero means 4, which
	// Python reads from 3.4 on. For protocol 0, which Flask-Session2
	// writes to memcached, it is PickleProtocol0. With any other number
	// Append, Split and Join return an error.
	Protocol int

	// MaxDepth is how many containers a value may have inside one
	// another. Zero or less means 64.
	MaxDepth int

	// MaxElements is how many elements and entries the containers of one
	// value may have together, where what is shared counts each time, and
	// how many keys a document may have. Zero or less means 1<<20. A
	// document is of 16 times as many objects at most, for Split.
	MaxElements int

	// MaxSize is the largest size of a document, in bytes, and so of a
	// value. Zero or less means 64 MiB; the most is 2 GiB - 1.
	MaxSize int
}

var _ Codec = Pickle{}

// PickleProtocol0 is the Protocol of a [Pickle] that writes protocol 0, which is
// text.
const PickleProtocol0 = -1

// The protocols of Python 3.8 to 3.14.
const (
	defaultProtocol = 4
	maxProtocol     = 5
)

var errProtocol = errors.New("the protocol is none; use 1 to 5, 0 for 4, or PickleProtocol0 for 0")

func (c Pickle) limits() limits { return newLimits(c.MaxDepth, c.MaxElements, c.MaxSize) }

// protocol returns the protocol that is written.
func (c Pickle) protocol() (int, error) {
	switch {
	case c.Protocol == 0:
		return defaultProtocol, nil
	case c.Protocol == PickleProtocol0:
		return 0, nil
	case c.Protocol < 0 || c.Protocol > maxProtocol:
		return 0, errProtocol
	}
	return c.Protocol, nil
}

// Append implements [Codec]. When it fails it returns dst unchanged in
// length, with an error that names the Go type that is to blame.
func (c Pickle) Append(dst []byte, v any) ([]byte, error) {
	protocol, err := c.protocol()
	e := pickleEncoder{pickleWriter: pickleWriter{buf: dst, protocol: protocol}, meter: newMeter(len(dst), c.limits())}
	if err == nil {
		err = e.any(v, 0)
	}
	if err == nil {
		err = e.room(0)
	}
	if err != nil {
		return dst, fmt.Errorf("codec: pickle: encode: %w", err)
	}
	return e.buf, nil
}

// Decode implements [Codec].
func (c Pickle) Decode(raw []byte) (any, error) {
	v, err := c.decode(raw)
	if err != nil {
		return nil, fmt.Errorf("codec: pickle: decode: %w", err)
	}
	return v, nil
}

func (c Pickle) decode(raw []byte) (any, error) {
	v := valuer{limits: c.limits()}
	if len(raw) > v.limits.size {
		return nil, errSize(v.limits.size)
	}
	m := newMachine(raw, v.limits)
	i, err := m.run(false)
	if err != nil {
		return nil, err
	}
	v.tape = &m.tape
	return v.of(i, 0)
}

// DecodeInto implements [Codec]. An error names the two types that do not
// fit, never a value.
func (c Pickle) DecodeInto(raw []byte, p any) error {
	v, err := c.decode(raw)
	if err == nil {
		err = assigner{}.pointer(p, v)
	}
	if err != nil {
		return fmt.Errorf("codec: pickle: decode: %w", err)
	}
	return nil
}
