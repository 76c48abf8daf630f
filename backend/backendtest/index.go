package backendtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-session2/sessions/backend"
)

func indexRules() []rule {
	needs := func(s *suite) string {
		if s.Flask { // in whose layouts there is none
			return "Harness.Flask"
		}
		ix, ok := s.main.(backend.Indexer)
		if !ok {
			return "no backend.Indexer"
		}
		if _, err := ix.Indexed(newOwner()); err != nil {
			return err.Error()
		}
		return ""
	}
	return []rule{
		{name: "index/owned", needs: needs,
			text: "Owned lists the records that were created, updated or touched through the view, in every process, and no others.",
			run:  indexOwned},
		{name: "index/contract", needs: needs,
			text: "A view is the store: its Create never overwrites, its Update never creates and notices a change, a repeated write succeeds.",
			run:  indexContract},
		{name: "index/plain", needs: needs,
			text: "An Update or Touch that does not go through the view leaves the record with its owner.",
			run:  indexPlain},
		{name: "index/owner", needs: needs,
			text: "A record that is updated through the view of another owner is listed for that one.",
			run:  indexOwner},
		{name: "index/delete", needs: needs,
			text: "A deleted record is not listed, whether it was deleted through the view or not.",
			run:  indexDelete},
		{name: "index/many", needs: needs,
			text: "Owned lists all records of the owner, each once, however many they are.",
			run:  indexMany},
		{name: "index/expired", needs: needs,
			text:    "An expired record is not listed; one that was touched through the view in time still is.",
			prepare: indexExpired},
		{name: "index/context", needs: needs,
			text: "Owned with a context that is done returns its error, and no method of a view takes the owner into an error's text.",
			run:  indexContext},
		{name: "index/race-create", needs: needs,
			text: "A record whose Create has returned is listed, though others of the owner come and go meanwhile.",
			run:  indexRaceCreate},
		{name: "index/race-delete", needs: needs,
			text: "A record that is deleted while others update and touch it through the view stays dead and is not listed.",
			run:  indexRaceDelete},
		{name: "index/race-move", needs: needs,
			text: "A record that is copied to a new key before the old one is deleted, again and again, is never missed by two looks in a row.",
			run:  indexRaceMove},
	}
}

// newOwner returns an owner that was never used, of the length that package
// sessions gives them and with all kinds of characters.
func newOwner() string { return "bt_-Az09" + (rand.Text() + rand.Text())[:35] }

// An indexView is a watched view. Owned is the view's own.
type indexView struct {
	watched
	backend.Index
}

func (v *indexView) Load(ctx context.Context, key string) (backend.Record, error) {
	return v.watched.Load(ctx, key)
}

func (v *indexView) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	return v.watched.Create(ctx, key, data, ttl)
}

func (v *indexView) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	return v.watched.Update(ctx, key, data, ttl, base)
}

func (v *indexView) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return v.watched.Touch(ctx, key, ttl)
}

func (v *indexView) Delete(ctx context.Context, key string, base backend.Revision) error {
	return v.watched.Delete(ctx, key, base)
}

// view returns the view of an owner, as this process or another has it.
func (c *check) view(b backend.Backend, owner string) *indexView {
	c.t.Helper()
	if w, ok := b.(*watched); ok {
		b = w.Backend
	}
	ix, err := b.(backend.Indexer).Indexed(owner)
	c.must("Indexed", err)
	return &indexView{watched: watched{Backend: ix, t: c.t}, Index: ix}
}

// owned returns the sorted keys of an owner as both processes see them.
func (c *check) owned(owner string) []string {
	c.t.Helper()
	var keys []string
	for i, b := range []*watched{c.second, c.b} {
		list, err := c.view(b, owner).Owned(c.ctx)
		c.must("Owned", err)
		slices.Sort(list)
		if i == 1 && !slices.Equal(list, keys) {
			c.broken("one process lists %d keys and the other %d", len(keys), len(list))
		}
		keys = list
	}
	return keys
}

// owns checks which keys an owner has.
func (c *check) owns(owner string, want ...string) {
	c.t.Helper()
	got := c.owned(owner)
	slices.Sort(want)
	if slices.Equal(got, want) {
		return
	}
	missing := 0
	for _, key := range want {
		if !slices.Contains(got, key) {
			missing++
		}
	}
	c.broken("Owned lists %d keys, want %d, of which %d are missing", len(got), len(want), missing)
}

// lists checks that an owner has a key, perhaps among others.
func (c *check) has(owner, key string) {
	c.t.Helper()
	if !slices.Contains(c.owned(owner), key) {
		c.broken("Owned does not list the record")
	}
}

// keep creates a record through the view of an owner.
func (c *check) keep(owner string, ttl time.Duration) (key string, rev backend.Revision) {
	c.t.Helper()
	key = newKey()
	rev, err := c.view(c.b, owner).Create(c.ctx, key, newData(100), ttl)
	c.must("Create by the view", err)
	return key, rev
}

