//go:build linux

package faulttest

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend/redisbackend"
)

// crashes are tests by store that kill a server of their own.
var crashes = map[string]map[string]func(t *testing.T){
	"redis": {
		"killed":              redisKilled,
		"killed without data": redisEmptied,
		"failover":            redisFailover,
	},
	"memcached": {"killed": memcachedKilled},
	"postgres":  {"restart": postgresRestarted},
}

// redisKilled kills a server that keeps its data, and starts it again: all is
// as before, though it has forgotten the backend's scripts.
//
// It fails when run of redisbackend calls scripts by EVALSHA only.
func redisKilled(t *testing.T) {
	srv := redisServer(t, "--appendonly", "yes", "--appendfsync", "always")
	s := newSite(t, ginApp, openRedis(t, srv.addr), nil)
	v := s.signIn(t)
	cookie := v.cookie
	v.try("/do?load=1&op=count") // so that the server knows the scripts
	srv.end(syscall.SIGKILL)
	down(s, v)
	srv.start(t)
	v.want("/get?key=a", "1")
	if a := v.try("/do?load=1&op=count"); a.StatusCode != http.StatusCreated {
		t.Errorf("count: status %d", a.StatusCode)
	}
	v.want("/get?key=n", "2")

	s.logs.take()
	s.meanwhile(func() { srv.end(syscall.SIGKILL) })
	v.refused("killed between load and save", v.get("/do?load=1&op=count"))
	srv.start(t)
	v.want("/get?key=n", "2")

	admin := redis.NewClient(&redis.Options{Addr: srv.addr})
	defer admin.Close()
	for _, op := range []string{"count", "regenerate"} {
		s.meanwhile(func() {
			if err := admin.ScriptFlush(context.Background()).Err(); err != nil {
				t.Error(err)
			}
		})
		if a := v.get("/do?load=1&op=" + op); a.StatusCode != http.StatusCreated {
			t.Errorf("%s after SCRIPT FLUSH: status %d, %v", op, a.StatusCode, s.logs.take())
		}
	}
	v.want("/get?key=n", "3")
	if v.cookie == cookie {
		t.Error("Regenerate has not changed the cookie")
	}
}

// down checks what a visitor gets while the server is dead.
func down(s *site, v *visitor) {
	v.t.Helper()
	s.logs.take()
	if a := v.get("/"); a.StatusCode != http.StatusOK {
		v.t.Errorf("a page that uses no session: status %d", a.StatusCode)
	}
	v.refused("reading", v.get("/get?key=a"))
	v.refused("writing", v.get("/do?op=set&key=a&value=2"))
	v.refused("logout", v.get("/do?op=destroy"))
	v.refused("a new visitor", s.visitor(v.t).get("/do?op=set&key=a&value=2"))
}

// emptied kills a server that keeps nothing and starts it again: the visitor
// is nobody, and gets a new ID with the next session.
//
// It fails when find gives the fresh session the ID that the store did not know.
func emptied(t *testing.T, srv *server, s *site) {
	v := s.signIn(t)
	cookie := v.cookie
	srv.end(syscall.SIGKILL)
	down(s, v)
	srv.start(t)
	v.want("/get?key=a", "")
	if v.cookie != cookie {
		t.Error("reading has sent a cookie")
	}
	if a := v.try("/do?load=1&op=set&key=a&value=3"); a.sent == nil || a.sent.Value == cookie {
		t.Errorf("the cookie of the next session is %v", a.sent)
	}
	v.want("/get?key=a", "3")
	s.logs.take()
	s.meanwhile(func() { srv.end(syscall.SIGKILL); srv.start(t) })
	if a := v.get("/do?load=1&op=set&key=a&value=4"); a.sent != nil {
		t.Errorf("the session was lost between load and save: status %d, cookie %v", a.StatusCode, a.sent)
	}
	v.want("/get?key=a", "")
}

func redisEmptied(t *testing.T) {
	srv := redisServer(t, "--appendonly", "no")
	emptied(t, srv, newSite(t, ginApp, openRedis(t, srv.addr), nil))
}

