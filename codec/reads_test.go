package codec

import (
	"bytes"
	"errors"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// documentOf returns a document of one codec, its keys sorted.
func documentOf(t testing.TB, c Codec, values map[string]any) []byte {
	t.Helper()
	return document(t, c, values, slices.Sorted(maps.Keys(values))...)
}

var sessionValues = map[string]any{"_permanent": true, "n": 7, "name": "Zoë", "list": []any{1, "a", nil}}

func TestReads(t *testing.T) {
	formats := []Codec{MessagePack{}, JSON{}, Pickle{}, Pickle{Protocol: PickleProtocol0}, FlaskMessagePack{}, FlaskJSON{}}
	for _, first := range formats {
		c := Reads(first, formats...)
		for _, other := range formats {
			doc := documentOf(t, other, sessionValues)
			entries, err := split(c, doc)
			if err != nil || len(entries) != len(sessionValues) {
				t.Fatalf("%T with %T: %d entries, %v", first, other, len(entries), err)
			}
			got := map[string]any{}
			for _, e := range entries {
				if got[string(e.Key)], err = c.Decode(e.Raw); err != nil {
					t.Errorf("%T with %T: %v", first, other, err)
				}
			}
			if !reflect.DeepEqual(got, sessionValues) {
				t.Errorf("%T with %T: %v", first, other, got)
			}
			var n int
			for _, e := range entries {
				if string(e.Key) == "n" && (c.DecodeInto(e.Raw, &n) != nil || n != 7) {
					t.Errorf("%T with %T: decoded into %d", first, other, n)
				}
			}
			// What is written is of the first format, all of it.
			joined, err := c.Join(nil, entries)
			if err != nil {
				t.Fatalf("%T with %T: %v", first, other, err)
			}
			if want := documentOf(t, first, sessionValues); !bytes.Equal(joined, want) {
				t.Errorf("%T with %T: joined as %q, not as %q", first, other, joined, want)
			}
		}
	}
}

// A value keeps its type until the session is saved, and one that the first
// format cannot hold keeps the session from being saved.
func TestReadsValueOfAnotherFormat(t *testing.T) {
	huge := new(big.Int).Lsh(big.NewInt(1), 70)
	doc := documentOf(t, Pickle{}, map[string]any{"big": huge, "tuple": Tuple{1, "a"}})
	c := Reads(FlaskMessagePack{}, Pickle{})
	entries, err := split(c, doc)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := c.Decode(entries[1].Raw); err != nil || !reflect.DeepEqual(v, Tuple{1, "a"}) {
		t.Errorf("%#v, %v", v, err)
	}
	if _, err := c.Join(nil, entries); !errors.Is(err, errWide) {
		t.Errorf("joined with an integer of 71 bits: %v", err)
	}
	joined, err := c.Join(nil, entries[1:])
	if err != nil {
		t.Fatal(err)
	}
	if v, err := (FlaskMessagePack{}).Decode(joined[len("\x81\xa5tuple"):]); err != nil || !reflect.DeepEqual(v, []any{1, "a"}) {
		t.Errorf("%#v, %v", v, err)
	}
	if entries[1].Raw[len(c.(*chain).mark)] != 1 {
		t.Error("Join has changed its argument")
	}
}

// Nothing of a document that turns out to be of another format late is seen.
func TestReadsYieldsNothingOfFailures(t *testing.T) {
	doc := documentOf(t, MessagePack{}, map[string]any{"a": 1, "b": int8(1)}) // an extension of Go's
	if n, err := count(FlaskMessagePack{}, doc); n != 1 || err == nil {
		t.Fatalf("%d entries, %v: the test is pointless", n, err)
	}
	entries, err := split(Reads(FlaskMessagePack{}, MessagePack{}), doc)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func count(c Codec, doc []byte) (n int, err error) {
	err = c.Split(doc, func(Entry) error { n++; return nil })
	return n, err
}

func TestReadsErrors(t *testing.T) {
	c := Reads(MessagePack{}, Pickle{}, FlaskJSON{})
	_, err := split(c, []byte("secret"))
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"messagepack", "pickle", "flask json"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not say what is wrong with %s", err, name)
		}
	}
	stop := errors.New("stop")
	for _, format := range []Codec{MessagePack{}, FlaskJSON{}} {
		n := 0
		err := c.Split(documentOf(t, format, sessionValues), func(Entry) error { n++; return stop })
		if err != stop || n != 1 {
			t.Errorf("%T: %v after %d entries", format, err, n)
		}
	}
	none := Reads(nil, nil)
	if _, err := none.Append(nil, 1); err == nil {
		t.Error("a nil Codec wrote")
	}
	if _, err := split(none, nil); err == nil {
		t.Error("a nil Codec read")
	}
	if _, err := split(Reads(JSON{}, nil), []byte("{}")); err != nil {
		t.Errorf("first could have read: %v", err)
	}
}

