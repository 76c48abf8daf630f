//go:build unix

package doctest

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/go-session2/sessions"
	_ "github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/internal/testenv"
)

// checks says what is done with each command on the pages, by how it begins.
// A command that is not here fails the test.
var checks = []struct {
	begins string
	check  func(t *testing.T, command string)
}{
	{"go run ./example_", opensShop},
	{"SESSION_TYPE=redis SESSION_REDIS=redis://127.0.0.1:6379 go run ./example_", opensShop},
	{"go test ./... -v -run ", listsTests},
	{"go test ./... -run ", listsTests},
	{"go test -bench . ./", nil}, // the same as the next, and long
	{"go test ./...", nil},       // which this test is part of
	{"go get github.com/go-session2/sessions", isModule},
	{"cd bench && REDIS_ADDR=127.0.0.1:6379 go run .", inBench},
	{"cd bench && go run .", inBench},
	{"cd bench && REDIS_ADDR=127.0.0.1:6379 go test -v -run TestGuarantees .", inBench},
	{"cd internal/browsertest && go test ", isModuleDir},
	{"scripts/long", isScript},
	{`eval "$(scripts/services start >/dev/null && scripts/services env)"`, isScript},
	{`eval "$(scripts/flask install >/dev/null && scripts/flask env)"`, isScript},
	{"SESSIONS_REQUIRE_SERVICES=1 go test ", nil}, // which this test is part of
	{"go test ./internal/flasktest", isTested},
	{"docker compose --profile redis up -d", inCompose},
	{"SESSION_FLASK_COMPATIBLE=true SESSION_TYPE=redis ", areSettings},
	{"openssl rand -base64 32", run},
	{"aws dynamodb ", nil}, // needs an account
	{"gcloud firestore ", nil},
}

var (
	indented = regexp.MustCompile(`(?m)^    (\S.*)$`)
	inline   = regexp.MustCompile("`([^`]+)`")
	typed    = regexp.MustCompile(`^(go (run|test|get) |docker |openssl |cd |SESSION_\S+ .*go run)`)
	remark   = regexp.MustCompile(`\s{2,}#.*`)
)

// commands returns the commands on a page: those in blocks, fenced or
// indented, and those in a sentence.
func commands(page string) (list []string) {
	for _, block := range fenced(page, "sh") {
		block = strings.ReplaceAll(block, "\\\n", "")
		list = append(list, strings.Split(strings.TrimSpace(block), "\n")...)
	}
	prose := fence.ReplaceAllString(page, "")
	for _, m := range indented.FindAllStringSubmatch(prose, -1) {
		list = append(list, m[1])
	}
	for _, m := range inline.FindAllStringSubmatch(indented.ReplaceAllString(prose, ""), -1) {
		if typed.MatchString(m[1]) {
			list = append(list, m[1])
		}
	}
	for i := range list {
		list[i] = strings.TrimSpace(remark.ReplaceAllString(list[i], ""))
	}
	return list
}

// TestCommands does what the pages say to type, or what comes close to it.
func TestCommands(t *testing.T) {
	done := make(map[string]bool)
	for _, page := range pages {
		for _, command := range commands(readPage(t, page)) {
			if done[command] {
				continue
			}
			done[command] = true
			t.Run(command, func(t *testing.T) {
				bash := exec.Command("bash", "-n", "-c", command)
				if out, err := bash.CombinedOutput(); err != nil {
					t.Errorf("%s: %v, %s", page, err, out)
				}
				for _, c := range checks {
					if strings.HasPrefix(command, c.begins) {
						if c.check != nil {
							c.check(t, command)
						}
						return
					}
				}
				t.Errorf("%s: nothing here checks that command", page)
			})
		}
	}
	if len(done) < len(checks) {
		t.Errorf("%d commands were found, and there are checks for %d", len(done), len(checks))
	}
}

