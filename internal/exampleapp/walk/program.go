package walk

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Program builds the program in the current directory and checks it.
func Program(t *testing.T) {
	exe := build(t, ".")
	t.Run("restart", func(t *testing.T) { restart(t, exe) })
	t.Run("does not start", func(t *testing.T) { doesNotStart(t, exe) })
}

// build builds a program and returns its path.
func build(t *testing.T, pkg string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "example")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", exe, pkg).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return exe
}

// A program is a running example.
type program struct {
	*visitor
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

// command returns the program's command, for a directory and without the
// settings of whoever runs the tests.
func command(exe, dir string, env ...string) *exec.Cmd {
	cmd := exec.Command(exe, "-addr", "127.0.0.1:0")
	cmd.Dir = dir
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "SESSION_") && !strings.HasPrefix(pair, "PERMANENT_SESSION_LIFETIME=") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// start starts the program and waits until it says where it listens.
func start(t *testing.T, exe, dir string, env ...string) *program {
	t.Helper()
	p := &program{cmd: command(exe, dir, env...)}
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	lines := bufio.NewReader(stdout)
	opened, err1 := lines.ReadString('\n')
	kept, err2 := lines.ReadString('\n')
	_, base, ok := strings.Cut(strings.TrimSpace(opened), "open: ")
	if err1 != nil || err2 != nil || !ok || !strings.Contains(kept, "Sessions are kept in: ") {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		t.Fatalf("the program said %q, %q, %q", opened, kept, p.stderr.String())
	}
	p.visitor = newVisitor(t, base)
	return p
}

// restart checks that sessions outlive the program, however it ends.
func restart(t *testing.T, exe string) {
	dir := t.TempDir()
	first := start(t, exe, dir)
	first.expect(first.get("/"), "your first visit")
	first.expect(first.post("/cart/add", "tea", "longjing"), "<b>2 times</b>")
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.cmd.Wait() // it was killed

	second := start(t, exe, dir)
	second.client.Jar.SetCookies(second.base, first.client.Jar.Cookies(first.base))
	second.expect(second.get("/"), "<b>3 times</b>", `<b class="count">1</b>`)
	if runtime.GOOS == "windows" { // which has no SIGTERM
		return
	}
	second.client.CloseIdleConnections()
	if err := second.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(time.Minute, func() { _ = second.cmd.Process.Kill() })
	defer hung.Stop()
	if err := second.cmd.Wait(); err != nil || second.stderr.Len() > 0 {
		t.Errorf("after SIGTERM: %v, %q", err, second.stderr.String())
	}
}

// doesNotStart checks that what is wrong is said in one line.
func doesNotStart(t *testing.T, exe string) {
	for name, test := range map[string]struct{ env, says string }{
		"unknown type":  {"SESSION_TYPE=redsi", "redis"},
		"bad setting":   {"SESSION_MAX_SIZE=big", "SESSION_MAX_SIZE"},
		"store is down": {"SESSION_REDIS=redis://127.0.0.1:1", "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command(exe, t.TempDir(), "SESSION_TYPE=redis", test.env)
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("%v, want exit code 1", err)
			}
			if text := string(out); strings.Count(text, "\n") != 1 || !strings.Contains(text, test.says) {
				t.Errorf("it said %q, want one line about %q", text, test.says)
			}
		})
	}
}