// Stored data cannot begin with the mark of another chain, or look like it.
func TestReadsMarkIsItsOwn(t *testing.T) {
	a, b := Reads(MessagePack{}, JSON{}), Reads(MessagePack{}, JSON{})
	entries, err := split(a, []byte(`{"k":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := b.Decode(entries[0].Raw); err == nil {
		if v == 1 {
			t.Error("two chains have one mark")
		}
	}
}

func TestReadsSealers(t *testing.T) {
	oldKey, newKeys := newKey(), newKey()
	old, fresh := encrypted(t, oldKey), encrypted(t, newKeys)
	values := secretEntries(t, MessagePack{})
	plain, err := MessagePack{}.Join(nil, values)
	if err != nil {
		t.Fatal(err)
	}
	sealed := sealFor(t, old, "here")
	binding := []byte("here")
	open := func(c Codec, doc, binding []byte) (n int, err error) {
		err = c.(Sealer).Open(doc, binding, func(e Entry) error {
			n++
			v, err := c.Decode(e.Raw)
			if err == nil && !strings.HasPrefix(v.(string), "ultramarine") {
				t.Errorf("%v", v)
			}
			return err
		})
		return n, err
	}

	// To encryption, to another ring, away from encryption.
	for name, c := range map[string]Codec{
		"to":      Reads(old, MessagePack{}),
		"another": Reads(fresh, old, MessagePack{}),
		"away":    Reads(MessagePack{}, old),
		"json":    Reads(JSON{}, old, MessagePack{}),
	} {
		for _, doc := range [][]byte{sealed, plain} {
			if n, err := open(c, doc, binding); n != 2 || err != nil {
				t.Errorf("%s: %d entries, %v", name, n, err)
			}
		}
		if n, err := open(c, sealed, []byte("elsewhere")); n != 0 || err == nil {
			t.Errorf("%s: opened a document of another record", name)
		}
		var entries []Entry
		_ = c.(Sealer).Open(sealed, binding, func(e Entry) error { entries = append(entries, e); return nil })
		written, err := c.(Sealer).Seal(nil, entries, binding)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if hidden := !bytes.Contains(written, []byte("ultramarine")); hidden != (name == "to" || name == "another") {
			t.Errorf("%s: written as %q", name, written)
		}
		if n, err := open(c, written, binding); n != 2 || err != nil {
			t.Errorf("%s: of its own %d entries, %v", name, n, err)
		}
		if _, err := c.Join(nil, values); err == nil {
			t.Errorf("%s: Join wrote plaintext", name)
		}
		if _, err := split(c, plain); err == nil {
			t.Errorf("%s: Split read plaintext", name)
		}
	}
	// Only encrypted formats: no plaintext is read.
	if n, err := open(Reads(fresh, old), plain, binding); n != 0 || err == nil {
		t.Errorf("plaintext was read: %d entries", n)
	}
	if _, ok := Reads(MessagePack{}, JSON{}).(Sealer); ok {
		t.Error("a chain without a Sealer is one")
	}
	// A chain may be encrypted as a whole.
	whole, err := NewEncrypted(Reads(MessagePack{}, JSON{}), newKeys)
	if err != nil {
		t.Fatal(err)
	}
	was, _ := NewEncrypted(JSON{}, newKeys)
	doc, err := was.Seal(nil, secretEntries(t, JSON{}), binding)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := open(whole, doc, binding); n != 2 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
}
