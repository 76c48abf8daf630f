package codec

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// A fixture is a session that Flask-Session2 or Flask-Session has stored.
type fixture struct {
	name string
	doc  []byte
	want string // the tree that it loads as
}

// fixtures returns all of testdata/flask-fixtures.json.gz that a codec reads,
// by stack, and the pickles in all protocols.
func fixtures(t testing.TB) (byStack map[string][]fixture) {
	t.Helper()
	f, err := os.Open("testdata/flask-fixtures.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Name    string
		Session *tree
		ReadsAs *tree  `json:"reads_back_as"`
		LoadsAs *tree  `json:"loads_as"`
		Value   string `json:"value_hex"`
		Data    string `json:"data_hex"`
		Content string `json:"content_hex"`
		Hex     map[string]string
	}
	type table struct{ Rows []row }
	var all struct {
		Stacks map[string]struct {
			Redis, Memcached []row
			Filesystem       struct{ Sessions []row }
			SQLAlchemy       table
			Peewee           table
			Recorded         struct{ DynamoDB, MongoDB json.RawMessage }
		}
		Handmade  []row `json:"pickle_handmade"`
		Protocols []row `json:"pickle_all_protocols"`
	}
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	byStack = map[string][]fixture{}
	add := func(stack, place string, rows []row) {
		for _, r := range rows {
			want := r.Session
			for _, other := range []*tree{r.ReadsAs, r.LoadsAs} {
				if other != nil {
					want = other
				}
			}
			texts := map[string]string{"": r.Value + r.Data}
			if r.Content != "" { // behind cachelib's header
				texts[""] = r.Content[8:]
			}
			for protocol, text := range r.Hex {
				texts["/"+protocol] = text
			}
			for suffix, text := range texts {
				doc, err := hex.DecodeString(text)
				if err != nil {
					t.Fatal(err)
				}
				if len(doc) > 0 {
					byStack[stack] = append(byStack[stack], fixture{place + "/" + r.Name + suffix, doc, want.String()})
				}
			}
		}
	}
	for name, s := range all.Stacks {
		add(name, "redis", s.Redis)
		add(name, "memcached", s.Memcached)
		add("fs2-pickle", "filesystem of "+name, s.Filesystem.Sessions) // in all stacks
		add("fs2-pickle", "peewee", s.Peewee.Rows)
		if name == "fs2-pickle" {
			add(name, "sqlalchemy", s.SQLAlchemy.Rows)
		}
	}
	add("fs2-pickle", "handmade", all.Handmade)
	add("fs2-pickle", "protocols", all.Protocols)
	if n := len(byStack["fs2-pickle"]); n < 250 {
		t.Fatalf("%d pickles only", n)
	}
	return byStack
}

// TestFlaskFixturesPickle: what Python has pickled is what it says it was, and
// so does Python read what is written of it.
func TestFlaskFixturesPickle(t *testing.T) {
	ask := askPython(t)
	for i, f := range fixtures(t)["fs2-pickle"] {
		got, err := documentTree(Pickle{}, f.doc)
		if err != nil || got != f.want {
			t.Errorf("%s:\n got %s\nwant %s\n%v", f.name, got, f.want, err)
			continue
		}
		checkPython(t, ask, allPickles()[i%6], f.doc, f.want)
	}
}

// TestFlaskFixturesText: what msgspec has written reads as what Python reads
// it as, and is written byte for byte the same.
func TestFlaskFixturesText(t *testing.T) {
	all := fixtures(t)
	for stack, c := range map[string]Codec{"fs08-msgpack": FlaskMessagePack{}, "fs08-json": FlaskJSON{}} {
		if len(all[stack]) < 40 {
			t.Fatalf("%s: %d fixtures only", stack, len(all[stack]))
		}
		for _, f := range all[stack] {
			got, err := documentTree(c, f.doc)
			// msgspec gives times in UTC as such, and no big integers.
			if err != nil || got != f.want {
				t.Errorf("%s %s:\n got %s\nwant %s\n%v", stack, f.name, got, f.want, err)
				continue
			}
			if again, err := copyOf(c, f.doc); err != nil || !bytes.Equal(again, f.doc) {
				t.Errorf("%s %s: copied as %q, %v", stack, f.name, again, err)
			}
			again, err := reencode(c, f.doc)
			if err != nil {
				t.Errorf("%s %s: %v", stack, f.name, err)
				continue
			}
			sameOrReordered(t, c, stack+" "+f.name, again, f.doc)
		}
	}
}

// TestFlaskFixturesAcross: what Flask-Session2 has pickled is written as
// Flask-Session writes the same session.
func TestFlaskFixturesAcross(t *testing.T) {
	all := fixtures(t)
	pickles := map[string][]byte{}
	for _, f := range all["fs2-pickle"] {
		pickles[f.name] = f.doc
	}
	for stack, c := range map[string]Codec{"fs08-msgpack": FlaskMessagePack{}, "fs08-json": FlaskJSON{}} {
		n := 0
		for _, f := range all[stack] {
			doc := pickles[f.name]
			if doc == nil || f.name == "redis/str" {
				continue // there are two
			}
			n++
			var entries []Entry
			err := Pickle{}.Split(doc, func(e Entry) error {
				v, err := Pickle{}.Decode(e.Raw)
				if err != nil {
					return err
				}
				raw, err := c.Append(nil, v)
				entries = append(entries, Entry{Key: e.Key, Raw: raw})
				return err
			})
			if f.name == "redis/float_nan" && stack == "fs08-json" {
				if err == nil || !strings.Contains(err.Error(), "NaN") {
					t.Errorf("NaN in JSON: %v", err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s %s: %v", stack, f.name, err)
				continue
			}
			joined, err := c.Join(nil, entries)
			if err != nil {
				t.Errorf("%s %s: %v", stack, f.name, err)
				continue
			}
			sameOrReordered(t, c, stack+" "+f.name, joined, f.doc)
		}
		if n < 35 {
			t.Errorf("%s: %d sessions only", stack, n)
		}
	}
}

// sameOrReordered wants the same bytes, or the same values if there are maps,
// whose keys are sorted.
func sameOrReordered(t *testing.T, c Codec, name string, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	a, err := documentTree(c, got)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	b, err := documentTree(c, want)
	if err != nil || a != b || len(got) != len(want) || strings.Count(a, "{") < 2 {
		t.Errorf("%s: written as\n%q, not\n%q", name, got, want)
	}
}
