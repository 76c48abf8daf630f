package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// listen serves an app on a free port of the loopback interface until the
// listener is closed.
func (a app) listen() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		if a.fast != nil {
			_ = (&fasthttp.Server{Handler: a.fast}).Serve(l)
			return
		}
		_ = (&http.Server{Handler: a.http, ReadHeaderTimeout: time.Minute}).Serve(l)
	}()
	return l, nil
}

// serve is the program that a [server] runs: it prints its address and then
// answers each line of its input, until that ends.
func serve(name string, p place) error {
	c, err := contenderNamed(name)
	if err != nil {
		return err
	}
	a, err := c.build(p)
	if err != nil {
		return err
	}
	defer a.close()
	l, err := a.listen()
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		command, arg, _ := strings.Cut(in.Text(), " ")
		switch command {
		case "cpu":
			fmt.Println(cpuTime().Microseconds())
		case "profile":
			fmt.Println(profile(arg))
		case "stop":
			pprof.StopCPUProfile()
			fmt.Println("ok")
		}
	}
	return nil
}

func profile(file string) string {
	f, err := os.Create(file)
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		return err.Error()
	}
	return "ok"
}

// cpuTime returns the user and system time that this process has used.
func cpuTime() time.Duration { return usage(syscall.RUSAGE_SELF) }

func usage(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A server is a contender in a process of its own.
type server struct {
	contender contender
	place     place
	addr      string
	cmd       *exec.Cmd
	in        io.WriteCloser
	out       *bufio.Reader

	small, big []string // cookies of the seeded sessions
}

func startServer(c contender, p place) (*server, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{contender: c, place: p, cmd: exec.Command(exe, "-serve", c.name, "-redis", p.redis, "-prefix", p.prefix)}
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if s.addr, err = s.line(); err != nil {
		s.stop()
		return nil, fmt.Errorf("%s did not start: %w", c.name, err)
	}
	return s, nil
}

func (s *server) line() (string, error) {
	text, err := s.out.ReadString('\n')
	return strings.TrimSpace(text), err
}

// ask sends a command and returns the answer.
func (s *server) ask(command string) (string, error) {
	if _, err := fmt.Fprintln(s.in, command); err != nil {
		return "", err
	}
	return s.line()
}

// cpu returns the user and system time that the server has used.
func (s *server) cpu() (time.Duration, error) {
	text, err := s.ask("cpu")
	if err != nil {
		return 0, err
	}
	us, err := strconv.ParseInt(text, 10, 64)
	return time.Duration(us) * time.Microsecond, err
}

// stop ends the process and waits for it.
func (s *server) stop() {
	_ = s.in.Close()
	_ = s.cmd.Wait()
}

// seed makes the sessions of the scenarios.
func (s *server) seed(small, big int) error {
	if s.contender.floor {
		s.small = []string{cookieName + "=0123456789abcdef0123456789abcdef0123456789a"}
		return nil
	}
	var err1, err2 error
	s.small, err1 = makeSessions(s.addr, "/seed", small)
	s.big, err2 = makeSessions(s.addr, "/seedbig", big)
	return errors.Join(err1, err2)
}

// requests returns the requests of a scenario, as bytes.
func (s *server) requests(sc scenario) [][]byte {
	cookies := []string{""}
	switch sc.cookie {
	case smallCookie:
		cookies = s.small
	case bigCookie:
		cookies = s.big
	}
	list := make([][]byte, len(cookies))
	for i, cookie := range cookies {
		list[i] = request(sc.path, cookie)
	}
	return list
}
