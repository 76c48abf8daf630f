package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A counter is a proxy in front of Redis that counts the commands that pass,
// as INFO would count those of other programs as well.
type counter struct {
	net.Listener
	redis  string
	mu     sync.Mutex
	counts map[string]int
}

func newCounter(redis string) (*counter, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &counter{Listener: l, redis: redis, counts: make(map[string]int)}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go c.relay(client)
		}
	}()
	return c, nil
}

func (c *counter) relay(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.redis)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { _, _ = io.Copy(client, server) }()
	for in := bufio.NewReader(client); ; {
		var command bytes.Buffer
		name, err := readCommand(in, &command)
		if err != nil {
			return
		}
		c.mu.Lock()
		c.counts[name]++ // before the server can answer
		c.mu.Unlock()
		if _, err := server.Write(command.Bytes()); err != nil {
			return
		}
	}
}

// readCommand reads one command, an array of bulk strings, copies it and
// returns its name.
func readCommand(in *bufio.Reader, to *bytes.Buffer) (name string, err error) {
	n, err := readLength(in, to, '*')
	for i := 0; i < n && err == nil; i++ {
		var size int
		if size, err = readLength(in, to, '$'); err != nil {
			break
		}
		at := to.Len()
		if _, err = io.CopyN(to, in, int64(size)+2); err == nil && i == 0 {
			name = strings.ToUpper(string(to.Bytes()[at : at+size]))
		}
	}
	return name, err
}

func readLength(in *bufio.Reader, to *bytes.Buffer, kind byte) (int, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, fmt.Errorf("no command begins with %q", line)
	}
	to.WriteString(line)
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

// take returns the counts and begins anew.
func (c *counter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := c.counts
	c.counts = make(map[string]int)
	return counts
}

// runCommands counts the commands of each scenario, with one request at a
// time.
func runCommands(opt options) (section, error) {
	if opt.redis == "" {
		return nil, errNoRedis
	}
	proxy, err := newCounter(opt.redis)
	if err != nil {
		return nil, err
	}
	defer proxy.Close()
	out := section{}
	for _, c := range contenders {
		if c.floor {
			continue
		}
		p := place{proxy.Addr().String(), newPrefix("commands")}
		err := c.countCommands(p, proxy, out)
		if removeErr := removeKeys(place{opt.redis, p.prefix}); err == nil {
			err = removeErr
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return out, nil
}

func (c contender) countCommands(p place, proxy *counter, out section) error {
	a, err := c.build(p)
	if err != nil {
		return err
	}
	defer a.close()
	cookie, err := a.newCookie("/seed")
	if err != nil {
		return err
	}
	big, err := a.newCookie("/seedbig")
	if err != nil {
		return err
	}
	for _, sc := range scenarios {
		call := a.call(sc.path, []string{noCookie: "", smallCookie: cookie, bigCookie: big}[sc.cookie])
		for range 3 { // connects, and teaches scripts
			call()
		}
		proxy.take()
		const n = 10
		for range n {
			if !call() {
				return errCall
			}
		}
		var cell cell
		counts := proxy.take()
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			cell.add(name, float64(counts[name])/n)
		}
		out.put(c.name, sc.name, cell)
	}
	return nil
}