// start runs a command line in the module's directory, with all that it
// starts ended in the end.
func start(t *testing.T, command string, env ...string) io.Reader {
	t.Helper()
	cmd := exec.Command("bash", "-c", command)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "SESSION_") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait() // it was killed
	})
	return out
}

// opensShop runs an example until it has served a page.
func opensShop(t *testing.T, command string) {
	if strings.Contains(command, "127.0.0.1:6379") {
		command = strings.ReplaceAll(command, "127.0.0.1:6379", testenv.Need(t, "REDIS_ADDR"))
	}
	line, err := bufio.NewReader(start(t, command, "ADDR=127.0.0.1:0")).ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), "open: ")
	if err != nil || !ok {
		t.Fatalf("it says %q, %v", line, err)
	}
	answer, err := http.Get(address + "/sign-in") // which begins no session
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the shop answers %s", answer.Status)
	}
}

// run runs a command that ends by itself.
func run(t *testing.T, command string) {
	cmd := exec.Command("bash", "-c", command)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// listsTests looks whether the command would run a test of each kind, in the
// root package.
func listsTests(t *testing.T, command string) {
	_, pattern, _ := strings.Cut(command, "-run ")
	pattern = strings.Trim(strings.TrimSuffix(pattern, " -v"), "'")
	cmd := exec.Command("go", "test", "-list", pattern, ".")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	for kind := range strings.SplitSeq(pattern, "|") {
		if err != nil || !strings.Contains(string(out), "Test"+kind) {
			t.Errorf("no Test%s, %v:\n%s", kind, err, out)
		}
	}
}

func isModule(t *testing.T, command string) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if want := "module " + strings.TrimPrefix(command, "go get ") + "\n"; err != nil || !strings.HasPrefix(string(mod), want) {
		t.Errorf("go.mod does not begin with %q: %v", want, err)
	}
}

// inBench looks whether bench has what is to be run; the gate runs it.
func inBench(t *testing.T, command string) {
	want := "package main"
	if _, name, ok := strings.Cut(command, "-run "); ok {
		want = "func " + strings.TrimSuffix(name, " .") + "("
	}
	files, err := filepath.Glob(filepath.Join(root, "bench", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), want) {
			return
		}
	}
	t.Errorf("bench has no %q", want)
}

// isModuleDir looks whether there is a module to be tested; the gate does that.
func isModuleDir(t *testing.T, command string) {
	cd, _, _ := strings.Cut(command, "go test")
	run(t, cd+"go list ./...")
}

// isScript checks the script that is named first.
func isScript(t *testing.T, command string) {
	name := regexp.MustCompile(`scripts/\w+`).FindString(command)
	info, err := os.Stat(filepath.Join(root, name))
	if err != nil || info.Mode()&0o111 == 0 {
		t.Fatalf("%s cannot be run: %v", name, err)
	}
	run(t, "bash -n "+name)
}

// isTested checks that a folder has tests; the gate runs them all.
func isTested(t *testing.T, command string) {
	found, err := filepath.Glob(filepath.Join(root, strings.TrimPrefix(command, "go test "), "*_test.go"))
	if err != nil || len(found) == 0 {
		t.Errorf("%s: nothing to test: %v", command, err)
	}
}

func inCompose(t *testing.T, command string) {
	text, err := os.ReadFile(filepath.Join(root, "compose.yaml"))
	if err != nil || !regexp.MustCompile(`profiles: \[.*\bredis\b`).Match(text) {
		t.Errorf("compose.yaml has no profile redis: %v", err)
	}
}

// areSettings checks settings that are written as variables.
func areSettings(t *testing.T, command string) {
	settings := make(map[string]any)
	for _, pair := range strings.Fields(command) {
		name, value, _ := strings.Cut(pair, "=")
		settings[name] = value
	}
	cfg, err := sessions.FromSettings(settings)
	if err == nil {
		_, err = sessions.NewManager(cfg)
	}
	if err != nil {
		t.Error(err)
	}
	if store, ok := cfg.Backend.(io.Closer); ok {
		store.Close()
	}
}
