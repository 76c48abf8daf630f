package main

import (
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/extractors"
	"github.com/gofiber/fiber/v3/middleware/session"
	fiberredis "github.com/gofiber/storage/redis/v3"
	"github.com/gofiber/utils/v2"
)

func buildFiber(p place) (app, error) {
	cfg := session.Config{
		IdleTimeout: lifetime,
		Extractor:   extractors.FromCookie(cookieName),
		// Its store for Redis knows no prefix.
		KeyGenerator: func() string { return p.prefix + utils.SecureToken() },
	}
	done := func() {}
	if p.redis != "" {
		store := fiberredis.New(fiberredis.Config{Addrs: []string{p.redis}, PoolSize: poolSize})
		cfg.Storage, done = store, func() { _ = store.Close() }
	}
	f := fiber.New()
	f.Use(session.New(cfg))
	fiberRoutes(f, operations[fiber.Ctx]{
		fill: func(c fiber.Ctx, fields []field) error {
			s := session.FromContext(c)
			for _, f := range fields {
				s.Set(f.key, f.value)
			}
			return nil
		},
		get: func(c fiber.Ctx, key string) (string, error) {
			v, _ := session.FromContext(c).Get(key).(string)
			return v, nil
		},
		count: func(c fiber.Ctx) (int, error) {
			s := session.FromContext(c)
			n, _ := s.Get("count").(int)
			s.Set("count", n+1)
			return n + 1, nil
		},
	})
	return app{fast: f.Handler(), close: done}, nil
}
