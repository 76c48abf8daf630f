package sqlbackend

import (
	"encoding/binary"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

// A wire is a proxy before a server that counts round trips.
type wire struct {
	dsn   string
	trips atomic.Int64
	lose  atomic.Bool // what the server answers next is lost, with the connection
}

var address = regexp.MustCompile(`[\w.]+:\d+([/)])`)

// newWire starts a proxy for the server of a DSN. count takes whole messages
// of the client off what was sent, and returns how many bytes that were and
// how many of the messages wait for an answer.
func newWire(t *testing.T, dsn string, count func([]byte) (used, trips int)) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	server := strings.TrimRight(address.FindString(dsn), "/)")
	w := &wire{dsn: strings.Replace(dsn, server, l.Addr().String(), 1)}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			conn, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			go func() {
				defer client.Close()
				buf := make([]byte, 64<<10)
				for {
					n, err := conn.Read(buf)
					if err != nil || w.lose.CompareAndSwap(true, false) {
						return
					}
					if _, err := client.Write(buf[:n]); err != nil {
						return
					}
				}
			}()
			go func() {
				defer conn.Close()
				var sent []byte
				buf := make([]byte, 64<<10)
				for {
					n, err := client.Read(buf)
					if err != nil {
						return
					}
					sent = append(sent, buf[:n]...)
					for {
						used, trips := count(sent)
						if used == 0 {
							break
						}
						sent = sent[used:]
						w.trips.Add(int64(trips))
					}
					if _, err := conn.Write(buf[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return w
}

// countPostgres takes one message: a type and a length that counts itself.
// The first message has no type, but begins with a zero of its length.
// Sync and Query wait for the server.
func countPostgres(p []byte) (used, trips int) {
	kind := 1
	if len(p) > 0 && p[0] == 0 {
		kind = 0
	}
	if len(p) < kind+4 {
		return 0, 0
	}
	used = kind + int(binary.BigEndian.Uint32(p[kind:]))
	if len(p) < used {
		return 0, 0
	}
	if p[0] == 'S' || p[0] == 'Q' {
		trips = 1
	}
	return used, trips
}

// countMySQL takes one packet: a length of three bytes, a number in the
// sequence, and in the first of a sequence a command. To COM_QUIT (1) and
// COM_STMT_CLOSE (25) there is no answer.
func countMySQL(p []byte) (used, trips int) {
	if len(p) < 5 {
		return 0, 0
	}
	used = 4 + int(p[0]) + int(p[1])<<8 + int(p[2])<<16
	if len(p) < used {
		return 0, 0
	}
	if p[3] == 0 && p[4] != 1 && p[4] != 25 {
		trips = 1
	}
	return used, trips
}
