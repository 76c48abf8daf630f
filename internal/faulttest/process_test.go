//go:build linux

package faulttest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// need returns the path of a program. Without it the test is skipped, or fails
// when SESSIONS_REQUIRE_SERVICES=1.
func need(t *testing.T, program string, also ...string) string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	for _, pattern := range also {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return slices.Max(found)
		}
	}
	if os.Getenv("SESSIONS_REQUIRE_SERVICES") == "1" {
		t.Fatalf("there is no %s, and SESSIONS_REQUIRE_SERVICES=1 forbids to skip", program)
	}
	t.Skipf("needs the program %s", program)
	return ""
}

// freeAddr returns an address for a server that is started more than once.
func freeAddr(t *testing.T) (addr, host, port string) {
	t.Helper()
	n := lastAddr.Add(1)
	l, err := net.Listen("tcp", fmt.Sprintf("127.7.%d.%d:0", n/250, n%250+1))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr = l.Addr().String()
	host, port, err = net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return addr, host, port
}

// A server is a program that the test starts and kills.
type server struct {
	addr string
	path string
	args []string
	as   *syscall.Credential // nil: who runs the test
	cmd  *exec.Cmd
	out  bytes.Buffer
}

// start starts the server and waits until it accepts connections.
func (s *server) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command(s.path, s.args...)
	s.cmd.Dir = "/"
	s.cmd.WaitDelay = 10 * time.Second // for children that keep its output
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.as}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			conn.Close()
			return
		}
		if time.Since(begun) > patience {
			s.end(syscall.SIGKILL)
			t.Fatalf("%s does not answer: %s", s.path, s.out.String())
		}
	}
}

// run starts a server that is killed at the end of the test.
func run(t *testing.T, s *server) *server {
	t.Helper()
	s.start(t)
	t.Cleanup(func() { s.end(syscall.SIGKILL) })
	return s
}

// end sends a signal that ends the server, and waits until it has ended.
func (s *server) end(sig syscall.Signal) {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Signal(sig)
		_ = s.cmd.Wait()
	}
}

func redisServer(t *testing.T, options ...string) *server {
	t.Helper()
	path := need(t, "redis-server")
	addr, host, port := freeAddr(t)
	args := append([]string{"--bind", host, "--port", port, "--save", "", "--dir", t.TempDir(),
		"--replica-announce-ip", host, "--repl-diskless-sync-delay", "0"}, options...)
	return run(t, &server{addr: addr, path: path, args: args})
}

func memcachedServer(t *testing.T) *server {
	t.Helper()
	path := need(t, "memcached")
	addr, host, port := freeAddr(t)
	return run(t, &server{addr: addr, path: path, args: []string{"-l", host, "-p", port, "-U", "0", "-u", "nobody"}})
}

// postgresServer starts a server with an empty database. As root it runs as
// somebody else, which PostgreSQL insists on.
func postgresServer(t *testing.T) *server {
	t.Helper()
	path := need(t, "postgres", "/usr/lib/postgresql/*/bin/postgres")
	addr, host, port := freeAddr(t)
	dir, err := os.MkdirTemp("", "faulttest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var as *syscall.Credential
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			u, err = user.Lookup("nobody")
		}
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(filepath.Dir(path), "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
	initdb.Dir = "/"
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	return run(t, &server{addr: addr, path: path, as: as, args: []string{
		"-D", data, "-p", port, "-c", "listen_addresses=" + host, "-c", "unix_socket_directories=",
	}})
}
