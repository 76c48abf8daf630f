package main

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"
)

// nothing is the body of a request that reads nothing.
const nothing = "ok"

// newGin returns an engine without middleware.
func newGin() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	return gin.New()
}

func ginRoutes(r *gin.Engine, o operations[*gin.Context]) {
	reply := func(c *gin.Context, body string, err error) {
		if err != nil {
			c.String(http.StatusInternalServerError, err.Error())
			return
		}
		c.Status(http.StatusOK)
		_, _ = c.Writer.WriteString(body)
	}
	r.GET("/untouched", func(c *gin.Context) { reply(c, nothing, nil) })
	if o.get == nil {
		return
	}
	r.GET("/seed", func(c *gin.Context) { reply(c, nothing, o.fill(c, tenKeys)) })
	r.GET("/seedbig", func(c *gin.Context) { reply(c, nothing, o.fill(c, bigKeys)) })
	r.GET("/create", func(c *gin.Context) { reply(c, nothing, o.fill(c, twoKeys)) })
	r.GET("/read", func(c *gin.Context) {
		v, err := o.get(c, readKey)
		reply(c, v, err)
	})
	r.GET("/write", func(c *gin.Context) {
		n, err := o.count(c)
		reply(c, strconv.Itoa(n), err)
	})
}

func echoRoutes(e *echo.Echo, o operations[echo.Context]) {
	reply := func(c echo.Context, body string, err error) error {
		if err != nil {
			return c.String(http.StatusInternalServerError, err.Error())
		}
		w := c.Response()
		w.WriteHeader(http.StatusOK)
		_, err = w.Write([]byte(body))
		return err
	}
	e.GET("/untouched", func(c echo.Context) error { return reply(c, nothing, nil) })
	if o.get == nil {
		return
	}
	e.GET("/seed", func(c echo.Context) error { return reply(c, nothing, o.fill(c, tenKeys)) })
	e.GET("/seedbig", func(c echo.Context) error { return reply(c, nothing, o.fill(c, bigKeys)) })
	e.GET("/create", func(c echo.Context) error { return reply(c, nothing, o.fill(c, twoKeys)) })
	e.GET("/read", func(c echo.Context) error {
		v, err := o.get(c, readKey)
		return reply(c, v, err)
	})
	e.GET("/write", func(c echo.Context) error {
		n, err := o.count(c)
		return reply(c, strconv.Itoa(n), err)
	})
}

func fiberRoutes(f *fiber.App, o operations[fiber.Ctx]) {
	reply := func(c fiber.Ctx, body string, err error) error {
		if err != nil {
			return c.Status(http.StatusInternalServerError).SendString(err.Error())
		}
		return c.SendString(body)
	}
	f.Get("/untouched", func(c fiber.Ctx) error { return reply(c, nothing, nil) })
	if o.get == nil {
		return
	}
	f.Get("/seed", func(c fiber.Ctx) error { return reply(c, nothing, o.fill(c, tenKeys)) })
	f.Get("/seedbig", func(c fiber.Ctx) error { return reply(c, nothing, o.fill(c, bigKeys)) })
	f.Get("/create", func(c fiber.Ctx) error { return reply(c, nothing, o.fill(c, twoKeys)) })
	f.Get("/read", func(c fiber.Ctx) error {
		v, err := o.get(c, readKey)
		return reply(c, v, err)
	})
	f.Get("/write", func(c fiber.Ctx) error {
		n, err := o.count(c)
		return reply(c, strconv.Itoa(n), err)
	})
}

func buildFloorGin(place) (app, error) {
	r := newGin()
	ginRoutes(r, operations[*gin.Context]{})
	return app{http: r, close: func() {}}, nil
}

func buildFloorEcho(place) (app, error) {
	e := echo.New()
	echoRoutes(e, operations[echo.Context]{})
	return app{http: e, close: func() {}}, nil
}

func buildFloorFiber(place) (app, error) {
	f := fiber.New()
	fiberRoutes(f, operations[fiber.Ctx]{})
	return app{fast: f.Handler(), close: func() {}}, nil
}
