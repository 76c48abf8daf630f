package sessions

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

func TestSessionMethods(t *testing.T) {
	b := newBench(t, Config{})
	b.request(func(s *Session) {
		if !s.IsNew() || s.Len() != 0 || s.Get("a") != nil || s.Err() != nil {
			t.Error("a new session is not empty")
		}
		s.Set("a", int32(1))
		s.Set("b", []string{"x"})
		s.Set("nil", nil)
		s.AddFlash("hello")
		if v, ok := s.Lookup("nil"); v != nil || !ok {
			t.Error("a nil value is not told from an absent one")
		}
	})
	check := func(s *Session) {
		t.Helper()
		keys := s.Keys()
		slices.Sort(keys)
		if !slices.Equal(keys, []string{"a", "b", "nil"}) || s.Len() != 3 {
			t.Errorf("keys %v", keys)
		}
		all := make(map[string]any)
		for k, v := range s.All() {
			all[k] = v
		}
		if want := map[string]any{"a": int32(1), "b": []string{"x"}, "nil": nil}; !reflect.DeepEqual(all, want) {
			t.Errorf("All: %v", all)
		}
	}
	b.request(func(s *Session) {
		if s.IsNew() || !s.Permanent() {
			t.Error("a stored session is new, or not permanent")
		}
		check(s)
		if v := s.Pop("a"); v != int32(1) || s.Get("a") != nil || s.Pop("a") != nil {
			t.Error("Pop")
		}
		s.Set("a", int32(1))
		check(s)
		s.Clear()
		if s.Len() != 0 || !s.Permanent() || len(s.Flashes()) != 0 {
			t.Error("Clear")
		}
		s.Set("c", 3)
		if !slices.Equal(s.Keys(), []string{"c"}) {
			t.Errorf("keys %v", s.Keys())
		}
	})
	b.request(func(s *Session) {
		if !slices.Equal(s.Keys(), []string{"c"}) || s.IsNew() {
			t.Errorf("keys %v", s.Keys())
		}
	})
	if b.errs != nil {
		t.Error(b.errs)
	}
}

type cart struct {
	Items map[string]int
	Note  string `session:"note"`
}

func TestValueAndUpdate(t *testing.T) {
	type role string
	b := newBench(t, Config{})
	b.request(func(s *Session) {
		s.Set("role", role("admin"))
		s.Set("cart", cart{Items: map[string]int{"tea": 1}, Note: "n"})
		s.Set("when", time.Hour)
		if n := Update(s, "n", func(n int) int { return n + 5 }); n != 5 {
			t.Errorf("Update gives %d", n)
		}
	})
	b.request(func(s *Session) {
		if v, ok := Value[role](s, "role"); v != "admin" || !ok {
			t.Errorf("role %q", v)
		}
		if v, ok := s.Get("role").(string); v != "admin" || !ok {
			t.Errorf("role %#v", s.Get("role"))
		}
		if v, ok := Value[cart](s, "cart"); v.Items["tea"] != 1 || v.Note != "n" || !ok {
			t.Errorf("cart %v", v)
		}
		if v, ok := s.Get("when").(time.Duration); v != time.Hour || !ok {
			t.Errorf("when %#v", s.Get("when"))
		}
		if v, ok := Value[int64](s, "n"); v != 5 || !ok {
			t.Errorf("n as an int64: %d", v)
		}
		if _, ok := Value[string](s, "n"); ok || !errors.Is(s.Err(), ErrValue) {
			t.Errorf("n as a string: %v", s.Err())
		}
		if v, ok := Value[int](s, "absent"); v != 0 || ok {
			t.Error("an absent value")
		}
	})
	if b.errs != nil {
		t.Errorf("a value of another type fails the request: %v", b.errs)
	}
	b.request(func(s *Session) { // of another type: the stored value stays
		Update(s, "role", func(n int) int { return n + 1 })
	})
	if len(b.errs) != 1 || !errors.Is(b.errs[0], ErrValue) {
		t.Errorf("errors %v", b.errs)
	}
	b.request(func(s *Session) {
		if v, _ := Value[role](s, "role"); v != "admin" {
			t.Error("the value was overwritten")
		}
	})
}

