package redisbackend

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
)

// setting is the name of the one setting, as Flask has it.
const setting = "SESSION_REDIS"

// timeout is how long a client that this package opens waits for the server
// when neither its URL nor the context says less.
const timeout = 2 * time.Second

func init() { backend.Register("redis", open) }

// open opens the backend of type "redis". SESSION_REDIS is a live
// redis.UniversalClient, which Close leaves open, or a URL; the default is
// the server at localhost:6379. The URLs are
//
//	redis://[user:password@]host[:port][/db]        one server
//	unix://[user:password@]/path/to/socket[?db=n]   one server
//	redis+cluster://[user:password@]host[:port],... a cluster
//	redis+sentinel://[user:password@]host[:port],.../master[/db]
//
// with rediss in place of redis for TLS. A list of hosts after redis:// is a
// cluster as well. All take the options of redis.ParseURL. User and password
// are those of the Redis servers; sentinels that ask for some need a client
// made by the program.
func open(s *backend.Settings) (backend.Backend, error) {
	v, ok := s.Lookup(setting)
	if !ok {
		v = "redis://localhost:6379/0"
	}
	switch v := v.(type) {
	case redis.UniversalClient:
		return NewWithConfig(v, Config{Flask: s.FlaskLayout()})
	case string:
		if client, err := dial(v); err == nil {
			b := New(client)
			b.owned, b.layout = true, s.FlaskLayout()
			return b, nil
		}
	}
	// What was wrong is not told, as the texts of the parsers quote parts of
	// the URL, and those may be parts of a password.
	s.Reject(setting, "a client of go-redis or a URL: redis://[user:password@]host:port/db, rediss:// for TLS, "+
		"unix:///path, redis+cluster://host,host or redis+sentinel://host,host/master, with the options of redis.ParseURL")
	return nil, s.Err()
}

var errURL = errors.New("not a URL of Redis")

// dial makes a client for a URL. It does no I/O.
func dial(rawURL string) (redis.UniversalClient, error) {
	scheme, rest, _ := strings.Cut(rawURL, "://")
	scheme, kind, _ := strings.Cut(scheme, "+")
	authority, path := cutBefore(rest, "/?")
	user, hosts := "", authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, hosts = authority[:at+1], authority[at+1:]
	}
	if kind == "" && !strings.Contains(hosts, ",") {
		opt, err := parse(rawURL)
		if err != nil {
			return nil, err
		}
		return redis.NewClient(opt), nil
	}

	var master string
	port := "6379"
	switch kind {
	case "", "cluster":
	case "sentinel":
		port = "26379"
		names, query := cutBefore(path, "?")
		name, db, _ := strings.Cut(strings.TrimPrefix(names, "/"), "/")
		if name == "" {
			return nil, errURL
		}
		master, path = name, "/"+db+query
	default:
		return nil, errURL
	}
	var addrs []string
	for host := range strings.SplitSeq(hosts, ",") {
		if u, err := url.Parse("redis://" + host); err != nil || u.Hostname() == "" || u.Host != host {
			return nil, errURL
		}
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
		addrs = append(addrs, host)
	}
	opt, err := parse(scheme + "://" + user + addrs[0] + path)
	if err != nil {
		return nil, err
	}
	if opt.TLSConfig != nil {
		opt.TLSConfig.ServerName = "" // each host has its own
	}
	all := universal(opt, addrs)
	if master != "" {
		all.MasterName = master
		return redis.NewFailoverClient(all.Failover()), nil
	}
	if opt.DB != 0 {
		return nil, errURL // a cluster has no other databases
	}
	return redis.NewClusterClient(all.Cluster()), nil
}

// cutBefore cuts s before the first of the characters.
func cutBefore(s, chars string) (before, after string) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// parse parses a URL with one host and adds what this package wants from a
// client. What the URL says of it stays.
func parse(rawURL string) (*redis.Options, error) {
	opt, err := redis.ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	opt.ContextTimeoutEnabled = true
	for _, t := range []*time.Duration{&opt.DialTimeout, &opt.ReadTimeout, &opt.WriteTimeout} {
		if *t == 0 {
			*t = timeout
		}
	}
	return opt, nil
}

// universal returns the options that a URL can hold, for several servers.
func universal(o *redis.Options, addrs []string) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs:    addrs,
		Username: o.Username, Password: o.Password, DB: o.DB,
		TLSConfig: o.TLSConfig, Protocol: o.Protocol, ClientName: o.ClientName,
		MaxRetries: o.MaxRetries, MinRetryBackoff: o.MinRetryBackoff, MaxRetryBackoff: o.MaxRetryBackoff,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		ContextTimeoutEnabled: o.ContextTimeoutEnabled,
		PoolFIFO:              o.PoolFIFO, PoolSize: o.PoolSize, PoolTimeout: o.PoolTimeout,
		MinIdleConns: o.MinIdleConns, MaxIdleConns: o.MaxIdleConns, MaxActiveConns: o.MaxActiveConns,
		ConnMaxIdleTime: o.ConnMaxIdleTime, ConnMaxLifetime: o.ConnMaxLifetime,
	}
}
