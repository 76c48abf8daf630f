package backendtest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-session2/sessions/backend"
)

// rounds is how often the races of single calls are run.
const rounds = 10

func raceRules() []rule {
	return []rule{
		{name: "race/keys",
			text: "Goroutines that work on different keys at once do not disturb each other.",
			run:  raceKeys},
		{name: "race/counter",
			text: "No update is lost: increments by many goroutines at once, each by Load and Update, add up.",
			run:  raceCounter},
		{name: "race/touch",
			text: "No update is lost while other goroutines touch the record.",
			run:  raceTouch},
		{name: "race/create",
			text: "Of many Creates of one key at once, with different data, one succeeds and all others return ErrExists.",
			run:  raceCreate},
		{name: "race/delete",
			text: "Of many Deletes at one revision at once, one succeeds and all others return ErrNotFound or ErrConflict.",
			run:  raceDelete},
		{name: "race/update-delete",
			text: "Of an Update and a Delete at one revision at once, one succeeds: the record is either updated or gone.",
			run:  raceUpdateDelete},
		{name: "race/logout",
			text: "A record deleted while others update and touch it stays dead.",
			run:  raceLogout},
		{name: "race/load",
			text: "Load never sees half an Update: it returns the data of before or of after.",
			run:  raceLoad},
	}
}

func raceKeys(c *check) {
	c.race(c.Contention, func(_ int, b backend.Backend) error {
		key, data := newKey(), newData(200)
		rev, err := b.Create(c.ctx, key, data, longTTL)
		for range rounds {
			if err != nil {
				return fmt.Errorf("a write failed: %w", err)
			}
			rec, err := b.Load(c.ctx, key)
			if err != nil {
				return fmt.Errorf("Load failed: %w", err)
			}
			if !bytes.Equal(rec.Data, data) {
				return errors.New("Load returned other data than was written last")
			}
			data = newData(200)
			if rev, err = b.Update(c.ctx, key, data, longTTL, rev); err != nil {
				return fmt.Errorf("Update failed: %w", err)
			}
		}
		return b.Delete(c.ctx, key, rev)
	})
}

// A counter is data that holds a number and, as package sessions does it, a
// token that no other data has.
type counter struct {
	Count int    `json:"count"`
	Token string `json:"token"`
}

func count(n int) []byte {
	data, err := json.Marshal(counter{n, rand.Text()})
	if err != nil {
		panic(err) // no counter cannot be encoded
	}
	return data
}

// number returns the number in the data of a record.
func number(rec backend.Record) (int, error) {
	var c counter
	if err := json.Unmarshal(rec.Data, &c); err != nil {
		return 0, fmt.Errorf("Load returned %d bytes, which are none that were stored", len(rec.Data))
	}
	return c.Count, nil
}

// increment adds one to the number under key.
func increment(c *check, b backend.Backend, key string) error {
	for c.ctx.Err() == nil {
		rec, err := b.Load(c.ctx, key)
		if err != nil {
			return fmt.Errorf("Load failed: %w", err)
		}
		n, err := number(rec)
		if err != nil {
			return err
		}
		_, err = b.Update(c.ctx, key, count(n+1), longTTL, rec.Revision)
		if !errors.Is(err, backend.ErrConflict) {
			if err != nil {
				err = fmt.Errorf("Update failed: %w", err)
			}
			return err
		}
	}
	return errors.New("an increment found no end of conflicts")
}

// counts checks the number under key.
func (c *check) counts(key string, want int) {
	c.t.Helper()
	rec, err := c.b.Load(c.ctx, key)
	c.must("Load", err)
	if n, err := number(rec); err != nil || n != want {
		c.broken("the count after %d increments is %d, %v", want, n, err)
	}
}

func raceCounter(c *check) {
	const each = 8
	key, _ := c.create(count(0), longTTL)
	c.race(c.Contention, func(_ int, b backend.Backend) error {
		for range each {
			if err := increment(c, b, key); err != nil {
				return err
			}
		}
		return nil
	})
	c.counts(key, c.Contention*each)
}

