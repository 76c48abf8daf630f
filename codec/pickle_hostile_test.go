package codec

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// TestPickleClasses: everything but plain data is refused by all methods, with
// its name.
func TestPickleClasses(t *testing.T) {
	for name, value := range map[string]string{
		"posix.system":                 "cposix\nsystem\n(Vid\ntR",
		"os.system":                    "\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R",
		"builtins.eval":                "cbuiltins\neval\n(V1\ntR",
		"builtins.getattr":             "cbuiltins\ngetattr\n.",
		"subprocess.Popen":             "(S'id'\nisubprocess\nPopen\n",
		"app.models.User":              "\x8c\napp.models\x8c\x04User\x93)\x81}\x8c\x04name\x8c\x01ab",
		"collections.defaultdict":      "ccollections\ndefaultdict\n(c__builtin__\nint\ntR",
		"flask_babel.LazyString":       "(cflask_babel\nLazyString\no",
		"functools.partial":            "cfunctools\npartial\n(cos\nsystem\ntR",
		"datetime.datetime":            "cdatetime\ndatetime\n",
		"builtins.set":                 "c__builtin__\nset\n",
		"decimal.Decimal.__class__":    "\x8c\x07decimal\x8c\x11Decimal.__class__\x93",
		"datetime.datetime.now":        "\x8c\x08datetime\x8c\x0cdatetime.now\x93)R",
		"__main__.A?b":                 "c__main__\nA b\n)R",
		"m." + strings.Repeat("x", 80): "cm\n" + strings.Repeat("x", 5000) + "\n",
	} {
		value = strings.TrimSuffix(value, ".")
		doc := "\x80\x04}\x8c\x01k" + value + "s."
		if _, err := split(Pickle{}, []byte(doc)); err == nil || !strings.Contains(err.Error(), name) || len(err.Error()) > 300 {
			t.Errorf("%s: Split: %v", name, err)
		}
		if _, err := (Pickle{}).Decode([]byte(value)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: Decode: %v", name, err)
		}
		if err := (Pickle{}).DecodeInto([]byte(value), new(any)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: DecodeInto: %v", name, err)
		}
	}
}

// TestPickleCalls: an allowed class with other arguments than Python's pickler
// writes is refused.
func TestPickleCalls(t *testing.T) {
	for _, value := range []string{
		"cdatetime\ndatetime\n(I2024\nI1\nI1\ntR", "cdatetime\ndate\n(C\x04\x07\xe8\x02\x1etR", "cdatetime\ndatetime\n(C\x0a\x07\xe8\x02\x01\x18\x00\x00\x00\x00\x00tR",
		"cdatetime\ntime\n(C\x06\x00\x00\x00\x0f\x42\x40tR", "cdatetime\ntimedelta\n(I0\nI86400\ntR", "cdatetime\ntimezone\n(cdatetime\ntimedelta\n(I1\ntRtR",
		"cdecimal\nDecimal\n(Vabc\ntR", "cdecimal\nDecimal\n(V1\nV2\ntR", "cuuid\nUUID\n)R", "cuuid\nUUID\n)\x81}Vint\nI-1\nsb", "cuuid\nUUID\n)\x81", "cuuid\nUUID\n)\x81}Vhex\nI1\nsb",
		"c__builtin__\nbytes\n(I1000000000\ntR", "c__builtin__\nbytearray\n(I1000000000\ntR", "c_codecs\nencode\n(Vab\nVrot13\ntR", "c_codecs\nencode\n(V\\u0100\nVlatin1\ntR",
		"c__builtin__\ncomplex\n(I1\nI2\ntR", "c__builtin__\ngetattr\n(czoneinfo\nZoneInfo\nVno_cache\ntR", "ccopy_reg\n_reconstructor\n(cuuid\nUUID\nc__builtin__\nstr\nNtR",
		"cmarkupsafe\nMarkup\n(I1\ntR", "ccollections\nOrderedDict\n(]I1\naI2\natR", "c__builtin__\nset\n(Vabc\ntR", "c__builtin__\nset\n)\x81", "I1\n)R", "]}b", "czoneinfo\nZoneInfo\n)R",
		"c__builtin__\nobject\n)R", "\x8c\x08builtins\x8c\x03set\x93)}\x8c\x01aNs\x92",
	} {
		if v, err := (Pickle{}).Decode([]byte(value)); err == nil {
			t.Errorf("%q: decoded as %#v", value, v)
		}
		if _, err := split(Pickle{}, []byte("\x80\x04}\x8c\x01k"+value+"s.")); err == nil {
			t.Errorf("%q: split", value)
		}
	}
}

