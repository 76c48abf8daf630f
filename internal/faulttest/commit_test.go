//go:build linux

package faulttest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"
)

// rounds is how often a reply is lost for each store. SESSIONS_LONG=1 does it
// far more often.
func rounds() int {
	if os.Getenv("SESSIONS_LONG") == "1" {
		return 300
	}
	return 12
}

// counter counts in a session while the replies to the writes are lost: each
// count that was answered by success is there, none is there twice.
//
// It fails when the script of redisbackend's Update does not recognise its own
// data: then the repeated command is a conflict, and counts again.
func counter(t *testing.T, st store) {
	b, p := st.behind(t)
	s := newSite(t, st.app, b, nil)
	v := s.signIn(t)
	done, open, lost := 0, 0, 0
	for round := range rounds() {
		s.meanwhile(func() { p.arm(s.prefix, 0, round%2 == 1) })
		a := v.get("/do?load=1&op=count")
		happened := s.happened()
		lost = p.disarm()
		switch {
		case a.StatusCode == http.StatusCreated:
			done++
		case happened:
			v.refused("a count", a)
			open++
		}
		n, _ := strconv.Atoi(v.try("/get?key=n").body)
		if n < done || n > done+open {
			t.Fatalf("round %d: the counter is %d after %d counts that were answered and %d that were not", round, n, done, open)
		}
	}
	t.Logf("%d replies lost; %d counts answered, %d reported", lost, done, open)
	if lost < rounds()/2 {
		t.Errorf("only %d replies were lost", lost)
	}
}

// firstCookie has the reply to the very first write of a visitor lost, or every
// reply: a cookie that is sent opens the session, and a 503 sends none.
//
// It fails when settle notes the cookie also of a save that failed.
func firstCookie(t *testing.T, st store) {
	b, p := st.behind(t)
	s := newSite(t, st.app, b, nil)
	sent, lost := 0, 0
	for round := range rounds() {
		s.signIn(t) // when it succeeds the client has a connection
		v, value := s.visitor(t), fmt.Sprint("round", round)
		s.logs.take()
		if round%3 == 2 {
			p.inject(lostReply)
		} else {
			p.arm(s.prefix, 0, round%3 == 1)
		}
		a := v.get("/do?op=set&key=a&value=" + value)
		lost = p.disarm()
		if round%3 == 2 {
			p.heal(t)
		}
		if a.StatusCode != http.StatusCreated {
			v.refused(value, a)
			continue
		}
		if a.sent == nil {
			t.Fatalf("%s: success without a cookie", value)
		}
		v.want("/get?key=a", value)
		sent++
	}
	t.Logf("%d replies lost one by one; %d of %d visitors got a cookie", lost, sent, rounds())
	if lost < rounds()/2 {
		t.Errorf("only %d replies were lost", lost)
	}
}

// regenerate has one of the replies lost that a change of the ID needs. When it
// is the one to the deletion of the old record, nobody can tell whether it was
// that deletion or a logout which the record fell to. Then the session has
// ended, and the handler is told so; there are never two.
//
// It fails when rotate returns the new state after an error.
func regenerate(t *testing.T, st store) {
	b, p := st.behind(t)
	s := newSite(t, st.app, b, nil)
	ended := 0
	for round := range rounds() {
		v := s.signIn(t)
		old := *v
		s.logs.take()
		spared := round % 3
		s.meanwhile(func() { p.arm(s.prefix, spared, round%2 == 1) })
		a := v.get("/do?load=1&op=regenerate")
		took := a.took
		s.happened()
		p.disarm()
		switch {
		case a.StatusCode == http.StatusCreated && a.sent != nil:
			v.want("/get?key=a", "1")
			old.want("/get?key=a", "")
		case a.StatusCode == http.StatusCreated:
			// The handler got ErrGone, and went on.
			if spared == 0 && took < timeout {
				t.Errorf("round %d: the session has ended before anything was deleted", round)
			}
			old.want("/get?key=a", "")
			ended++
		case a.StatusCode == http.StatusServiceUnavailable:
			v.refused("regenerate", a)
			if a := old.try("/get?key=a"); a.body != "1" {
				if spared == 0 && took < timeout || a.body != "" { // later, Delete may have been cut off
					t.Errorf("round %d: after a failure to create the new record the old one has %q", round, a.body)
				}
				ended++
			}
		}
	}
	t.Logf("%d of %d sessions have ended by it", ended, rounds())
}

// answers has handlers answer in every way while the store is down.
//
// It fails when Flush of ginsession's writer does not ask its gate.
func answers(t *testing.T, st store) {
	b, p := st.behind(t)
	s := newSite(t, st.app, b, nil)
	s.signIn(t)
	p.inject(refused)
	for _, way := range []string{"body", "flush", "empty", "redirect", "nothing"} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			v := s.visitor(t)
			s.logs.take()
			v.refused(way, v.ask(method, "/do?op=set&key=a&value=1&answer="+way))
		}
	}
	p.heal(t)
	v := s.signIn(t)
	v.want("/get?key=a", "1")
}

// clientGone has the visitor leave between load and save: what the handler has
// done is saved.
//
// It fails when detached keeps the cancellation of the request.
func clientGone(t *testing.T, st store) {
	b, _ := st.behind(t)
	s := newSite(t, st.app, b, nil)
	v := s.signIn(t)
	for try := range 20 {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		answered := make(chan struct{})
		s.meanwhile(func() { conn.Close() })
		go func() {
			defer close(answered)
			_, _ = io.Copy(io.Discard, conn) // until it is closed
		}()
		if _, err := fmt.Fprintf(conn, "GET /do?load=1&wait=1&op=set&key=b&value=2 HTTP/1.1\r\nHost: site\r\nConnection: close\r\nCookie: session=%s\r\n\r\n", v.cookie); err != nil {
			t.Fatal(err)
		}
		<-answered
		if s.happened() {
			break
		}
		t.Logf("try %d: the load took too long", try)
	}
	for start := time.Now(); v.try("/get?key=b").body != "2"; time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > patience/6 {
			t.Fatal("what the handler has set is lost")
		}
	}
}
