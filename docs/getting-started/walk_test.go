package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	files    = regexp.MustCompile("(?s)<!-- in [^\n]*; file: (\\S+) -->\n```go\n(.*?)```")
	consoles = regexp.MustCompile("(?s)```console\n(.*?)```")
)

// TestWalk does what docs/getting-started.md says: it makes a module with the
// files, runs the commands, and compares their output. Only the addresses
// differ, and that the library is this one instead of a release.
func TestWalk(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("the guide uses curl, which is not installed")
	}
	text, err := os.ReadFile("../getting-started.md")
	if err != nil {
		t.Fatal(err)
	}
	addr := freeAddress(t)
	guide := strings.ReplaceAll(string(text), "127.0.0.1:8080", addr)

	w := &walk{t: t, dir: t.TempDir(), addr: addr}
	defer w.stop()
	commands := 0
	for _, console := range consoles.FindAllStringSubmatch(guide, -1) {
		for _, step := range strings.Split("\n"+console[1], "\n$ ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			if out := w.run(command, guide); want != "" && strings.TrimSpace(out) != strings.TrimSpace(want) {
				t.Errorf("%s: %q, the guide has %q", command, out, want)
			}
			commands++
		}
		if strings.Contains(console[1], "page 2") {
			w.stop() // Ctrl-C
			w.start()
		}
	}
	if commands < 10 {
		t.Errorf("the guide has %d commands", commands)
	}
}

type walk struct {
	t    *testing.T
	dir  string // the current directory
	addr string
	site *exec.Cmd
}

// run runs a command of the guide and returns its output.
func (w *walk) run(command, guide string) string {
	w.t.Helper()
	words := strings.Fields(command)
	switch command {
	case "mkdir shop":
		if err := os.Mkdir(filepath.Join(w.dir, "shop"), 0o755); err != nil {
			w.t.Fatal(err)
		}
		return ""
	case "cd shop":
		w.dir = filepath.Join(w.dir, "shop")
		return ""
	case "go mod tidy":
		w.write(guide)
		w.tidy()
		return ""
	case "go run .":
		w.start()
		return ""
	}
	return w.exec(words...)
}

// write writes the files of the guide.
func (w *walk) write(guide string) {
	w.t.Helper()
	for _, file := range files.FindAllStringSubmatch(guide, -1) {
		if err := os.WriteFile(filepath.Join(w.dir, file[1]), []byte(file[2]), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
}

// tidy requires this library as it is here, and what it requires itself.
func (w *walk) tidy() {
	w.t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		w.t.Fatal(err)
	}
	const module = "github.com/go-session2/sessions"
	w.exec("go", "mod", "edit", "-require="+module+"@v0.0.0", "-replace="+module+"="+root)
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err == nil {
		err = os.WriteFile(filepath.Join(w.dir, "go.sum"), sums, 0o644)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// start builds the site, starts it, and waits until it answers.
func (w *walk) start() {
	w.t.Helper()
	exe := filepath.Join(w.dir, "shop.exe")
	w.exec("go", "build", "-o", exe, ".")
	w.site = exec.Command(exe)
	w.site.Dir = w.dir
	if err := w.site.Start(); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", w.addr)
		if err == nil {
			c.Close()
			return
		}
		if ctx.Err() != nil {
			w.t.Fatal("the site does not answer")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (w *walk) stop() {
	if w.site != nil {
		_ = w.site.Process.Kill()
		_ = w.site.Wait()
		w.site = nil
	}
}

func (w *walk) exec(words ...string) string {
	w.t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir, cmd.Stderr = w.dir, &stderr
	// No workspace, and the go.mod is completed as go mod tidy would do it.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "PWD="+w.dir)
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("%s: %v\n%s%s", strings.Join(words, " "), err, out, &stderr)
	}
	return string(out)
}

// freeAddress returns an address that nobody listens on.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
