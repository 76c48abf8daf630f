package browsertest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// openShop builds one of the examples and starts it on a free port, with an
// empty store of files. It returns the shop's address.
func openShop(t *testing.T, example string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), example)
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", exe, "./"+example)
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}

	cmd := exec.Command(exe, "-addr", "127.0.0.1:0")
	cmd.Dir = t.TempDir() // where the store will be
	cmd.Stderr = os.Stderr
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "SESSION_") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), "open: ")
	if err != nil || !ok {
		t.Fatalf("the shop says %q, %v", line, err)
	}
	return address
}