func memcachedKilled(t *testing.T) {
	srv := memcachedServer(t)
	emptied(t, srv, newSite(t, ginApp, openMemcached(t, srv.addr), nil))
}

// postgresRestarted has visitors count while the server is stopped at once and
// started again.
//
// It fails when Update of sqlstore takes an error of the driver for success.
func postgresRestarted(t *testing.T) {
	srv := postgresServer(t)
	b, err := openSQL(t, "pgx", "postgres://postgres@"+srv.addr+"/postgres?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, ginApp, b, nil)
	v := s.signIn(t)
	srv.end(syscall.SIGQUIT) // what pg_ctl -m immediate sends
	down(s, v)
	srv.start(t)
	v.want("/get?key=a", "1")

	var all sync.WaitGroup
	stop := make(chan struct{})
	counted := make(chan struct{}, 1)
	for range 4 {
		v := s.signIn(t)
		all.Go(func() {
			for done, open := 0, 0; ; {
				switch a := v.get("/do?load=1&op=count"); a.StatusCode {
				case http.StatusCreated:
					done++
				case http.StatusServiceUnavailable, http.StatusBadGateway: // the latter at load
					open++
				default:
					t.Errorf("status %d, %q", a.StatusCode, a.body)
				}
				select {
				case counted <- struct{}{}:
				default:
				}
				select {
				case <-stop:
				default:
					continue
				}
				n, _ := strconv.Atoi(v.try("/get?key=n").body)
				if n < done || n > done+open {
					t.Errorf("the counter is %d after %d counts that were answered and %d that were not", n, done, open)
				}
				return
			}
		})
	}
	for range 3 {
		for range 20 {
			<-counted
		}
		srv.end(syscall.SIGQUIT)
		srv.start(t)
	}
	v.want("/get?key=a", "1")
	close(stop)
	all.Wait()
}

// redisFailover kills the master of a Sentinel group.
//
// It fails with a client that has the address of the master.
func redisFailover(t *testing.T) {
	master := redisServer(t)
	host, port, _ := net.SplitHostPort(master.addr)
	replica := redisServer(t, "--replicaof", host+" "+port)
	addr, sentinelHost, sentinelPort := freeAddr(t)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	text := "port " + sentinelPort + "\nbind " + sentinelHost + "\nsentinel monitor group " + host + " " + port + " 1\n" +
		"sentinel down-after-milliseconds group 500\nsentinel failover-timeout group 2000\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, &server{addr: addr, path: master.path, args: []string{conf, "--sentinel"}})
	watch := redis.NewSentinelClient(&redis.Options{Addr: addr})
	defer watch.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		replicas, _ := watch.Replicas(ctx, "group").Result()
		if len(replicas) == 1 && replicas[0]["master-link-status"] == "ok" {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("the sentinel does not see the replica")
		}
		time.Sleep(20 * time.Millisecond)
	}

	client := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "group", SentinelAddrs: []string{addr}})
	defer client.Close()
	s := newSite(t, ginApp, redisbackend.New(client), nil)
	v := s.signIn(t)
	direct := redis.NewClient(&redis.Options{Addr: master.addr})
	defer direct.Close()
	for direct.Wait(ctx, 1, time.Second).Val() < 1 { // what a dead master has not passed on is lost
		if ctx.Err() != nil {
			t.Fatal("the replica does not follow")
		}
	}
	s.logs.take()
	s.meanwhile(func() { master.end(syscall.SIGKILL) })
	v.refused("killed between load and save", v.get("/do?load=1&op=count"))
	v.want("/get?key=a", "1")
	v.try("/do?load=1&op=count")
	v.want("/get?key=n", "1")
	if got, err := watch.GetMasterAddrByName(ctx, "group").Result(); err != nil || net.JoinHostPort(got[0], got[1]) != replica.addr {
		t.Errorf("the master is %v, %v", got, err)
	}
}
