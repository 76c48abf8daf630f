package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// busy returns the CPU time that the whole machine has used, or 0 where
// /proc/stat does not tell.
func busy() time.Duration {
	f, err := os.Open("/proc/stat")
	if err != nil {
		return 0
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		return 0
	}
	var sum time.Duration
	for i, text := range strings.Fields(line) {
		// user, nice, system, idle, iowait, irq, softirq, steal
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		sum += ticks(text)
	}
	return sum
}

// processTime returns the CPU time that a running process has used.
func processTime(pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), ") ") // after the name
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	return ticks(fields[11]) + ticks(fields[12]) // utime and stime
}

// ticks returns a number of clock ticks as a duration.
func ticks(text string) time.Duration {
	n, _ := strconv.ParseInt(text, 10, 64)
	return time.Duration(n) * 10 * time.Millisecond // USER_HZ is 100 on every Linux
}

// watch records, each second until stop is called, how many cores were used by
// processes other than those of the run, whose CPU time own returns.
func watch(own func() time.Duration) (stop func() cell) {
	if busy() == 0 {
		return func() cell { return nil }
	}
	var c cell
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		at, all, mine := time.Now(), busy(), own()
		for {
			select {
			case <-end:
				return
			case now := <-tick.C:
				nextAll, nextMine := busy(), own()
				cores := (nextAll - all - (nextMine - mine)).Seconds() / now.Sub(at).Seconds()
				c.add("cores", max(cores, 0))
				at, all, mine = now, nextAll, nextMine
			}
		}
	}()
	return func() cell {
		close(end)
		<-done
		return c
	}
}
