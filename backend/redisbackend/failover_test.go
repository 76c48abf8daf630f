package redisbackend

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

// A ledger notes what became of each write of TestFailover.
type ledger struct {
	mu      sync.Mutex
	done    map[string]bool // acknowledged
	unknown map[string]bool // ended by an error
}

func (l *ledger) note(token string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.done[token] = true
	} else {
		l.unknown[token] = true
	}
}

func (l *ledger) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.done)
}

// TestFailover has writers add tokens to one record while another server
// becomes the master. The backend must go on by itself, and no write may count
// twice. Writes that the old master acknowledged last may be lost.
func TestFailover(t *testing.T) {
	name := testenv.Need(t, "REDIS_SENTINEL_MASTER")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	watch := redis.NewSentinelClient(&redis.Options{Addr: list(testenv.Need(t, "REDIS_SENTINEL_ADDRS"))[0]})
	defer watch.Close()
	master := func() string {
		addr, err := watch.GetMasterAddrByName(ctx, name).Result()
		if err != nil {
			t.Fatal(err)
		}
		return net.JoinHostPort(addr[0], addr[1])
	}

	b, key := New(sentinel(t, true)), "test:"+rand.Text()
	if _, err := b.Create(ctx, key, []byte(rand.Text()), time.Hour); err != nil {
		t.Fatal(err)
	}
	l := ledger{done: make(map[string]bool), unknown: make(map[string]bool)}
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		writers.Go(func() {
			for pace := time.Tick(5 * time.Millisecond); ; {
				select {
				case <-stop:
					return
				case <-pace:
					token := rand.Text()
					l.note(token, add(ctx, b, key, token))
				}
			}
		})
	}
	until := func(what string, reached func() bool) {
		t.Helper()
		for !reached() {
			select {
			case <-ctx.Done():
				close(stop)
				t.Fatalf("not within a minute: %s", what)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}

	until("writes before the failover", func() bool { return l.acknowledged() >= 50 })
	old := master()
	until("the failover begins", func() bool { return watch.Failover(ctx, name).Err() == nil })
	until("a new master", func() bool { return master() != old })
	demoted := redis.NewClient(&redis.Options{Addr: old})
	defer demoted.Close()
	host, port, _ := net.SplitHostPort(master())
	if err := demoted.SlaveOf(ctx, host, port).Err(); err != nil { // as the sentinel will do, some seconds later
		t.Fatal(err)
	}
	until("the old master follows the new one", func() bool {
		info := demoted.Info(ctx, "replication").Val()
		return strings.Contains(info, "role:slave") && strings.Contains(info, "master_link_status:up")
	})
	before := l.acknowledged()
	until("writes after the failover", func() bool { return l.acknowledged() >= before+50 })
	close(stop)
	writers.Wait()

	rec, err := b.Load(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	direct := redis.NewClient(&redis.Options{Addr: master()})
	defer direct.Close()
	if value := direct.Get(ctx, key).Val(); len(value) < headerSize || value[headerSize:] != string(rec.Data) {
		t.Error("the record is not that of the new master")
	}
	seen := make(map[string]bool)
	for _, token := range strings.Fields(string(rec.Data))[1:] {
		if seen[token] {
			t.Errorf("a write was done twice")
		}
		if !l.done[token] && !l.unknown[token] {
			t.Errorf("the record holds a token that nobody wrote")
		}
		seen[token] = true
	}
	var lost, late int
	for token := range l.done {
		if !seen[token] {
			lost++
		}
	}
	for token := range l.unknown {
		if seen[token] {
			late++
		}
	}
	t.Logf("%d writes acknowledged, of which %d lost; %d ended by an error, of which %d done all the same",
		len(l.done), lost, len(l.unknown), late)
}

// add adds a token to the record, however often others come in between.
func add(ctx context.Context, b *Backend, key, token string) error {
	for {
		rec, err := b.Load(ctx, key)
		if err != nil {
			return err
		}
		data := append(append([]byte(nil), rec.Data...), " "+token...)
		_, err = b.Update(ctx, key, data, time.Hour, rec.Revision)
		if !errors.Is(err, backend.ErrConflict) {
			return err
		}
	}
}
