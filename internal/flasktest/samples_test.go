package flasktest

import (
	"strings"
	"time"
)

// A sample is a value that a session may have.
type sample struct {
	name  string
	value tag
}

// samples are values of every type that the formats are to keep. A name is
// the key as well, so that no key has values of two types: an index of
// Elasticsearch would refuse the second.
var samples = []sample{
	{"str", str("hello")},
	{"str empty", str("")},
	{"str unicode", str("héllo 世界 😀")},
	{"str escapes", str("quote \" back\\slash / nl\n tab\t nul\x00 del\x7f <b>&amp;</b> \u2028")},
	{"str 300", str(strings.Repeat("x", 300))},
	{"schlüssel 鍵 😀", str("a key that is not ASCII")},
	{"int 0", num(0)},
	{"int 255", num(255)},
	{"int 65535", num(65535)},
	{"int -1", num(-1)},
	{"int -129", num(-129)},
	{"int 2**31", num(1 << 31)},
	{"int max64", text("int", "9223372036854775807")},
	{"int min64", text("int", "-9223372036854775808")},
	{"int maxu64", text("int", "18446744073709551615")},
	{"int 30 digits", text("int", "123456789012345678901234567890")},
	{"int -30 digits", text("int", "-123456789012345678901234567890")},
	{"int 300 digits", text("int", strings.Repeat("1234567890", 30))},
	{"float", text("float", "0.1")},
	{"float whole", text("float", "3.0")},
	{"float large", text("float", "1e+300")},
	{"float -0", text("float", "-0.0")},
	{"float inf", text("float", "inf")},
	{"float nan", text("float", "nan")},
	{"bool", tag{"t": "bool", "v": true}},
	{"bool false", tag{"t": "bool", "v": false}},
	{"none", tag{"t": "none"}},
	{"bytes", tag{"t": "bytes", "hex": "00ff68c3"}},
	{"bytes empty", tag{"t": "bytes", "hex": ""}},
	{"bytearray", tag{"t": "bytearray", "hex": "6261"}},
	{"list", list("list", num(1), str("two"), text("float", "3.0"), tag{"t": "none"}, list("list", num(4)))},
	{"list empty", list("list")},
	{"list ints", list("list", num(1), num(2), num(300))},
	{"list strs", list("list", str("a"), str("b"))},
	{"list of tuples", list("list", list("tuple", str("a"), num(1)), list("tuple", str("b"), num(2)))},
	{"tuple empty", list("tuple")},
	{"tuple 1", list("tuple", num(1))},
	{"tuple 2", list("tuple", str("a"), list("tuple", num(1), num(2)))},
	{"tuple 4", list("tuple", num(1), num(2), num(3), num(4))},
	{"set", list("set", num(7))},
	{"set empty", list("set")},
	{"set 3", list("set", str("a"), str("b"), str("c"))},
	{"set of tuples", list("set", list("tuple", num(1), num(2)))},
	{"frozenset", list("frozenset", num(9))},
	{"dict", dict("dict", "a", num(1), "b", dict("dict", "c", list("list")))},
	{"dict empty", dict("dict")},
	{"dict int keys", dict("dict", num(1), str("one"), num(2), str("two"))},
	{"dict mixed keys", dict("dict", "a", num(1), num(2), str("two"))},
	{"dict tuple keys", dict("dict", list("tuple", num(1), num(2)), str("both"))},
	{"OrderedDict", dict("OrderedDict", "z", num(1), "a", num(2))},
	{"datetime", moment("2024-02-29T13:14:15")},
	{"datetime micro", moment("2024-02-29T13:14:15.123456")},
	{"datetime fold", tag{"t": "datetime", "v": "2024-10-27T02:30:00", "utcoffset_s": nil, "fold": 1}},
	{"datetime utc", moment("2024-02-29T13:14:15+00:00")},
	{"datetime utc micro", moment("2024-02-29T13:14:15.000001+00:00")},
	{"datetime +05:30", moment("2024-02-29T13:14:15+05:30")},
	{"datetime -03:00", moment("2024-02-29T13:14:15.500000-03:00")},
	{"datetime 1960", moment("1960-01-02T03:04:05.000006+00:00")},
	{"datetime year 1", moment("0001-01-01T00:00:00")},
	{"datetime year 9999", moment("9999-12-31T23:59:59.999999+00:00")},
	{"date", text("date", "2024-02-29")},
	{"time", clock("13:14:15")},
	{"time micro", clock("13:14:15.123456")},
	{"time +01:00", clock("13:14:15+01:00")},
	{"timedelta", delta(1, 2, 3)},
	{"timedelta 0", delta(0, 0, 0)},
	{"timedelta negative", delta(-1, 86399, 999999)},
	{"timedelta ages", delta(999999999, 0, 0)},
	{"Decimal", text("Decimal", "12.340")},
	{"Decimal large", text("Decimal", "-1E+30")},
	{"UUID", text("UUID", "12345678-1234-5678-1234-567812345678")},
	{"Markup", text("Markup", "<b>bold</b>")},
	{"nested", dict("dict", "users", list("list", dict("dict", "name", str("ada"), "tags", list("set", str("x")), "when", moment("2024-02-29T13:14:15"))))},
}

func moment(iso string) tag { return timed("datetime", iso) }
func clock(iso string) tag  { return timed("time", iso) }

// timed returns the tag of a time in ISO format.
func timed(typ, iso string) tag {
	g := tag{"t": typ, "v": iso, "utcoffset_s": nil}
	for _, format := range []string{isoDay, isoClock} {
		if t, err := time.Parse(format+isoZone, iso); err == nil {
			_, g["utcoffset_s"] = t.Zone()
		}
	}
	return g
}

func delta(days, seconds, microseconds int) tag {
	return tag{"t": "timedelta", "days": float64(days), "seconds": float64(seconds), "microseconds": float64(microseconds)}
}
