package codec

import (
	"encoding/hex"
	"testing"
)

// allPickles are the codecs for protocols 0 to 5.
func allPickles() []Pickle {
	return []Pickle{{Protocol: PickleProtocol0}, {Protocol: 1}, {Protocol: 2}, {Protocol: 3}, {}, {Protocol: 5}}
}

// TestPickleAgainstPython has Python make documents of all types at random,
// with objects that are shared, in all protocols. Each must be read as what
// Python says it is, and be written, in all protocols, as what Python reads as
// the same: copied, and decoded and encoded.
func TestPickleAgainstPython(t *testing.T) {
	ask := askPython(t)
	var docs []struct {
		Tree    tree
		Pickles []string
	}
	for seed := range 4 {
		ask(map[string]any{"random": seed, "n": 60}, &docs)
		for i, d := range docs {
			for protocol, text := range d.Pickles {
				want := d.Tree.String()
				if protocol < 4 { // loses the fold of a datetime
					var loaded tree
					ask(map[string]string{"load": text}, &loaded)
					want = loaded.String()
				}
				doc, err := hex.DecodeString(text)
				if err != nil {
					t.Fatal(err)
				}
				got, err := documentTree(Pickle{}, doc)
				if err != nil || got != want {
					t.Fatalf("seed %d, document %d, protocol %d, %q:\n got %s\nwant %s\n%v", seed, i, protocol, doc, got, want, err)
				}
				// From every protocol to one other.
				checkPython(t, ask, allPickles()[(protocol+i)%6], doc, want)
			}
		}
	}
}

func checkPython(t *testing.T, ask func(question, answer any), c Pickle, doc []byte, want string) {
	t.Helper()
	for name, write := range map[string]func(Codec, []byte) ([]byte, error){"copied": copyOf, "encoded again": reencode} {
		written, err := write(c, doc)
		if err != nil {
			t.Fatalf("%s in protocol %d: %v\n%s", name, c.Protocol, err, want)
		}
		var got tree
		ask(map[string]string{"load": hex.EncodeToString(written)}, &got)
		if t.Failed() {
			t.Fatalf("%s in protocol %d, %q as %q", name, c.Protocol, doc, written)
		}
		if got.String() != want {
			t.Fatalf("%s in protocol %d, %q as %q:\n got %s\nwant %s", name, c.Protocol, doc, written, got, want)
		}
	}
}