func indexOwned(c *check) {
	owner, other := newOwner(), newOwner()
	c.owns(owner)
	created, _ := c.keep(owner, longTTL)
	c.owns(owner, created)

	updated, rev := c.create(newData(50), longTTL)
	touched, _ := c.create(newData(50), longTTL)
	c.owns(owner, created)
	_, err := c.view(c.second, owner).Update(c.ctx, updated, newData(60), longTTL, rev)
	c.must("Update by the view", err)
	c.owns(owner, created, updated)
	c.must("Touch by the view", c.view(c.b, owner).Touch(c.ctx, touched, 2*longTTL))
	c.owns(owner, created, updated, touched)

	theirs, _ := c.keep(other, longTTL)
	c.owns(owner, created, updated, touched)
	c.owns(other, theirs)
	c.owns(strings.ToLower(owner))
	c.owns(owner[:len(owner)-1])
}

func indexContract(c *check) {
	v := c.view(c.b, newOwner())
	key, data := newKey(), newData(100)
	rev, err := v.Create(c.ctx, key, data, longTTL)
	c.must("Create by the view", err)
	_, err = v.Create(c.ctx, key, data, longTTL)
	c.must("a repeated Create by the view", err)
	_, err = v.Create(c.ctx, key, newData(100), longTTL)
	c.wants("Create of a key in use", err, backend.ErrExists)
	c.holds(key, data)

	next := newData(120)
	_, err = v.Update(c.ctx, key, next, longTTL, rev)
	c.must("Update by the view", err)
	rev2, err := v.Update(c.ctx, key, next, longTTL, rev) // which may have moved it
	c.must("a repeated Update by the view", err)
	_, err = v.Update(c.ctx, key, newData(90), longTTL, rev)
	c.wants("Update at an old revision", err, backend.ErrConflict)
	c.wants("Delete at an old revision", v.Delete(c.ctx, key, rev), backend.ErrConflict)
	rec := c.holds(key, next)
	if !rec.Expires.IsZero() && rec.Expires.Before(c.now().Add(longTTL-time.Minute)) {
		c.broken("the record expires at %v, which is too early", rec.Expires)
	}
	if loaded, err := v.Load(c.ctx, key); err != nil || string(loaded.Data) != string(next) {
		c.broken("Load by the view returned %s, %v", brief(loaded.Data), err)
	}
	c.must("Delete by the view", v.Delete(c.ctx, key, rev2))

	for _, gone := range []string{key, newKey()} {
		_, err = v.Update(c.ctx, gone, newData(90), longTTL, rev2)
		c.wants("Update of an absent record", err, backend.ErrNotFound)
		c.wants("Touch of an absent record", v.Touch(c.ctx, gone, longTTL), backend.ErrNotFound)
		c.wants("Delete at a revision of an absent record", v.Delete(c.ctx, gone, rev2), backend.ErrNotFound)
		c.must("Delete of an absent record", v.Delete(c.ctx, gone, nil))
		c.missing(gone)
	}
}

func indexPlain(c *check) {
	owner := newOwner()
	key, rev := c.keep(owner, longTTL)
	c.update(key, newData(80), longTTL, rev)
	c.owns(owner, key)
	c.touch(key, longTTL)
	c.owns(owner, key)
}

func indexOwner(c *check) {
	before, after := newOwner(), newOwner()
	key, rev := c.keep(before, longTTL)
	_, err := c.view(c.second, after).Update(c.ctx, key, newData(80), longTTL, rev)
	c.must("Update by the view of another owner", err)
	c.has(after, key) // and the other one may list it until it is gone
	c.delete(key, nil)
	c.owns(after)
	c.owns(before)
}

func indexDelete(c *check) {
	owner := newOwner()
	stays, _ := c.keep(owner, longTTL)
	for _, f := range []func(key string, rev backend.Revision) error{
		func(key string, rev backend.Revision) error { return c.b.Delete(c.ctx, key, nil) },
		func(key string, rev backend.Revision) error { return c.second.Delete(c.ctx, key, rev) },
		func(key string, rev backend.Revision) error { return c.view(c.b, owner).Delete(c.ctx, key, nil) },
		func(key string, rev backend.Revision) error { return c.view(c.second, owner).Delete(c.ctx, key, rev) },
	} {
		key, rev := c.keep(owner, longTTL)
		c.owns(owner, stays, key)
		c.must("Delete", f(key, rev))
		c.owns(owner, stays)
	}
}

func indexMany(c *check) {
	const each = 40
	owner := newOwner()
	keys := make([][]string, c.Contention)
	c.race(c.Contention, func(i int, b backend.Backend) error {
		v := c.view(b, owner)
		for range each {
			key := newKey()
			if _, err := v.Create(c.ctx, key, newData(50), longTTL); err != nil {
				return fmt.Errorf("Create failed: %w", err)
			}
			keys[i] = append(keys[i], key)
		}
		return nil
	})
	c.owns(owner, slices.Concat(keys...)...)
}

