package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// profiles says for each scenario of ours over HTTP that misses a target
// where the server's time goes.
func (r results) profiles(opt options) (string, error) {
	a := &arena{opt: opt, running: make(map[*server]bool)}
	var text strings.Builder
	done := make(map[string]bool)
	for _, t := range r.httpTargets() {
		id := fmt.Sprint(t.contender, t.scenario)
		if t.met || t.measured == "" || done[id] {
			continue
		}
		done[id] = true
		top, err := a.top(t.contender, scenarios[t.scenario])
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "%s, %s:\n\n```\n%s```\n\n", t.contender, scenarios[t.scenario].name, top)
	}
	return text.String(), nil
}

// top profiles a scenario and returns the functions in which the server
// spends most, with what they call.
func (a *arena) top(name string, sc scenario) (string, error) {
	s, err := a.start(name)
	if err != nil {
		return "", err
	}
	defer a.stop(s)
	dir, err := os.MkdirTemp("", "bench-profile")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "cpu.pprof")
	if answer, err := s.ask("profile " + file); err != nil || answer != "ok" {
		return "", fmt.Errorf("profiling %s: %s %w", name, answer, err)
	}
	if _, err := s.drive(sc, a.opt.connections, max(a.opt.http, 2*time.Second)); err != nil {
		return "", err
	}
	if _, err := s.ask("stop"); err != nil {
		return "", err
	}
	out, err := exec.Command("go", "tool", "pprof", "-top", "-cum", "-nodecount=400", file).Output()
	if err != nil {
		return "", fmt.Errorf("go tool pprof: %w", err)
	}
	return summary(string(out)), nil
}

// layers are the functions that a profile is summed up by, with all that they
// call.
var layers = []string{
	"net/http.(*conn).serve", "ginsession.", "echosession.", "sessions.(*Session).Commit", "sessions.(*Session).load",
	"codec.", "hash/crc32.Update", "crypto/rand.Read", "redisbackend.(*Backend)", "go-redis/v9",
	"net.(*conn).Write", "net.(*conn).Read", "internal/runtime/syscall", "runtime.mallocgc", "runtime.gcBgMarkWorker", "runtime.schedule",
}

// summary keeps of a profile the first line of each layer, as a share of the
// CPU time and the function.
func summary(top string) string {
	var out strings.Builder
	seen := make(map[string]bool)
	for line := range strings.Lines(top) {
		fields := strings.Fields(line) // flat, flat%, sum%, cum, cum%, function
		if len(fields) < 6 || !strings.HasSuffix(fields[4], "%") {
			continue
		}
		for _, layer := range layers {
			if strings.Contains(fields[5], layer) && !seen[layer] {
				seen[layer] = true
				fmt.Fprintf(&out, "%7s  %s\n", fields[4], fields[5])
				break
			}
		}
	}
	return out.String()
}
