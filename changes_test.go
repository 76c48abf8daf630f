package sessions

import (
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/codec"
)

// An op is one thing that a request does; model is what it does to a map.
type op struct {
	do    func(*Session)
	model func(map[string]int)
}

// parseOps makes operations of arbitrary bytes, on three keys.
func parseOps(program []byte) []op {
	var ops []op
	for i := 0; i+1 < len(program) && len(ops) < 12; i += 2 {
		key, n := fmt.Sprintf("k%d", program[i]>>4%3), int(program[i+1]%4)
		switch program[i] % 5 {
		case 0, 1:
			ops = append(ops, op{func(s *Session) { s.Set(key, n) }, func(m map[string]int) { m[key] = n }})
		case 2:
			ops = append(ops, op{func(s *Session) { s.Delete(key) }, func(m map[string]int) { delete(m, key) }})
		case 3:
			ops = append(ops, op{
				func(s *Session) { Update(s, key, func(v int) int { return 3*v + n }) },
				func(m map[string]int) { m[key] = 3*m[key] + n },
			})
		case 4:
			if n == 0 {
				ops = append(ops, op{func(s *Session) { s.Clear() }, func(m map[string]int) { clear(m) }})
			}
		}
	}
	return ops
}

// FuzzMerge runs two requests of one session at the same time. What is stored
// in the end must be what one of the two orders would have given: most often
// that of the saves, but a request that set nothing but what it had loaded
// has written nothing, so it came first.
func FuzzMerge(f *testing.F) {
	f.Add([]byte{0, 1, 19, 2}, []byte{3, 1}, []byte{3, 2, 2, 0})
	f.Add([]byte{0, 1}, []byte{2, 0}, []byte{3, 3})
	f.Add([]byte{0, 1, 16, 1, 32, 1}, []byte{4, 0, 3, 1}, []byte{3, 1, 4, 0})
	f.Add([]byte{0, 1}, []byte{4, 0}, []byte{0, 1})
	f.Add([]byte("01"), []byte("00"), []byte("21"))
	f.Fuzz(func(t *testing.T, before, first, second []byte) {
		b := newBench(t, Config{})
		run := func(program []byte) func(*Session) {
			return func(s *Session) {
				for _, op := range parseOps(program) {
					op.do(s)
				}
			}
		}
		model := func(programs ...[]byte) map[string]int {
			m := map[string]int{"base": 1}
			for i, program := range programs {
				for _, op := range parseOps(program) {
					op.model(m)
				}
				if len(m) == 0 && i < len(programs)-1 {
					return nil // deleted: what came later was dropped or began a session of its own
				}
			}
			return m
		}
		b.request(set("base", 1))
		b.request(run(before))
		b.request(func(s *Session) {
			run(second)(s)
			b.request(run(first)) // loaded before it, and saved before it
		})
		one, two := model(before, first, second), model(before, second, first)
		if one == nil || two == nil {
			return
		}
		got := make(map[string]int)
		b.request(func(s *Session) {
			for k, v := range s.All() {
				got[k] = v.(int)
			}
		})
		if !maps.Equal(got, one) && !maps.Equal(got, two) {
			t.Errorf("stored %v, want %v or %v", got, one, two)
		}
		if b.errs != nil {
			t.Error(b.errs)
		}
	})
}

// Changes that are recorded while a save is under way come on top of it,
// whatever becomes of it.
func TestChangesAppend(t *testing.T) {
	up := func(s slot) (any, error) {
		n, _ := as[int](s)
		return n + 10, nil
	}
	base := func(n int) *document {
		raw, _ := codec.MessagePack{}.Append(nil, n)
		return &document{entries: []codec.Entry{{Key: []byte("a"), Raw: raw}}}
	}
	for name, test := range map[string]struct {
		earlier, later func(*changes)
		want           any
	}{
		"set, set":       {func(c *changes) { c.set("a", 1) }, func(c *changes) { c.set("a", 2) }, 2},
		"set, update":    {func(c *changes) { c.set("a", 1) }, func(c *changes) { c.update("a", 11, up) }, 11},
		"update, update": {func(c *changes) { c.update("a", 15, up) }, func(c *changes) { c.update("a", 25, up) }, 120},
		"update, set":    {func(c *changes) { c.update("a", 15, up) }, func(c *changes) { c.set("a", 3) }, 3},
		"set, clear":     {func(c *changes) { c.set("a", 1) }, func(c *changes) { c.clear() }, nil},
		"clear, update":  {func(c *changes) { c.clear() }, func(c *changes) { c.update("a", 10, up) }, 10},
		"clear, delete":  {func(c *changes) { c.clear() }, func(c *changes) { c.set("a", absent{}) }, nil},
	} {
		var earlier, later changes
		test.earlier(&earlier)
		test.later(&later)
		earlier.append(later)
		doc, _, err := earlier.apply(base(100), codec.MessagePack{}, true) // a fresher base than the 5 it was made on
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if raw := doc.raw("a"); raw != nil {
			got, _ = codec.MessagePack{}.Decode(raw)
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestRecords(t *testing.T) {
	key := "session:abc"
	rec := append(appendRecordHeader(nil, newBench(t, Config{}).clock.now()), "document"...)
	sealRecord(key, rec)
	if _, doc, err := openRecord(key, rec); err != nil || string(doc) != "document" {
		t.Fatalf("%q, %v", doc, err)
	}
	if _, _, err := openRecord("session:abd", rec); err == nil {
		t.Error("a record of another key is taken")
	}
	for i := range rec {
		if _, _, err := openRecord(key, rec[:i]); err == nil {
			t.Errorf("a record cut at %d is taken", i)
		}
		for bit := range 8 {
			damaged := append([]byte(nil), rec...)
			damaged[i] ^= 1 << bit
			if _, _, err := openRecord(key, damaged); err == nil {
				t.Errorf("a record with bit %d of byte %d changed is taken", bit, i)
			}
		}
	}
}

func TestSweeping(t *testing.T) {
	clk := &clock{}
	mem, err := memorybackend.New(memorybackend.Config{Now: clk.now})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewManager(Config{Backend: mem, SweepInterval: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if _, err := mem.Create(t.Context(), fmt.Sprint("session:", i), []byte("x"), day); err != nil {
			t.Fatal(err)
		}
	}
	clk.advance(2 * day)
	for left := 10; left > 0; { // the test's own time limit ends this
		keys, _, err := mem.List(t.Context(), "", "", 10)
		if err != nil {
			t.Fatal(err)
		}
		left = len(keys)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
}