func indexExpired(c *check) func(*check) {
	owner := newOwner()
	c.keep(owner, shortTTL)
	long, _ := c.keep(owner, longTTL)
	var touched string
	c.alive(func(ttl time.Duration) bool {
		touched, _ = c.keep(owner, ttl)
		err := c.view(c.b, owner).Touch(c.ctx, touched, longTTL)
		if errors.Is(err, backend.ErrNotFound) {
			return false
		}
		c.must("Touch by the view", err)
		return true
	})
	return func(c *check) { c.owns(owner, long, touched) }
}

func indexContext(c *check) {
	owner := newOwner()
	v := c.view(c.b, owner)
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	_, err := v.Owned(ctx)
	c.wants("Owned", err, context.Canceled)
	_, createErr := v.Create(ctx, newKey(), newData(50), longTTL)
	_, updateErr := v.Update(ctx, newKey(), newData(50), longTTL, backend.Revision("none"))
	for _, err := range []error{err, createErr, updateErr, v.Touch(c.ctx, newKey(), longTTL)} {
		if err == nil {
			c.broken("a method succeeded that cannot")
		}
		if strings.Contains(err.Error(), owner) {
			c.broken("an error's text holds the owner")
		}
	}
}

func indexRaceCreate(c *check) {
	owner := newOwner()
	c.race(max(4, c.Contention/2), func(i int, b backend.Backend) error {
		v := c.view(b, owner)
		for round := range rounds {
			key := newKey()
			rev, err := v.Create(c.ctx, key, newData(50), longTTL)
			if err != nil {
				return fmt.Errorf("Create failed: %w", err)
			}
			keys, err := v.Owned(c.ctx)
			if err != nil {
				return fmt.Errorf("Owned failed: %w", err)
			}
			if !slices.Contains(keys, key) {
				return errors.New("a record that was created before was not listed")
			}
			if err := v.Delete(c.ctx, key, rev); err != nil {
				return fmt.Errorf("Delete failed: %w", err)
			}
			if keys, err = v.Owned(c.ctx); err != nil {
				return fmt.Errorf("Owned failed: %w", err)
			}
			if slices.Contains(keys, key) {
				return fmt.Errorf("a record that was deleted before was listed, in round %d", round)
			}
		}
		return nil
	})
	c.owns(owner)
}

func indexRaceDelete(c *check) {
	owner := newOwner()
	for range rounds {
		key := newKey()
		_, err := c.view(c.b, owner).Create(c.ctx, key, count(0), longTTL)
		c.must("Create by the view", err)
		var deleted atomic.Bool
		c.race(4, func(i int, b backend.Backend) error {
			v := c.view(b, owner)
			if i == 0 {
				defer deleted.Store(true)
				if err := increment(c, v, key); err != nil {
					return err
				}
				return v.Delete(c.ctx, key, nil)
			}
			for n := 0; ; n++ {
				after := deleted.Load()
				var err error
				if i%2 == 0 {
					err = v.Touch(c.ctx, key, longTTL+time.Duration(n)*time.Minute)
				} else {
					err = increment(c, v, key)
				}
				if errors.Is(err, backend.ErrNotFound) {
					return nil
				}
				if err != nil {
					return err
				}
				if after {
					return errors.New("an Update or Touch succeeded after the Delete")
				}
			}
		})
		c.missing(key)
		c.owns(owner)
	}
}

func indexRaceMove(c *check) {
	owner := newOwner()
	key, rev := c.keep(owner, longTTL)
	const enough = 2 * rounds
	var over atomic.Bool
	var looks atomic.Int32
	c.race(2, func(i int, b backend.Backend) error {
		v := c.view(b, owner)
		if i == 0 {
			defer over.Store(true)
			until := int32(enough)
			for n := 0; n < enough || looks.Load() < until; n++ {
				next := newKey()
				created, err := v.Create(c.ctx, next, newData(50), longTTL)
				if err != nil {
					return fmt.Errorf("Create failed: %w", err)
				}
				if err := v.Delete(c.ctx, key, rev); err != nil {
					return fmt.Errorf("Delete failed: %w", err)
				}
				key, rev = next, created
				if n == 0 { // from now on every look meets moves
					until = looks.Load() + enough
				}
			}
			return nil
		}
		defer looks.Store(math.MaxInt32)
		for missed := 0; !over.Load(); looks.Add(1) {
			keys, err := v.Owned(c.ctx)
			if err != nil {
				return fmt.Errorf("Owned failed: %w", err)
			}
			if len(keys) > 0 {
				missed = 0
			} else if missed++; missed == 2 {
				return errors.New("it was missed twice")
			}
		}
		return nil
	})
	c.owns(owner, key)
}
