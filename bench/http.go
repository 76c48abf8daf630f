package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

var errNoRedis = errors.New("a Redis server is needed: set REDIS_ADDR or -redis")

// An arena has the servers that run at the moment.
type arena struct {
	opt     options
	info    redisInfo
	running map[*server]bool
}

// start starts a contender's server and seeds its sessions.
func (a *arena) start(name string) (*server, error) {
	c, err := contenderNamed(name)
	if err != nil {
		return nil, err
	}
	s, err := startServer(c, place{a.opt.redis, newPrefix(name)})
	if err != nil {
		return nil, err
	}
	a.running[s] = true
	if err := s.seed(a.opt.sessions, a.opt.bigSessions); err != nil {
		a.stop(s)
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// stop stops a server and removes its sessions.
func (a *arena) stop(s *server) {
	delete(a.running, s)
	s.stop()
	if err := removeKeys(s.place); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}

// cpu returns the CPU time that the run has used: by this process, its
// servers and Redis.
func (a *arena) cpu(pids []int) time.Duration {
	sum := cpuTime() + usage(syscall.RUSAGE_CHILDREN) + a.info.cpu()
	for _, pid := range pids {
		sum += processTime(pid)
	}
	return sum
}

// A duel is a contender and a reference, which run in turn.
type duel struct {
	a, b      string
	scenarios []int
}

var allScenarios = []int{untouched, untouchedCookie, readOne, increment, create, readBig}

// duels are grouped by reference, whose server then goes on running. The last
// ones compare the libraries with each other.
func duels() (list []duel) {
	for _, ref := range []string{rawGin, rawEcho} {
		for _, c := range contenders {
			if c.reference != ref {
				continue
			}
			d := duel{c.name, ref, allScenarios}
			if c.floor {
				d.scenarios = allScenarios[:readOne]
			}
			list = append(list, d)
		}
	}
	both := []int{readOne, increment}
	return append(list,
		duel{oursGin, ginContrib, both}, duel{oursGin, scsGin, both},
		duel{oursEcho, echoContrib, both}, duel{oursEcho, scsEcho, both})
}

// runHTTP measures all duels over HTTP with Redis.
func runHTTP(opt options) (section, cell, error) {
	if opt.redis == "" {
		return nil, nil, errNoRedis
	}
	a := &arena{opt: opt, info: redisInfo{newRedis(place{redis: opt.redis})}, running: make(map[*server]bool)}
	defer func() { _ = a.info.client.Close() }()
	defer func() {
		for s := range a.running {
			a.stop(s)
		}
	}()
	out, foreign := section{}, cell{}
	var ref *server
	for _, d := range duels() {
		if ref == nil || ref.contender.name != d.b {
			if ref != nil {
				a.stop(ref)
			}
			var err error
			if ref, err = a.start(d.b); err != nil {
				return nil, nil, err
			}
		}
		mine, err := a.start(d.a)
		if err != nil {
			return nil, nil, err
		}
		pids := []int{mine.cmd.Process.Pid, ref.cmd.Process.Pid}
		stop := watch(func() time.Duration { return a.cpu(pids) })
		err = a.fight(d, mine, ref, out)
		foreign["cores"] = append(foreign["cores"], stop()["cores"]...)
		a.stop(mine)
		if err != nil {
			return nil, nil, err
		}
		progress("http: %s beside %s", d.a, d.b)
	}
	return out, foreign, nil
}

// fight measures the scenarios of a duel. In every other round the reference
// runs first, as the second one may find the machine in another state.
func (a *arena) fight(d duel, mine, ref *server, out section) error {
	for _, i := range d.scenarios {
		var cell, its cell
		for round := range a.opt.rounds {
			var one, two load
			var err error
			first, second := func() error { one, err = mine.drive(scenarios[i], a.opt.connections, a.opt.http); return err },
				func() error { two, err = ref.drive(scenarios[i], a.opt.connections, a.opt.http); return err }
			if round%2 == 1 {
				first, second = second, first
			}
			if err := errors.Join(first(), second()); err != nil {
				return fmt.Errorf("%s beside %s, %s: %w", d.a, d.b, scenarios[i].name, err)
			}
			cell.add("ratio", one.perSecond()/two.perSecond())
			cell.add("cpu ratio", one.cpuMicros()/two.cpuMicros())
			one.addTo(&cell)
			two.addTo(&its)
		}
		column := scenarios[i].name
		if d.b != mine.contender.reference {
			out.put(d.a+" / "+d.b, column, cell)
			continue
		}
		out.put(d.a, column, cell)
		if _, ok := out[d.b][column]; !ok {
			out.put(d.b, column, its) // of its first duel
		}
	}
	return nil
}

func (l load) addTo(c *cell) {
	c.add("per second", l.perSecond())
	c.add("cpu", l.cpuMicros())
	c.add("p50", millis(l.p50))
	c.add("p99", millis(l.p99))
}
