package sessions

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// A hooked store runs a function after each of its loads.
type hooked struct {
	backend.Backend
	loaded func(n int)
	loads  int
}

func (h *hooked) Load(ctx context.Context, key string) (backend.Record, error) {
	rec, err := h.Backend.Load(ctx, key)
	if h.loads++; h.loaded != nil {
		h.loaded(h.loads)
	}
	return rec, err
}

func TestCopyTo(t *testing.T) {
	from, to := newUsers(t, Config{}), newUsers(t, Config{})
	advance := func(d time.Duration) {
		from.clock.advance(d)
		to.clock.advance(d)
	}
	id := from.login("a", "ada")
	key := from.m.storeKey(id)
	copied := func(want Copied) {
		t.Helper()
		if got, err := from.m.CopyTo(t.Context(), to.m, key); got != want || err != nil {
			t.Errorf("CopyTo: %q, %v; want %q", got, err, want)
		}
	}
	stored := func() (backend.Record, backend.Record) {
		t.Helper()
		a, err1 := from.store.Load(t.Context(), key)
		b, err2 := to.store.Load(t.Context(), key)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		return a, b
	}
	copied(CopyCreated)
	if a, b := stored(); !slices.Equal(a.Data, b.Data) || b.Expires.Sub(a.Expires).Abs() > time.Second {
		t.Errorf("another record, or %v more time", b.Expires.Sub(a.Expires))
	}
	if list, err := to.m.Sessions(t.Context(), "ada"); err != nil || len(list) != 1 {
		t.Errorf("ada has %d sessions in the copy, %v", len(list), err)
	}
	copied(CopySame)
	advance(5 * 24 * time.Hour)
	from.in("a", func(s *Session) { _ = s.Get("browser") }) // a touch
	copied(CopySame)
	if a, b := stored(); b.Expires.Sub(a.Expires).Abs() > time.Second {
		t.Errorf("%v more time after a touch", b.Expires.Sub(a.Expires))
	}
	from.in("a", func(s *Session) { s.Set("n", 1) })
	copied(CopyUpdated)

	// Used in the other store, and expiring later there.
	advance(5 * 24 * time.Hour)
	to.browsers["a"] = from.browsers["a"]
	to.in("a", func(s *Session) { s.Set("n", 2) })
	copied(CopyNewer)

	from.in("a", func(s *Session) { _ = s.Destroy() })
	copied(CopyEnded)
	copied(CopyEnded)
	if _, err := to.store.Load(t.Context(), key); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("the session lives in the copy: %v", err)
	}
}

// A session that ends while it is copied does not live on in the copy.
func TestCopyToRace(t *testing.T) {
	for name, test := range map[string]struct {
		meddle func(u *users, s *hooked, n int)
		want   Copied
		err    error
	}{
		"ended": {func(u *users, s *hooked, n int) {
			if n == 1 {
				u.in("a", func(s *Session) { _ = s.Destroy() })
			}
		}, CopyEnded, nil},
		"changed": {func(u *users, s *hooked, n int) {
			if n == 1 {
				u.in("a", func(s *Session) { s.Set("n", 1) })
			}
		}, CopyUpdated, nil},
		"always": {func(u *users, s *hooked, n int) {
			u.in("a", func(s *Session) { s.Set("n", n) })
		}, "", ErrUnavailable},
	} {
		from, to := newUsers(t, Config{}), newUsers(t, Config{})
		key := from.m.storeKey(from.login("a", "ada"))
		cfg := from.m.cfg
		store := &hooked{Backend: cfg.Backend}
		store.loaded = func(n int) { test.meddle(from, store, n) }
		cfg.Backend = store
		m, err := NewManager(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := m.CopyTo(t.Context(), to.m, key); got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		a, err1 := from.store.Load(t.Context(), key)
		b, err2 := to.store.Load(t.Context(), key)
		if test.err == nil && (!slices.Equal(a.Data, b.Data) || errors.Is(err1, backend.ErrNotFound) != errors.Is(err2, backend.ErrNotFound)) {
			t.Errorf("%s: the copy differs: %v, %v", name, err1, err2)
		}
	}
}

func TestCopyToRefuses(t *testing.T) {
	from := newUsers(t, Config{})
	key := from.m.storeKey(from.login("a", "ada"))
	for _, cfg := range []Config{{Name: "other"}, {Prefix: "other:"}, {PlainIDs: true}} {
		if _, err := from.m.CopyTo(t.Context(), newUsers(t, cfg).m, key); !errors.Is(err, errCopy) {
			t.Errorf("%v", err)
		}
	}
	rec, err := from.store.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	other := key[:len(key)-1] + "_"
	if _, err := from.store.Create(t.Context(), other, rec.Data, time.Hour); err != nil {
		t.Fatal(err)
	}
	to := newUsers(t, Config{})
	if _, err := from.m.CopyTo(t.Context(), to.m, other); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a record of another session: %v", err)
	}
	if _, err := to.store.Load(t.Context(), other); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("it was copied: %v", err)
	}
}

func TestAllAndFind(t *testing.T) {
	u := newUsers(t, Config{})
	id := u.login("a", "ada")
	u.login("b", "eve")
	u.in("c", func(s *Session) { s.Set("n", 1) })
	if _, err := u.store.Create(t.Context(), DefaultPrefix+"damaged", []byte("damaged"), time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := u.store.Create(t.Context(), "foreign", []byte("x"), time.Hour); err != nil {
		t.Fatal(err)
	}
	var principals []string
	damaged := Info{}
	for i, err := range u.m.All(t.Context()) {
		if errors.Is(err, ErrCorrupt) {
			damaged = i
			continue
		}
		if err != nil || i.Size() == 0 || i.Handle == "" {
			t.Errorf("%v, %d bytes, %q", err, i.Size(), i.Handle)
		}
		principals = append(principals, i.Principal())
	}
	slices.Sort(principals)
	if !slices.Equal(principals, []string{"", "ada", "eve"}) || damaged.Handle == "" || damaged.Keys() != nil {
		t.Errorf("principals %q, damaged %q", principals, damaged.Handle)
	}
	for range u.m.All(t.Context()) {
		break
	}
	key := u.m.storeKey(id)
	for _, name := range []string{key, u.m.handle(key)} {
		i, err := u.m.Find(t.Context(), name)
		if err != nil || i.Principal() != "ada" || !slices.Equal(i.Keys(), []string{"browser"}) || i.Get("browser") != "a" {
			t.Errorf("Find: %v, %q", err, i.Keys())
		}
	}
	for _, name := range []string{"", id, DefaultPrefix + id, u.m.handle("x")} {
		if _, err := u.m.Find(t.Context(), name); !errors.Is(err, ErrGone) {
			t.Errorf("Find: %v", err)
		}
	}
	i, err := u.m.Find(t.Context(), key)
	if err == nil {
		err = i.Revoke(t.Context())
	}
	if err != nil {
		t.Error(err)
	}
	if err := damaged.Revoke(t.Context()); err != nil {
		t.Error(err)
	}
	if err := (Info{}).Revoke(t.Context()); !errors.Is(err, ErrGone) {
		t.Errorf("Revoke of nothing: %v", err)
	}
	u.wantAlive("b")
	n := 0
	for range u.m.All(t.Context()) {
		n++
	}
	if n != 2 {
		t.Errorf("%d sessions are left", n)
	}
	none, err := NewManager(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range none.All(t.Context()) {
		if !errors.Is(err, ErrNoList) {
			t.Errorf("a store that cannot list: %v", err)
		}
	}
}