// TestPickleHostile: what no pickler writes is an error, and costs little.
func TestPickleHostile(t *testing.T) {
	bomb := "]q\x00"
	for range 40 {
		bomb = "]q\x00(h\x00h\x00e" // each list has the one before twice
	}
	tuples := ")q\x00"
	for range 60 {
		tuples += "0h\x00h\x00\x86q\x00"
	}
	lists := "]q\x00"
	for range 60 {
		lists += "0](h\x00h\x00eq\x00"
	}
	text := strings.Repeat("x", 1<<20)
	repeated := "](\x58\x00\x00\x10\x00" + text + "q\x00" + strings.Repeat("h\x00", 100) + "e"
	for name, tt := range map[string]struct {
		value string
		err   error
	}{
		"a list in itself":             {"]q\x00h\x00a", errCycle},
		"a tuple in its list":          {"]q\x00h\x00\x85a", errCycle},
		"a dict in itself":             {"}q\x00Vk\nh\x00s", errCycle},
		"a set of a tuple in itself":   {"](Nq\x00q\x01ec__builtin__\nset\n(h\x02tR", errDamaged},
		"exponential tuples":           {tuples, nil},
		"exponential lists":            {lists, nil},
		"a large text again and again": {repeated, errSize(defaultMaxSize)},
		"an index of the memo":         {"Nr\xff\xff\xff\xff", errDamaged},
		"an index that is not there":   {"h\x00", errDamaged},
		"a persistent ID":              {"Vx\nQ", errOutside},
		"a text persistent ID":         {"Pid\n", errOutside},
		"an extension":                 {"\x82\x01", errOutside},
		"a buffer":                     {"\x97", errOutside},
		"a change through the memo":    {"]q\x00h\x00Na", errState},
		"a key that is a list":         {"}]Ns", errHash},
		"a key that has a list":        {"}]\x85Ns", errHash},
		"a set of lists":               {"\x8f(]\x90", errHash},
		"4 GiB of text":                {"X\xff\xff\xff\xff", errTruncated},
		"2^63 bytes":                   {"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f", errTruncated},
		"a frame of 2^60":              {"\x95\x00\x00\x00\x00\x00\x00\x00\x10N", errTruncated},
		"depth":                        {strings.Repeat("(", 1000) + strings.Repeat("t", 1000), errDepth(defaultMaxDepth)},
		"protocol 6":                   {"\x80\x06N", errDamaged},
		"two objects":                  {"NN", errDamaged},
		"no object":                    {"", errDamaged},
		"a mark":                       {"N(", errDamaged},
		"a STOP":                       {"N.", errTrailing},
		"bytes that are no text":       {"\x8c\x01\xff", errUTF8},
		"text in Latin-1 of Python 2":  {"U\x01\xe9", errUTF8},
		"digits":                       {"L" + strings.Repeat("1", maxDigits+1) + "L\n", errDigits},
		"an odd dict":                  {"(Nd", errDamaged},
		"no such opcode":               {"\xff", errDamaged},
		"a key twice":                  {"}(Vk\nNVk\nNu", errDuplicate},
		"a key twice, in numbers":      {"}(I1\nNI01\nNu", errNaming},
		"half an escape":               {"V\\u12\n", errUTF8},
		"chained bomb":                 {bomb, errCycle},
	} {
		_, err := Pickle{}.Decode([]byte(tt.value))
		_, splits := split(Pickle{}, []byte("}Vk\n"+tt.value+"s."))
		if err == nil && splits == nil {
			t.Errorf("%s: accepted", name)
		}
		// Split leaves twins in a dict or set to Decode, which leaves cycles to its limits.
		if tt.err != nil && !errorsAre(err, tt.err) && !errorsAre(splits, tt.err) {
			t.Errorf("%s: %v, %v; want %v", name, err, splits, tt.err)
		}
		if err == nil && tt.err != errHash {
			t.Errorf("%s: Decode accepted it", name)
		}
	}
}

