package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/ginsession"
)

// sizes and keyCounts are what a session is grown to.
var (
	sizes       = []int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20}
	keyCounts   = []int{1, 10, 100, 1000, 10_000}
	goroutines  = []int{1, 2, 4, 16, 64, 256}
	connections = []int{1, 4, 16, 64, 256}
)

// sized is a session of one value that makes up nearly all of its size, and
// the keys that the scenarios use.
func sized(size int) []field {
	return []field{{"blob", strings.Repeat("b", max(size-100, 1))}, {readKey, readValue}, {"count", 0}}
}

// keyed is a session of n keys; those that the scenarios use are the last.
func keyed(n int) []field {
	var fields []field
	for i := range n - 2 {
		fields = append(fields, field{fmt.Sprintf("k%05d", i), "a value of thirty-two characters"})
	}
	return append(fields, field{readKey, readValue}, field{"count", 0})[:max(n, 2)]
}

// withSession returns the handlers of our library, behind Gin, with a session
// that holds the fields, and the session's cookie.
func withSession(p place, fields []field) (a app, cookie string, err error) {
	m, done, err := newManager(p)
	if err != nil {
		return app{}, "", err
	}
	r := newGin()
	r.Use(ginsession.New(m))
	r.GET("/fill", func(c *gin.Context) { _ = ourFill(sessions.Default(c), fields) })
	r.GET("/read", func(c *gin.Context) {
		v, _ := ourGet(sessions.Default(c), readKey)
		_, _ = c.Writer.WriteString(v)
	})
	r.GET("/write", func(c *gin.Context) {
		_, _ = ourCount(sessions.Default(c))
		_, _ = c.Writer.WriteString(nothing)
	})
	a = app{http: r, close: done}
	cookie, err = a.newCookie("/fill")
	if err != nil {
		done()
	}
	return a, cookie, err
}

// runGrowth measures our library, one request at a time, while the session
// grows: in size, and in keys.
func runGrowth(opt options) (section, error) {
	out := section{}
	places := []struct {
		name string
		place
	}{{"memory", place{}}, {"redis", place{redis: opt.redis, prefix: newPrefix("growth")}}}
	for _, p := range places {
		if p.name == "redis" && p.redis == "" {
			continue
		}
		for _, size := range sizes {
			if err := grow(opt, p.place, sized(size), out, p.name+" size", fmt.Sprint(size)); err != nil {
				return nil, err
			}
		}
		for _, n := range keyCounts {
			if err := grow(opt, p.place, keyed(n), out, p.name+" keys", fmt.Sprint(n)); err != nil {
				return nil, err
			}
		}
		if p.redis != "" {
			if err := removeKeys(p.place); err != nil {
				return nil, err
			}
		}
		progress("growth: %s", p.name)
	}
	return out, nil
}

func grow(opt options, p place, fields []field, out section, row, column string) error {
	a, cookie, err := withSession(p, fields)
	if err != nil {
		return fmt.Errorf("%s %s: %w", row, column, err)
	}
	defer a.close()
	var cell cell
	for range opt.rounds {
		for _, name := range []string{"read", "write"} {
			c, err := measure(a.call("/"+name, cookie), opt.inProcess)
			if err != nil {
				return fmt.Errorf("%s %s, %s: %w", row, column, name, err)
			}
			cell.add(name+" us", c.nanos/1000)
			cell.add(name+" allocs", c.allocs)
			cell.add(name+" bytes", c.bytes)
		}
	}
	out.put(row, column, cell)
	return nil
}

// runParallel measures how much more is done at a time when there are more
// requests at a time: in process with goroutines, each with a session of its
// own, and over HTTP with connections.
func runParallel(opt options) (section, error) {
	out := section{}
	for _, n := range goroutines {
		var cell cell
		for range opt.rounds {
			for _, name := range []string{"read", "write"} {
				perSecond, err := parallel("/"+name, n, opt.inProcess)
				if err != nil {
					return nil, err
				}
				cell.add(name, perSecond)
			}
		}
		out.put("memory", fmt.Sprint(n), cell)
	}
	if opt.redis == "" {
		return out, nil
	}
	a := &arena{opt: opt, running: make(map[*server]bool)}
	s, err := a.start(oursGin)
	if err != nil {
		return nil, err
	}
	defer a.stop(s)
	for _, n := range connections {
		var cell cell
		for range opt.rounds {
			for _, i := range []int{readOne, increment} {
				l, err := s.drive(scenarios[i], n, opt.http)
				if err != nil {
					return nil, err
				}
				cell.add(scenarios[i].name, l.perSecond())
				cell.add(scenarios[i].name+" p50", millis(l.p50))
				cell.add(scenarios[i].name+" p99", millis(l.p99))
			}
		}
		out.put("redis", fmt.Sprint(n), cell)
	}
	progress("parallel requests")
	return out, nil
}

// parallel returns how many requests a second n goroutines make.
func parallel(path string, n int, duration time.Duration) (float64, error) {
	a, _, err := withSession(place{}, tenKeys)
	if err != nil {
		return 0, err
	}
	defer a.close()
	calls := make([]func() bool, n)
	for i := range calls {
		cookie, err := a.newCookie("/fill")
		if err != nil {
			return 0, err
		}
		calls[i] = a.call(path, cookie)
	}
	ctx, cancel := context.WithTimeout(context.Background(), duration)
	defer cancel()
	counts := make([]int, n)
	failed := make([]bool, n)
	begin := time.Now()
	var wg sync.WaitGroup
	for i, call := range calls {
		wg.Go(func() {
			for ctx.Err() == nil && !failed[i] {
				for range 16 {
					failed[i] = failed[i] || !call()
				}
				counts[i] += 16
			}
		})
	}
	wg.Wait()
	sum := 0
	for i, count := range counts {
		if failed[i] {
			return 0, errCall
		}
		sum += count
	}
	return float64(sum) / time.Since(begin).Seconds(), nil
}
