package webtest

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A link forwards connections to a server until it is cut.
type link struct {
	addr, server string
	mu           sync.Mutex
	l            net.Listener
	conns        []net.Conn
	commands     []string // that the clients have sent
}

func newLink(t *testing.T, server string) *link {
	k := &link{addr: "127.0.0.1:0", server: server}
	k.restore(t)
	t.Cleanup(k.cut)
	return k
}

func (k *link) restore(t *testing.T) {
	l, err := net.Listen("tcp", k.addr)
	if err != nil {
		t.Fatal(err)
	}
	k.mu.Lock()
	k.l, k.addr = l, l.Addr().String()
	k.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", k.server)
			if err != nil {
				c.Close()
				continue
			}
			k.mu.Lock()
			k.conns = append(k.conns, c, s)
			k.mu.Unlock()
			go func() { k.listen(c, s); s.Close() }()
			go func() { _, _ = io.Copy(c, s); c.Close() }()
		}
	}()
}

// listen passes Redis commands (RESP arrays of bulk strings) on to a server,
// and notes their names before.
func (k *link) listen(from io.Reader, to io.Writer) {
	in := bufio.NewReader(from)
	var command []byte
	number := func(prefix string) (int, error) {
		line, err := in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		command = append(command, line...)
		return strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, prefix)))
	}
	for {
		command = command[:0]
		parts, err := number("*")
		if err != nil {
			return
		}
		for i := range parts {
			size, err := number("$")
			if err != nil {
				return
			}
			arg := make([]byte, size+2)
			if _, err := io.ReadFull(in, arg); err != nil {
				return
			}
			command = append(command, arg...)
			if i == 0 {
				k.mu.Lock()
				k.commands = append(k.commands, strings.ToUpper(string(arg[:size])))
				k.mu.Unlock()
			}
		}
		if _, err := to.Write(command); err != nil {
			return
		}
	}
}

// count returns the names of the commands that f causes.
func (k *link) count(f func()) string {
	k.mu.Lock()
	before := len(k.commands)
	k.mu.Unlock()
	f()
	k.mu.Lock()
	defer k.mu.Unlock()
	return strings.Join(k.commands[before:], " ")
}

func (k *link) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.l.Close()
	for _, c := range k.conns {
		c.Close()
	}
	k.conns = nil
}
