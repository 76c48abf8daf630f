package backendtest

import (
	"io"

	"github.com/go-session2/sessions/backend"
)

func handleRules() []rule {
	return []rule{
		{name: "ping",
			text: "Ping returns nil while the store answers.",
			needs: func(s *suite) string {
				if _, ok := s.main.(backend.Pinger); !ok {
					return "no backend.Pinger"
				}
				return ""
			},
			run: func(c *check) { c.must("Ping", c.main.(backend.Pinger).Ping(c.ctx)) }},
		{name: "close",
			text: "Close may be called more than once, and afterwards every method returns ErrClosed, while other backends on the store go on.",
			needs: func(s *suite) string {
				if _, ok := s.main.(io.Closer); !ok {
					return "no io.Closer"
				}
				return ""
			},
			run: closes},
	}
}

func closes(c *check) {
	data := newData(100)
	mainKey, _ := c.create(data, longTTL)

	raw := c.open(c.t, c.Open)
	b := &watched{Backend: raw, t: c.t}
	key := newKey()
	rev, err := b.Create(c.ctx, key, newData(100), longTTL)
	c.must("Create", err)
	for range 2 {
		c.must("Close", raw.(io.Closer).Close())
		for _, call := range calls(c.ctx, b, key, rev) {
			c.wants(call.name, call.f(), backend.ErrClosed)
		}
	}
	c.holds(mainKey, data)
}
