package flasktest

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-session2/sessions/internal/testenv"
)

// A stack is a Python environment, named by the variable that tells where it
// is.
type stack string

const (
	flaskSession2 stack = "FLASK_SESSION2_PYTHON"
	flaskSession  stack = "FLASK_SESSION_PYTHON"
)

// startFlask starts a Flask application that is configured by environment
// variables, and returns it once it listens. It ends with the test.
func startFlask(t testing.TB, s stack, settings map[string]string) *app {
	t.Helper()
	cmd := exec.Command(testenv.Need(t, string(s)), "-B", "-W", "ignore", "../../scripts/flask.d/app.py")
	// Some of the extensions take the local time for UTC.
	cmd.Env = append(os.Environ(), "NO_PROXY=127.0.0.1", "TZ=UTC")
	for name, value := range settings {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	stdin, err := cmd.StdinPipe() // it ends when this is closed, be it by our death
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log := &logBuffer{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the Flask application wrote:\n%s", log)
		}
	})
	line := make(chan string, 1)
	go func() {
		s, _ := bufio.NewReader(stdout).ReadString('\n')
		line <- strings.TrimSpace(s)
		_, _ = io.Copy(io.Discard, stdout)
	}()
	select {
	case port := <-line:
		if port == "" {
			_ = cmd.Wait()
			t.Fatalf("the Flask application does not start:\n%s", log)
		}
		return &app{t: t, name: "Flask", url: "http://127.0.0.1:" + port}
	case <-time.After(time.Minute):
		t.Fatalf("the Flask application does not listen after a minute:\n%s", log)
	}
	return nil
}

// A logBuffer is a buffer for a process to write and a test to read.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