func raceTouch(c *check) {
	const each, fewTouches, manyTouches = 20, 5, 200
	key, _ := c.create(count(0), longTTL)
	n := max(2, c.Contention/4)
	var increments, warm, writing atomic.Int32
	warm.Store(int32(n))    // the touchers that have not touched a few times
	writing.Store(int32(n)) // the writers that go on
	c.race(2*n, func(i int, b backend.Backend) error {
		if i < n {
			defer writing.Add(-1)
			for n := 0; n < each || warm.Load() > 0; n++ {
				if err := increment(c, b, key); err != nil {
					return err
				}
				increments.Add(1)
			}
			return nil
		}
		warmed := sync.OnceFunc(func() { warm.Add(-1) })
		defer warmed()
		// There is an end to the touches even where each makes a writer try again.
		for n := 0; n < manyTouches && writing.Load() > 0; n++ {
			if n == fewTouches {
				warmed()
			}
			if err := b.Touch(c.ctx, key, longTTL+time.Duration(n)*time.Minute); err != nil {
				return fmt.Errorf("Touch failed: %w", err)
			}
		}
		return nil
	})
	c.counts(key, int(increments.Load()))
}

func raceCreate(c *check) {
	for range rounds {
		key := newKey()
		var winner atomic.Pointer[[]byte]
		c.race(c.Contention, func(_ int, b backend.Backend) error {
			data := newData(100)
			_, err := b.Create(c.ctx, key, data, longTTL)
			if err == nil && !winner.CompareAndSwap(nil, &data) {
				return errors.New("two Creates succeeded")
			}
			if err != nil && !errors.Is(err, backend.ErrExists) {
				return fmt.Errorf("Create failed: %w", err)
			}
			return nil
		})
		if winner.Load() == nil {
			c.broken("no Create succeeded")
		}
		c.holds(key, *winner.Load())
	}
}

func raceDelete(c *check) {
	for range rounds {
		key, rev := c.create(newData(100), longTTL)
		var won atomic.Int32
		c.race(c.Contention, func(_ int, b backend.Backend) error {
			err := b.Delete(c.ctx, key, rev)
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, backend.ErrNotFound) && !errors.Is(err, backend.ErrConflict) {
				return fmt.Errorf("Delete failed: %w", err)
			}
			return nil
		})
		if n := won.Load(); n != 1 {
			c.broken("%d Deletes succeeded", n)
		}
		c.missing(key)
	}
}

func raceUpdateDelete(c *check) {
	for round := range 2 * rounds {
		key, rev := c.create(newData(100), longTTL)
		data := newData(100)
		var updated, deleted bool
		c.race(2, func(i int, b backend.Backend) (err error) {
			if (i+round)%2 == 0 { // so that neither always comes first
				_, err = b.Update(c.ctx, key, data, longTTL, rev)
				updated = err == nil
			} else {
				err = b.Delete(c.ctx, key, rev)
				deleted = err == nil
			}
			if errors.Is(err, backend.ErrNotFound) || errors.Is(err, backend.ErrConflict) {
				return nil
			}
			return err
		})
		if updated == deleted {
			c.broken("Update succeeded: %v, Delete succeeded: %v", updated, deleted)
		}
		if deleted {
			c.missing(key)
		} else {
			c.holds(key, data)
		}
	}
}

func raceLogout(c *check) {
	for range rounds {
		key, _ := c.create(count(0), longTTL)
		var deleted atomic.Bool
		c.race(max(4, c.Contention/2), func(i int, b backend.Backend) error {
			if i == 0 {
				defer deleted.Store(true)
				if err := increment(c, b, key); err != nil {
					return err
				}
				if err := b.Delete(c.ctx, key, nil); err != nil {
					return fmt.Errorf("Delete failed: %w", err)
				}
				return nil
			}
			for {
				after := deleted.Load()
				var err error
				if i%3 == 0 {
					err = b.Touch(c.ctx, key, 2*longTTL)
				} else {
					err = increment(c, b, key)
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
	}
}

func raceLoad(c *check) {
	// The length changes too, as a file that is cut short would show.
	written := func(n int) []byte {
		return object(minMaxSize-n, func(int) byte { return '0' + byte(n) }) // up to N
	}
	key, rev := c.create(written(0), longTTL)
	var done atomic.Bool
	c.race(4, func(i int, b backend.Backend) error {
		if i == 0 {
			defer done.Store(true)
			for n := range 3 * rounds {
				next, err := b.Update(c.ctx, key, written(n+1), longTTL, rev)
				if err != nil {
					return fmt.Errorf("Update failed: %w", err)
				}
				rev = next
			}
			return nil
		}
		for !done.Load() {
			rec, err := b.Load(c.ctx, key)
			if err != nil {
				return fmt.Errorf("Load failed: %w", err)
			}
			if n := minMaxSize - len(rec.Data); n < 0 || n > 3*rounds || !bytes.Equal(rec.Data, written(n)) {
				return fmt.Errorf("Load returned %d bytes, which are not what any write has stored", len(rec.Data))
			}
		}
		return nil
	})
}
