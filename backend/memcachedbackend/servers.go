package memcachedbackend

import (
	"hash/crc32"
	"net"

	"github.com/bradfitz/gomemcache/memcache"
)

// servers is a list of servers, each of which has the same share of the keys.
// It assigns the keys as memcache.ServerList does. Other than that one it does
// not look up the names of hosts itself, which would have to succeed when the
// program starts, and would never be done again.
type servers []address

var _ memcache.ServerSelector = servers(nil)

// PickServer returns the server to which a key belongs.
func (s servers) PickServer(key string) (net.Addr, error) {
	if len(s) == 1 {
		return s[0], nil
	}
	return s[crc32.ChecksumIEEE([]byte(key))%uint32(len(s))], nil
}

// Each calls f for every server until it returns an error, and returns that.
func (s servers) Each(f func(net.Addr) error) error {
	for _, a := range s {
		if err := f(a); err != nil {
			return err
		}
	}
	return nil
}

// An address is where a server listens, not looked up yet.
type address struct{ network, name string }

func (a address) Network() string { return a.network }
func (a address) String() string  { return a.name }
