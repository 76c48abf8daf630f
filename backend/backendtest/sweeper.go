package backendtest

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-session2/sessions/backend"
)

// sweepWait is how long a sweep may take to find records that have expired,
// for stores that search an index which lags behind.
const sweepWait = 5 * time.Second

func sweeperRules() []rule {
	needs := func(s *suite) string {
		if _, ok := s.main.(backend.Sweeper); !ok {
			return "no backend.Sweeper"
		}
		return ""
	}
	return []rule{
		{name: "sweep/expired", needs: needs,
			text: "Sweep removes the expired records, at most limit in one call, counts them, and removes no other record, nor one that was extended meanwhile.",
			run:  sweepExpired},
		{name: "sweep/none", needs: needs,
			text: "Sweep removes nothing, and says so, when nothing has expired.",
			run:  sweepNone},
		{name: "sweep/several", needs: needs,
			text: "Several processes may sweep one store at once: together they count each expired record once, and live records stay.",
			run:  sweepSeveral},
	}
}

// sweepAll sweeps until there is nothing more to remove, or until atLeast
// records are removed where more time is needed, and returns how many.
func sweepAll(c *check, b backend.Backend, limit, atLeast int) (total int, err error) {
	deadline := time.Now()
	if c.Advance == nil { // a store whose clock can be moved has no such index
		deadline = deadline.Add(sweepWait)
	}
	for c.ctx.Err() == nil {
		n, err := b.(backend.Sweeper).Sweep(c.ctx, limit)
		if err != nil {
			return total, fmt.Errorf("Sweep failed: %w", err)
		}
		if n < 0 || n > limit {
			return total, fmt.Errorf("Sweep with the limit %d says that it removed %d", limit, n)
		}
		total += n
		if n == limit {
			continue
		}
		if total >= atLeast || time.Now().After(deadline) {
			return total, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return total, fmt.Errorf("Sweep found no end after %d records", total)
}

// litter empties the store of expired records and fills it with others that
// have n of them expired when it returns, and with live ones, which it also
// returns.
func litter(c *check, n int) (live map[string][]byte) {
	_, err := sweepAll(c, c.main, 100, 0)
	c.must("sweeping", err)
	for range n {
		c.create(newData(50), shortTTL)
	}
	live = make(map[string][]byte)
	for range n {
		data := newData(50)
		key, _ := c.create(data, longTTL)
		live[key] = data
	}
	for _, op := range []string{"Touch", "Update"} {
		c.alive(func(ttl time.Duration) bool {
			data, next := newData(50), newData(50)
			key, rev := c.create(data, ttl)
			if op == "Touch" {
				live[key] = data
				err = c.b.Touch(c.ctx, key, longTTL)
			} else {
				live[key] = next
				_, err = c.b.Update(c.ctx, key, next, longTTL, rev)
			}
			if !c.alright(op, err) {
				delete(live, key)
				return false
			}
			return true
		})
	}
	c.wait(shortTTL + c.Resolution)
	return live
}

func (c *check) holdsAll(live map[string][]byte) {
	c.t.Helper()
	for key, data := range live {
		c.holds(key, data)
	}
}

func sweepExpired(c *check) {
	const n = 25
	live := litter(c, n)
	total, err := sweepAll(c, c.main, 10, n)
	if err != nil {
		c.broken("%v", err)
	}
	c.holdsAll(live)
	if total < n {
		c.broken("Sweep removed %d of %d expired records", total, n)
	}
}

func sweepNone(c *check) {
	_, err := sweepAll(c, c.main, 100, 0)
	c.must("sweeping", err)
	data := newData(50)
	key, _ := c.create(data, longTTL)
	n, err := c.main.(backend.Sweeper).Sweep(c.ctx, 100)
	c.must("Sweep", err)
	c.holds(key, data)
	if n != 0 {
		c.broken("Sweep says that it removed %d", n)
	}
}

func sweepSeveral(c *check) {
	const n = 40
	live := litter(c, n)
	var total atomic.Int64
	c.race(4, func(i int, _ backend.Backend) error {
		b := c.main
		if i%2 == 1 {
			b = c.suite.second
		}
		removed, err := sweepAll(c, b, 7, 0)
		total.Add(int64(removed))
		return err
	})
	rest, err := sweepAll(c, c.main, 7, n-int(total.Load()))
	c.must("sweeping", err)
	c.holdsAll(live)
	if got := int(total.Load()) + rest; got != n {
		c.broken("the sweepers count %d removed records, %d have expired", got, n)
	}
}
