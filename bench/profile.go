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
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "cpu.pprof")
	if answer, err := s.ask("profile " + file); err != nil || answer != "ok" {
		return "", fmt.Errorf("profiling %s: %s %w", name, answer, err)
	}
	if _, err := s.drive(sc, a.opt.connections, max(a.opt.http, time.Second)); err != nil {
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

// layers are the parts of the server that a profile is summed up by: what
// their outermost functions spend, with all that they call.
var layers = []string{
	"ginsession.", "echosession.", "sessions.(*Session).Commit", "sessions.(*Session).load", "redisbackend.(*Backend)",
	"go-redis/v9", "memorybackend.(*Backend)", "syscall.Syscall", "runtime.mallocgc", "runtime.gcBgMarkWorker",
	"runtime.schedule", "runtime.findRunnable", "net/http.(*conn).serve", "net.(*conn).Write", "net.(*conn).Read", "codec.", "hash/crc32", "crypto",
}

// summary keeps the lines of a profile that belong to a layer, the first four
// of each.
func summary(top string) string {
	lines := strings.SplitAfter(top, "\n")
	var out strings.Builder
	seen := make(map[string]int)
	for i, line := range lines {
		if i < 6 {
			if strings.HasPrefix(line, "Duration") || strings.Contains(line, "flat%") {
				out.WriteString(line)
			}
			continue
		}
		for _, layer := range layers {
			if strings.Contains(line, layer) {
				if seen[layer]++; seen[layer] <= 4 {
					out.WriteString(line)
				}
				break
			}
		}
	}
	return out.String()
}
