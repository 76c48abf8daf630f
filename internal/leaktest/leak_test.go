package leaktest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"log/slog"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/codec"
)

// TestGate/G7: nothing that a store or a log holds works as a cookie, and
// with encryption nothing of a session is to be read in either.
//
// Each store goes through the whole scenario three times: as configured by
// default; encrypted and signed; and with plain IDs, where a store key is as
// good as a cookie, so the logs must not have store keys either. Every dump
// must have what it is expected to have, or it would prove nothing.
//
// It fails when storeKey does not hash the ID, when Encrypted.Seal appends
// the plain document, when Manager.report logs the request's cookies, when an
// error of Manager.fetch names the store key, and when codec's methodError
// tells its cause.
func TestGate(t *testing.T) {
	for _, s := range stores() {
		t.Run("G7/"+s.name, func(t *testing.T) {
			t.Run("default", func(t *testing.T) {
				visited := visitStore(t, s, sessions.Config{})
				visited.logsAreClean()
				visited.holds("plaintext", plaintext(), true)
				visited.holds("cookies", visited.secrets(), false)
			})
			t.Run("encrypted", func(t *testing.T) {
				encrypted, err := codec.NewEncrypted(codec.MessagePack{}, random(codec.KeySize))
				if err != nil {
					t.Fatal(err)
				}
				signer, err := sessions.NewSigner(random(32))
				if err != nil {
					t.Fatal(err)
				}
				visited := visitStore(t, s, sessions.Config{Codec: encrypted, Signer: signer})
				visited.logsAreClean()
				visited.holds("plaintext", plaintext(), false)
				visited.holds("cookies", visited.secrets(), false)
			})
			t.Run("plain IDs", func(t *testing.T) {
				visited := visitStore(t, s, sessions.Config{PlainIDs: true})
				visited.logsAreClean()
				visited.holds("the browser's cookie", []needle{newNeedle("the cookie", []byte(visited.value))}, true)
			})
		})
	}
}

// redisLogger keeps what go-redis logs by itself.
type redisLogger struct{ w io.Writer }

func (l redisLogger) Printf(_ context.Context, format string, args ...any) {
	fmt.Fprintf(l.w, format+"\n", args...)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// visited is a visit that is over.
type visited struct {
	*visit
	dump []byte
}

func visitStore(t *testing.T, s store, cfg sessions.Config) visited {
	place := s.open(t)
	j := &journal{}
	before := log.Writer()
	log.SetOutput(j)
	redis.SetLogger(redisLogger{j})
	t.Cleanup(func() {
		log.SetOutput(before)
		redis.SetLogger(redisLogger{before})
	})

	v := &visit{t: t, journal: j, store: &spy{Backend: place.backend}, cookie: "leaktest", cookies: make(map[string]bool)}
	cfg.Backend = v.store
	cfg.Name = v.cookie
	cfg.Prefix = place.prefix
	cfg.MaxSize = 64 << 10
	cfg.SweepInterval = -1
	cfg.Logger = slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
	cfg.OnError = j.record
	down := place.down
	if !cfg.PlainIDs {
		down = nil // the errors are those of the hardest case; some clients take their time
	}
	v.run(cfg, down)
	if len(v.cookies) < 5 {
		t.Errorf("only %d cookies were issued", len(v.cookies))
	}
	return visited{v, place.dump()}
}

// secrets returns what works as a cookie, or would if anybody had issued it.
func (v visited) secrets() (list []needle) {
	n := 0
	for value := range v.cookies {
		n++
		list = append(list, cookieNeedles(fmt.Sprint("cookie ", n), value)...)
	}
	for n, value := range v.hostile {
		list = append(list, newNeedle(fmt.Sprint("stranger's cookie ", n+1), []byte(value)))
	}
	return list
}

// holds checks that the dump has all of the needles, or none.
func (v visited) holds(what string, needles []needle, want bool) {
	v.t.Helper()
	for _, n := range needles {
		if n.in(v.dump) != want {
			v.t.Errorf("%s: that the dump of %d bytes holds %s is %t", what, len(v.dump), n.name, !want)
		}
	}
}

func (v visited) logsAreClean() {
	v.t.Helper()
	logged := v.journal.bytes()
	if bytes.Count(logged, []byte("session failure")) < 8 {
		v.t.Error("the failures were not logged")
	}
	secrets := v.secrets()
	for _, key := range v.store.created {
		secrets = append(secrets, newNeedle("a store key", []byte(key)))
	}
	v.lacks("the causes of the errors", v.journal.causes.Bytes(), secrets)
	secrets = append(secrets, newNeedle("the big value", []byte(secretBig)))
	v.lacks("the logs", logged, append(secrets, plaintext()...))
}

func (v visited) lacks(what string, text []byte, needles []needle) {
	v.t.Helper()
	for _, n := range needles {
		for line := range bytes.Lines(text) {
			if n.in(line) {
				v.t.Errorf("%s hold %s: %.600s", what, n.name, line)
				break
			}
		}
	}
}
