//go:build linux

package faulttest

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A fault is what can be wrong with the way to a server.
type fault string

const (
	healthy   fault = ""
	refused   fault = "refused"    // nobody listens
	reset     fault = "reset"      // connections are reset as soon as they are used
	blackHole fault = "black hole" // connections are accepted; what is sent arrives when it is over
	slow      fault = "latency"    // replies come later than anybody waits
	lostReply fault = "lost reply" // the server does what it is told, and its reply is lost
	cutReply  fault = "reply cut"  // the same, in the middle of the reply
	latency         = 4 * timeout  // of slow
)

var faults = []fault{refused, reset, blackHole, slow, lostReply, cutReply}

// lastAddr counts the loopback addresses that proxies have.
var lastAddr atomic.Int32

// A proxy passes connections on to a server, and has one fault at a time.
type proxy struct {
	addr, server string

	mu    sync.Mutex
	fault fault
	over  chan struct{} // closed when the fault has ended
	l     net.Listener
	links map[*link]bool
	prey  []byte // a request that holds it is one whose reply will be lost
	skip  int    // how many such requests are spared before
	cut   bool   // the reply is cut, not lost
	lost  int    // replies
}

// A link is a connection of a client and its continuation to the server.
type link struct {
	client, server *net.TCPConn
	doomed         atomic.Bool // its next reply is lost
}

// newProxy returns a proxy that listens on a loopback address of its own, so
// that nobody else takes the port while it refuses connections.
func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	n := lastAddr.Add(1)
	p := &proxy{addr: fmt.Sprintf("127.7.%d.%d:0", n/250, n%250+1), server: server, links: make(map[*link]bool)}
	p.heal(t)
	t.Cleanup(func() { p.inject(refused) })
	return p
}

// inject begins a fault.
func (p *proxy) inject(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault != healthy {
		close(p.over)
	}
	p.fault, p.over = f, make(chan struct{})
	if f == refused {
		p.l.Close()
	}
	if f == refused || f == reset {
		for k := range p.links {
			k.reset()
		}
	}
}

// heal ends a fault.
func (p *proxy) heal(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault != healthy {
		close(p.over)
	}
	listens := p.l != nil && p.fault != refused
	p.fault = healthy
	if listens {
		return
	}
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		t.Fatalf("a proxy needs a loopback address of its own, as Linux has them: %v", err)
	}
	p.l, p.addr = l, l.Addr().String()
	go p.serve(l)
}

// arm makes the proxy lose the reply to a request that holds the text, after it
// has spared some such requests. With cut it loses a part of it only.
func (p *proxy) arm(text string, spare int, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prey, p.skip, p.cut = []byte(text), spare, cut
}

// disarm ends arm and returns how many replies were lost in all.
func (p *proxy) disarm() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prey = nil
	return p.lost
}

func (p *proxy) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		k := &link{client: c.(*net.TCPConn)}
		p.mu.Lock()
		f := p.fault
		p.mu.Unlock()
		s, err := net.Dial("tcp", p.server)
		if err != nil || f == reset || f == refused {
			if err == nil {
				s.Close()
			}
			_ = k.client.SetLinger(0)
			k.client.Close()
			continue
		}
		k.server = s.(*net.TCPConn)
		p.mu.Lock()
		p.links[k] = true
		if p.fault == refused || p.fault == reset {
			k.reset()
		}
		p.mu.Unlock()
		go p.pass(k, k.client, k.server, p.request)
		go p.pass(k, k.server, k.client, p.reply)
	}
}

// pass copies one direction of a link, and ends the link when it ends. edit
// tells how much of a piece is passed on, and whether the link goes on.
func (p *proxy) pass(k *link, from, to *net.TCPConn, edit func(*link, []byte) (int, bool)) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			keep, more := edit(k, buf[:n])
			if keep > 0 {
				if _, err := to.Write(buf[:keep]); err != nil {
					break
				}
			}
			if !more {
				k.reset()
				break
			}
		}
		if err != nil {
			break
		}
	}
	k.client.Close()
	k.server.Close()
	p.mu.Lock()
	delete(p.links, k)
	p.mu.Unlock()
}

// request is the edit of what a client sends.
func (p *proxy) request(k *link, b []byte) (int, bool) {
	p.wait(blackHole, nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.prey != nil && bytes.Contains(b, p.prey) {
		if p.skip == 0 {
			p.prey = nil
			k.doomed.Store(true)
		} else {
			p.skip--
		}
	}
	return len(b), p.fault != reset
}

// reply is the edit of what a server sends.
func (p *proxy) reply(k *link, b []byte) (int, bool) {
	p.wait(blackHole, nil)
	p.wait(slow, time.After(latency))
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.fault
	if k.doomed.Load() {
		p.lost++
		f = lostReply
		if p.cut {
			f = cutReply
		}
	}
	switch f {
	case lostReply:
		return 0, false
	case cutReply:
		return len(b) / 2, false
	}
	return len(b), f != reset
}

// wait waits until a fault is over, if it is there, or for the time given.
func (p *proxy) wait(f fault, enough <-chan time.Time) {
	p.mu.Lock()
	there, over := p.fault == f, p.over
	p.mu.Unlock()
	if !there {
		return
	}
	if enough != nil {
		<-enough // also when the fault is over: these replies are late
		return
	}
	<-over
}

// reset ends a link in such a way that both ends see an error.
func (k *link) reset() {
	_ = k.client.SetLinger(0)
	k.client.Close()
	_ = k.server.SetLinger(0)
	k.server.Close()
}
