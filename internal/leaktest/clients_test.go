package leaktest

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/redis/go-redis/v9"
)

var errCacheMiss = memcache.ErrCacheMiss

func redisClient(t *testing.T, addr string) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { client.Close() })
	return client
}

func memcacheClient(t *testing.T, addr string) *memcache.Client {
	client := memcache.New(addr)
	t.Cleanup(func() { client.Close() })
	return client
}

// memcacheKeys asks memcached for the keys of all items (protocol.txt,
// "LRU_Crawler").
func memcacheKeys(t *testing.T, addr string) (keys []string) {
	conn := must(net.Dial("tcp", addr))(t)
	defer conn.Close()
	fmt.Fprint(conn, "lru_crawler metadump all\r\n")
	lines := bufio.NewScanner(conn)
	for lines.Scan() && lines.Text() != "END" {
		escaped, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "key="), " ")
		keys = append(keys, must(url.PathUnescape(escaped))(t))
	}
	check(t, lines.Err())
	return keys
}

func elasticClient(t *testing.T, address string) elastictransport.Interface {
	u := must(url.Parse(address))(t)
	return must(elastictransport.New(elastictransport.Config{URLs: []*url.URL{u}}))(t)
}
