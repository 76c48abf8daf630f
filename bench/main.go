// Command bench compares the library with others and with handlers written by
// hand, measures how its costs grow, and writes docs/benchmarks.md.
//
//	cd bench && go run . [-quick]
//
// It takes less than 20 minutes, with -quick less than 3, and needs a Redis
// server, in REDIS_ADDR. It removes the keys that it makes there.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := bench(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench() error {
	var (
		redis     = flag.String("redis", os.Getenv("REDIS_ADDR"), "the `address` of a Redis server, host:port")
		fast      = flag.Bool("quick", false, "measure less, in less than 3 minutes")
		onlyCheck = flag.Bool("check", false, "only check that every contender does what the scenarios say")
		only      = flag.String("only", "", "the `parts` to measure, with commas: "+strings.Join(partNames(), ", ")+"; default: all")
		duration  = flag.Duration("soak", 0, "how long the soak takes; default: a minute, with -quick 5s")
		dir       = flag.String("dir", "", "where files and databases are made; default: the system's temporary `directory`")
		root      = flag.String("root", "..", "the `directory` of the library, in which docs/benchmarks.md is written")
		render    = flag.Bool("render", false, "only write the page anew, from the results of the last runs")

		serveName = flag.String("serve", "", "used by the program itself: be the server of a `contender`")
		prefix    = flag.String("prefix", "", "used by the program itself: of the keys in Redis")
	)
	flag.Parse()
	if *serveName != "" {
		return serve(*serveName, place{*redis, *prefix})
	}
	opt := full()
	if *fast {
		opt = quick()
	}
	opt.redis, opt.dir = *redis, *dir
	if *duration > 0 {
		opt.soak = *duration
	}
	if !*render {
		if err := check(opt.redis); err != nil || *onlyCheck {
			return err
		}
	}
	file := filepath.Join(*root, "bench", "results.json")
	all, err := readResults(file)
	if err != nil {
		return err
	}
	if !*render {
		err = measureParts(opt, *only, all, func() error { return all.write(file) })
	}
	return errors.Join(err, all.writePage(filepath.Join(*root, "docs", "benchmarks.md")))
}

// parts are what a run consists of, in order.
var parts = []struct {
	name string
	run  func(options) (section, cell, string, error)
}{
	{"commands", alone(runCommands)},
	{"in process", alone(runInProcess)},
	{"http", func(opt options) (section, cell, string, error) {
		cells, foreign, err := runHTTP(opt)
		if err != nil {
			return nil, nil, "", err
		}
		text, err := results{"http": {Cells: cells}}.profiles(opt)
		return cells, foreign, text, err
	}},
	{"growth", alone(runGrowth)},
	{"parallel", alone(runParallel)},
	{"stored", alone(runStored)},
	{"soak", alone(runSoak)},
}

// alone makes a part of what needs this process alone, with the load of
// others.
func alone(run func(options) (section, error)) func(options) (section, cell, string, error) {
	return func(opt options) (section, cell, string, error) {
		own := func() time.Duration { return cpuTime() + usage(syscall.RUSAGE_CHILDREN) }
		stop := watch(own)
		cells, err := run(opt)
		return cells, stop(), "", err
	}
}

func partNames() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// measureParts runs the parts that are asked for, and saves after each.
func measureParts(opt options, only string, all results, save func() error) error {
	wanted := partNames()
	if only != "" {
		wanted = strings.Split(only, ",")
	}
	for _, name := range wanted {
		if !slices.Contains(partNames(), name) {
			return fmt.Errorf("there is no part %q; there are: %s", name, strings.Join(partNames(), ", "))
		}
	}
	var errs []error
	for _, p := range parts {
		if !slices.Contains(wanted, p.name) {
			continue
		}
		progress("%s", p.name)
		begin := time.Now()
		cells, foreign, text, err := p.run(opt)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
		if cells == nil {
			continue
		}
		all[p.name] = part{When: begin.UTC().Truncate(time.Second), Quick: opt.quick, Machine: machine(), Foreign: foreign, Cells: cells, Text: text}
		progress("%s took %v", p.name, time.Since(begin).Round(time.Second))
		if err := save(); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

// machine says on what the figures were measured.
func machine() string {
	model := "unknown processor"
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(data), "model name"); ok {
			line, _, _ := strings.Cut(rest, "\n")
			model = strings.TrimLeft(line, "\t :")
		}
	}
	return fmt.Sprintf("%d cores (%s), %s/%s, %s", runtime.GOMAXPROCS(0), model, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
