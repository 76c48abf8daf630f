package codec

import "time"

// What Python has and Go has not. The codecs whose data Python programs share,
// [Pickle], [FlaskMessagePack] and [FlaskJSON], give these types for it, and
// write it for these types. The other codecs write them too: as lists, texts
// and bytes.
type (
	// A Tuple is a Python tuple.
	Tuple []any

	// A Set is a Python set, in no particular order.
	Set []any

	// A FrozenSet is a Python frozenset, in no particular order.
	FrozenSet []any

	// A Dict is a Python dict with a key that is not a string, in its
	// order. A dict of which all keys are strings is a map[string]any.
	Dict []Item

	// An OrderedDict is a collections.OrderedDict.
	OrderedDict []Item

	// A ByteArray is a Python bytearray; bytes are a []byte.
	ByteArray []byte

	// A Decimal is the text of a decimal.Decimal, such as 12.340.
	Decimal string

	// A Markup is a markupsafe.Markup: HTML that is not to be escaped, as a
	// flash message may be.
	Markup string
)

// An Item is one key of a [Dict] or [OrderedDict] with its value.
type Item struct{ Key, Value any }

// Naive is the location of a datetime that has no time zone, which Python
// calls naive. The codecs that Python programs share give a [time.Time] in
// this location for it, and write it for one. For Go such a time is as in
// UTC; what Python means by it only its programmer knows, often local time.
// [time.Time.UTC] makes it one that has a zone.
var Naive = time.FixedZone("naive", 0)

// naiveFold is Naive for a datetime with fold=1: the second of the two with
// this text in the night in which clocks are put back.
var naiveFold = time.FixedZone("naive, fold", 0)

// isNaive tells whether a time stands for a datetime without a time zone.
func isNaive(t time.Time) bool { return t.Location() == Naive || t.Location() == naiveFold }

// Get returns the value of a key, which is compared by ==, or nil.
func (d Dict) Get(key any) any { return getItem(d, key) }

// Get returns the value of a key, which is compared by ==, or nil.
func (d OrderedDict) Get(key any) any { return getItem(d, key) }

func getItem(items []Item, key any) any {
	for i := range items {
		if equalKeys(items[i].Key, key) {
			return items[i].Value
		}
	}
	return nil
}

// equalKeys compares what can be compared.
func equalKeys(a, b any) bool {
	defer func() { _ = recover() }() // a type that cannot be compared is not equal
	return a == b
}