// errorsAre compares by text what was made for one occasion.
func errorsAre(err, want error) bool {
	return errors.Is(err, want) || err != nil && strings.Contains(err.Error(), want.Error())
}

func TestPickleDocuments(t *testing.T) {
	for name, doc := range map[string]string{
		"nothing": "", "a list": "].", "a number": "I1\n.", "a key that is no text": "}(I1\nNu.", "a key twice": "}(Va\nNVa\nNu.",
		"an OrderedDict": "ccollections\nOrderedDict\n)R.", "more behind": "}.}", "no STOP": "}", "two": "}}.", "JSON": `{"a":1}`,
	} {
		if entries, err := split(Pickle{}, []byte(doc)); err == nil {
			t.Errorf("%s: %d entries", name, len(entries))
		}
	}
	if _, err := (Pickle{Protocol: 6}).Join(nil, nil); err == nil {
		t.Error("protocol 6 was written")
	}
	if _, err := (Pickle{Protocol: 6}).Append(nil, 1); err == nil {
		t.Error("protocol 6 was written")
	}
	if _, err := (Pickle{}).Join(nil, []Entry{{Key: []byte("\xff"), Raw: []byte("N")}}); err == nil {
		t.Error("a key that is no text was written")
	}
	// What keys share is in each.
	doc := "\x80\x04}\x94(\x8c\x01a\x94]\x94K\x01a\x8c\x01bh\x02\x8c\x01c]\x94(h\x02h\x02eu."
	entries, err := split(Pickle{}, []byte(doc))
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for i, want := range []any{[]any{1}, []any{1}, []any{[]any{1}, []any{1}}} {
		if got, err := (Pickle{}).Decode(entries[i].Raw); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("entry %d: %#v, %v", i, got, err)
		}
	}
	if plain, _ := (Pickle{}).Append(nil, []any{1}); !bytes.Equal(entries[1].Raw, plain) {
		t.Errorf("%q, not %q", entries[1].Raw, plain)
	}
}

func TestPickleLimits(t *testing.T) {
	c := Pickle{MaxDepth: 2, MaxElements: 3, MaxSize: 100}
	for _, v := range []any{[]any{[]any{[]any{}}}, []any{1, 2, 3, 4}, []any{Tuple{1, 2}, 3}, map[string]any{"a": []any{1, 2, 3}}, strings.Repeat("x", 101), bytes.Repeat([]byte{1}, 101)} {
		if _, err := c.Append(nil, v); err == nil {
			t.Errorf("%v was encoded", v)
		}
		raw, err := Pickle{}.Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Decode(raw); err == nil {
			t.Errorf("%v was decoded", v)
		}
		doc, err := Pickle{}.Join(nil, []Entry{{Key: []byte("k"), Raw: raw}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := split(c, doc); err == nil {
			t.Errorf("%v was split", v)
		}
	}
	if _, err := (Pickle{MaxElements: 1}).Decode(bytes.Repeat([]byte("N0"), 1<<17)); !errorsAre(err, errElements(1<<16)) {
		t.Errorf("65537 objects: %v", err)
	}
	var entries []Entry
	for i := range 4 {
		entries = append(entries, Entry{Key: []byte{byte('a' + i)}, Raw: []byte("N")})
	}
	if _, err := c.Join(nil, entries); err == nil {
		t.Error("4 keys were joined")
	}
	doc, _ := Pickle{}.Join(nil, entries)
	if _, err := split(c, doc); err == nil {
		t.Error("4 keys were split")
	}
	if doc, err := c.Join(nil, entries[:3]); err != nil {
		t.Error(err)
	} else if got, err := split(c, doc); err != nil || len(got) != 3 {
		t.Errorf("%d entries, %v", len(got), err)
	}
}
