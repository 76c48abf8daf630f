package memcachedbackend

import (
	"net"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/go-session2/sessions/backend"
)

const (
	// setting is the name of the one setting, as Flask has it.
	setting = "SESSION_MEMCACHED"

	defaultServer = "127.0.0.1:11211"
	defaultPort   = "11211"

	// timeout is how long a client that this package opens waits for a server
	// when the context does not say less.
	timeout = 2 * time.Second

	// maxIdleConns is how many connections such a client keeps per server.
	maxIdleConns = 100
)

func init() { backend.Register("memcached", open) }

// open opens the backend of type "memcached". SESSION_MEMCACHED is a live
// *memcache.Client, which Close leaves open, or the servers as host:port,
// separated by commas; the port may be left out, and a path is that of a Unix
// socket. The default is the server at 127.0.0.1:11211.
func open(s *backend.Settings) (backend.Backend, error) {
	v, ok := s.Lookup(setting)
	if !ok {
		v = defaultServer
	}
	switch v := v.(type) {
	case *memcache.Client:
		return NewWithConfig(v, Config{Flask: s.FlaskLayout()})
	case string:
		if servers, ok := parseServers(v); ok {
			client := memcache.NewFromSelector(servers)
			client.Timeout = timeout
			client.MaxIdleConns = maxIdleConns
			b := New(client)
			b.owned, b.layout = true, s.FlaskLayout()
			return b, nil
		}
	}
	s.Reject(setting, "a *memcache.Client of gomemcache or servers as host:port,host:port")
	return nil, s.Err()
}

// parseServers parses the addresses of servers.
func parseServers(list string) (servers, bool) {
	var all servers
	for addr := range strings.SplitSeq(list, ",") {
		addr = strings.TrimSpace(addr)
		if strings.HasPrefix(addr, "/") {
			all = append(all, address{"unix", addr})
			continue
		}
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			host, port = strings.Trim(addr, "[]"), defaultPort
			if strings.Contains(host, ":") && net.ParseIP(host) == nil {
				return nil, false
			}
		}
		if host == "" || port == "" || strings.ContainsAny(host, "/@ ") {
			return nil, false
		}
		all = append(all, address{"tcp", net.JoinHostPort(host, port)})
	}
	return all, true
}
