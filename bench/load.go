package main

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// A load is what a run of requests has shown.
type load struct {
	requests int
	seconds  float64
	cpu      time.Duration // of the server
	p50, p99 time.Duration
}

func (l load) perSecond() float64    { return float64(l.requests) / l.seconds }
func (l load) cpuMicros() float64    { return float64(l.cpu.Microseconds()) / float64(max(l.requests, 1)) }
func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// drive sends requests over a number of keep-alive connections, each as soon
// as the last one was answered. Connection i has the requests i, i+n, i+2n
// and so on in turn, so that no two of them use a session at the same time.
func (s *server) drive(sc scenario, connections int, duration time.Duration) (load, error) {
	requests := s.requests(sc)
	conns := make([]*conn, 0, connections)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range connections {
		c, err := dial(s.addr)
		if err != nil {
			return load{}, err
		}
		conns = append(conns, c)
	}
	if _, err := run(conns, requests, duration/8); err != nil { // warms up
		return load{}, err
	}
	before, err := s.cpu()
	if err != nil {
		return load{}, err
	}
	begin := time.Now()
	times, err := run(conns, requests, duration)
	if err != nil {
		return load{}, err
	}
	l := load{requests: len(times), seconds: time.Since(begin).Seconds()}
	after, err := s.cpu()
	l.cpu = after - before
	if len(times) > 0 {
		slices.Sort(times)
		l.p50, l.p99 = times[len(times)/2], times[len(times)*99/100]
	}
	return l, err
}

// run returns how long each request took.
func run(conns []*conn, requests [][]byte, duration time.Duration) ([]time.Duration, error) {
	times := make([][]time.Duration, len(conns))
	errs := make([]error, len(conns))
	end := time.Now().Add(duration)
	var wg sync.WaitGroup
	for i, c := range conns {
		wg.Go(func() {
			mine := make([]time.Duration, 0, 1<<12)
			for at := i; errs[i] == nil; at += len(conns) {
				begin := time.Now()
				if begin.After(end) {
					break
				}
				errs[i] = c.do(requests[at%len(requests)], nil)
				mine = append(mine, time.Since(begin))
			}
			times[i] = mine
		})
	}
	wg.Wait()
	return slices.Concat(times...), errors.Join(errs...)
}
