package backendtest

import (
	"context"
	"time"

	"github.com/go-session2/sessions/backend"
)

func contextRules() []rule {
	return []rule{
		{name: "context/cancelled",
			text: "A context that is already cancelled is answered with context.Canceled before the store is asked, and nothing is changed.",
			run: func(c *check) {
				ctx, cancel := context.WithCancel(c.ctx)
				cancel()
				contextDone(c, ctx)
			}},
		{name: "context/deadline",
			text: "A context whose deadline has passed is answered with context.DeadlineExceeded before the store is asked, and nothing is changed.",
			run: func(c *check) {
				ctx, cancel := context.WithDeadline(c.ctx, time.Now().Add(-time.Second))
				defer cancel()
				contextDone(c, ctx)
			}},
	}
}

// contextDone checks that no method does anything with a context that is
// done.
func contextDone(c *check, ctx context.Context) {
	data := newData(100)
	key, rev := c.create(data, longTTL)
	for _, call := range calls(ctx, c.b, key, rev) {
		c.wants(call.name, call.f(), ctx.Err())
		c.holds(key, data)
	}
	unused := newKey()
	_, err := c.b.Create(ctx, unused, newData(100), longTTL)
	c.wants("Create", err, ctx.Err())
	c.missing(unused)
	c.wants("Load of a missing key", loadErr(ctx, c.b, unused), ctx.Err())
	c.wants("Delete of a missing key", c.b.Delete(ctx, unused, nil), ctx.Err())
	c.update(key, newData(100), longTTL, rev)
}

func loadErr(ctx context.Context, b backend.Backend, key string) error {
	_, err := b.Load(ctx, key)
	return err
}

// A call is one way to use a backend that must fail.
type call struct {
	name string
	f    func() error
}

// calls returns calls of every method that b has, on a record with the
// revision rev.
func calls(ctx context.Context, b *watched, key string, rev backend.Revision) []call {
	list := []call{
		{"Load", func() error { return loadErr(ctx, b, key) }},
		{"Create", func() error {
			_, err := b.Create(ctx, key, newData(100), longTTL)
			return err
		}},
		{"Update", func() error {
			_, err := b.Update(ctx, key, newData(100), longTTL, rev)
			return err
		}},
		{"Touch", func() error { return b.Touch(ctx, key, 2*longTTL) }},
		{"Delete with a base", func() error { return b.Delete(ctx, key, rev) }},
		{"Delete", func() error { return b.Delete(ctx, key, nil) }},
	}
	if s, ok := b.Backend.(backend.Sweeper); ok {
		list = append(list, call{"Sweep", func() error {
			_, err := s.Sweep(ctx, 10)
			return err
		}})
	}
	if l, ok := b.Backend.(backend.Lister); ok {
		list = append(list, call{"List", func() error {
			_, _, err := l.List(ctx, key, "", 10)
			b.secret("List", err, key, nil)
			return err
		}})
	}
	if p, ok := b.Backend.(backend.Pinger); ok {
		list = append(list, call{"Ping", func() error { return p.Ping(ctx) }})
	}
	return list
}