func TestInPlaceChanges(t *testing.T) {
	b := newBench(t, Config{})
	b.request(func(s *Session) {
		s.Set("cart", cart{Items: map[string]int{}})
		s.Set("list", []any{1, map[string]any{"x": 1}})
	})
	writes := b.store.writes
	b.request(func(s *Session) {
		s.Get("list")
		Value[*cart](s, "cart")
		Value[[]any](s, "list")
	})
	if b.store.writes != writes {
		t.Error("reading wrote")
	}
	b.request(func(s *Session) {
		c, _ := Value[*cart](s, "cart")
		c.Items["tea"] = 2
		c.Note = "changed"
		again, _ := Value[*cart](s, "cart")
		if again != c {
			t.Error("two values for one key")
		}
		s.Get("list").([]any)[1].(map[string]any)["x"] = 2
		if err := s.Save(); err != nil {
			t.Fatal(err)
		}
		c.Items["tea"] = 3
	})
	b.request(func(s *Session) {
		c, _ := Value[cart](s, "cart")
		if c.Items["tea"] != 3 || c.Note != "changed" {
			t.Errorf("cart %v", c)
		}
		if x := s.Get("list").([]any)[1].(map[string]any)["x"]; x != 2 {
			t.Errorf("list %v", s.Get("list"))
		}
		s.Get("list").([]any)[0] = 7
		s.Set("list", []any{"set wins"})
	})
	b.request(func(s *Session) {
		if v := s.Get("list").([]any)[0]; v != "set wins" {
			t.Errorf("list %v", v)
		}
	})
	if b.errs != nil {
		t.Error(b.errs)
	}
}

// A value that was handed out and not changed must not overwrite what another
// request has made of it.
func TestHandoutsOverwriteNothing(t *testing.T) {
	b := newBench(t, Config{})
	b.request(set("list", []int{1}))
	b.request(func(s *Session) {
		s.Get("list")
		b.request(set("list", []int{2}))
		s.Set("other", 1)
		if err := s.Save(); err != nil {
			t.Fatal(err)
		}
		s.Set("other", 2)
	})
	b.request(func(s *Session) {
		if v := s.Get("list"); !reflect.DeepEqual(v, []int{2}) {
			t.Errorf("list %v", v)
		}
	})
}

// An update may use the session from its function without a deadlock, though
// it should not.
func TestUpdateHoldsNoLock(t *testing.T) {
	b := newBench(t, Config{})
	b.request(func(s *Session) {
		s.Set("a", 1)
		Update(s, "b", func(n int) int { return n + s.Get("a").(int) })
	})
	b.request(func(s *Session) {
		b.request(set("a", 2)) // a conflict: the function runs again while saving
		Update(s, "b", func(n int) int { return n + s.Get("a").(int) })
	})
	if b.errs != nil {
		t.Error(b.errs)
	}
}

func TestManyGoroutinesOfOneRequest(t *testing.T) {
	b := newBench(t, Config{})
	b.request(func(s *Session) {
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				s.Set(fmt.Sprint("k", i), i)
				Update(s, "n", func(n int) int { return n + 1 })
				s.AddFlash(i)
				s.Keys()
				if i%5 == 0 {
					if err := s.Save(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	})
	b.request(func(s *Session) {
		if n, _ := Value[int](s, "n"); n != 20 || s.Len() != 21 || len(s.Flashes()) != 20 {
			t.Errorf("n %d, %d keys", n, s.Len())
		}
	})
}

// Session data, IDs and keys never get into errors and formatted values.
func TestNothingLeaks(t *testing.T) {
	b := newBench(t, Config{MaxSize: 100})
	b.request(set("a", "s3cret"))
	var id string
	b.request(func(s *Session) {
		id = s.ID()
		for _, text := range []string{fmt.Sprintf("%v", s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s)} {
			if strings.Contains(text, id) || strings.Contains(text, "s3cret") {
				t.Errorf("formatted: %s", text)
			}
		}
		s.Set("a", strings.Repeat("s3cret", 100))
	})
	b.request(set("a", func() {}))
	b.request(func(s *Session) { Value[int](s, "a"); b.errs = append(b.errs, s.Err()) })
	if len(b.errs) != 3 || !errors.Is(b.errs[0], backend.ErrTooLarge) {
		t.Errorf("%d errors: %v", len(b.errs), b.errs)
	}
	for _, err := range b.errs {
		if text := err.Error(); strings.Contains(text, "s3cret") || strings.Contains(text, id) || strings.Contains(text, b.m.storeKey(id)) {
			t.Errorf("error: %s", text)
		}
	}
}
