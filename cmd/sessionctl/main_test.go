package main

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/internal/testenv"
)

var update = flag.Bool("update", false, "write what the commands of docs/sessionctl.md show into it")

// TestMain is the command itself when a test asks for it.
func TestMain(m *testing.M) {
	if os.Getenv("SESSIONCTL_TEST") == "1" {
		main()
	}
	flag.Parse()
	os.Exit(m.Run())
}

// A place is a store that the command is run on.
type place struct {
	name string
	env  func(t *testing.T, prefix string) map[string]string
}

var places = []place{
	{"files", func(t *testing.T, _ string) map[string]string {
		return map[string]string{"SESSION_TYPE": "filesystem", "SESSION_FILE_DIR": filepath.Join(t.TempDir(), "sessions")}
	}},
	{"redis", func(t *testing.T, _ string) map[string]string {
		return map[string]string{"SESSION_TYPE": "redis", "SESSION_REDIS": "redis://" + testenv.Need(t, "REDIS_ADDR") + "/0"}
	}},
	{"postgres", func(t *testing.T, prefix string) map[string]string {
		dsn := testenv.Need(t, "POSTGRES_DSN")
		table := "ctl_" + strings.Trim(prefix, ":")
		dropLater(t, "pgx", dsn, table)
		return map[string]string{"SESSION_TYPE": "sqlalchemy", "SESSION_SQLALCHEMY": dsn, "SESSION_SQLALCHEMY_TABLE": table}
	}},
	{"mariadb", func(t *testing.T, prefix string) map[string]string {
		dsn := testenv.Need(t, "MYSQL_DSN")
		table := "ctl_" + strings.Trim(prefix, ":")
		dropLater(t, "mysql", dsn, table)
		return map[string]string{"SESSION_TYPE": "peewee", "SESSION_DB": "mysql://" + mysqlURL(dsn), "SESSION_PEEWEE_TABLE": table}
	}},
}

// mysqlURL makes user:password@host/db of the driver's own form.
func mysqlURL(dsn string) string {
	return regexp.MustCompile(`tcp\(([^)]*)\)`).ReplaceAllString(strings.SplitN(dsn, "?", 2)[0], "$1")
}

func dropLater(t *testing.T, driver, dsn, table string) {
	t.Cleanup(func() {
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Error(err)
			return
		}
		defer db.Close()
		if _, err := db.Exec("DROP TABLE IF EXISTS " + table); err != nil {
			t.Error(err)
		}
	})
}

// A box is a store with sessions of its own, and the environment for it.
type box struct {
	t   *testing.T
	env map[string]string
	m   *sessions.Manager
	cfg sessions.Config
}

func newPrefix() string { return "t" + strings.ToLower(rand.Text()[:12]) + ":" }

func (p place) open(t *testing.T, prefix string) *box {
	t.Helper()
	env := p.env(t, prefix)
	env["SESSION_KEY_PREFIX"] = prefix
	b := &box{t: t, env: env}
	values := make(map[string]any)
	for name, v := range env {
		values[name] = v
	}
	var err error
	if b.cfg, err = sessions.FromSettings(values); err != nil {
		t.Fatal(err)
	}
	b.cfg.SweepInterval = -1
	if b.m, err = sessions.NewManager(b.cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for i := range b.m.All(t.Context()) {
			_ = i.Revoke(t.Context())
		}
	})
	return b
}

// A request is what Default takes for a framework's context.
type request struct{ x *sessions.Exchange }

func (request) Param(string) string { return "" }

func (r request) Get(string) any { return r.x }

// visit runs a request, with a cookie or without, and returns its cookie.
func (b *box) visit(cookie string, use func(s *sessions.Session)) (sent, handle string) {
	b.t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", cookie)
	h := make(http.Header)
	var x sessions.Exchange
	b.m.Begin(&x, r, h, nil)
	s := sessions.Default(request{&x})
	use(s)
	handle = s.Handle()
	if err := x.Commit(); err != nil {
		b.t.Fatal(err)
	}
	x.Finish()
	sent, _, _ = strings.Cut(h.Get("Set-Cookie"), ";")
	return sent, handle
}

func (b *box) login(principal string, values ...any) (cookie, handle string) {
	return b.visit("", func(s *sessions.Session) {
		for i := 0; i < len(values); i += 2 {
			s.Set(values[i].(string), values[i+1])
		}
		if principal != "" {
			if err := s.Login(principal); err != nil {
				b.t.Fatal(err)
			}
		}
	})
}

// ctl runs the command on a box, with another one to copy to. It has only the
// environment of these.
func (b *box) ctl(to *box, args ...string) (stdout, stderr string, code int) {
	b.t.Helper()
	before := os.Environ()
	os.Clearenv()
	defer func() {
		os.Clearenv()
		setenv(b.t, before)
	}()
	setenv(b.t, b.environ("", nil))
	if to != nil {
		setenv(b.t, to.environ("TO_", nil))
	}
	var out, errs bytes.Buffer
	code = run(b.t.Context(), args, &out, &errs)
	return out.String(), errs.String(), code
}

// environ appends the settings of a box to env.
func (b *box) environ(prefix string, env []string) []string {
	for name, v := range b.env {
		env = append(env, prefix+name+"="+v)
	}
	return env
}

func setenv(t *testing.T, env []string) {
	t.Helper()
	for _, pair := range env {
		name, v, _ := strings.Cut(pair, "=")
		if err := os.Setenv(name, v); err != nil {
			t.Fatal(err)
		}
	}
}

// The program itself, as a process.
func TestProgram(t *testing.T) {
	b := places[0].open(t, newPrefix())
	_, handle := b.login("ada", "n", 1)
	for args, want := range map[string]int{"list": exitOK, "lisst": exitUsage, "show nothing": exitNotFound} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], strings.Fields(args)...)
		cmd.Env = b.environ("", []string{"SESSIONCTL_TEST=1"})
		out, err := cmd.Output()
		if err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if code := cmd.ProcessState.ExitCode(); code != want || strings.Contains(string(out), handle) != (args == "list") {
			t.Errorf("%s: exit %d, %s", args, code, out)
		}
	}
}

var times = regexp.MustCompile(`\d{4}-\d\d-\d\d( |T)\d\d:\d\d:\d\d(\.\d+Z|Z)?`)

// TestDocumentedCommands runs every command in docs/sessionctl.md on every
// store and compares what it writes with what is shown there.
func TestDocumentedCommands(t *testing.T) {
	file, err := filepath.Abs("../../docs/sessionctl.md")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```console\n\\$ sessionctl ([^\n]*)\n(.*?)```")
	for i, p := range places {
		t.Run(p.name, func(t *testing.T) {
			t.Chdir(t.TempDir()) // for copy.state
			prefix := newPrefix()
			from, to := p.open(t, prefix), places[(i+1)%len(places)].open(t, prefix)
			_, one := from.login("ada", "browser", "Firefox on Linux", "cart", map[string]int{"tea": 2})
			_, two := from.login("ada", "browser", "Safari on iPhone")
			_, three := from.login("eve", "role", "admin")
			_, four := from.login("", "lang", "de")
			shown := strings.NewReplacer(one, "gHf0pM3sT6vXw9ZaBcDe1Q", two, "Wk2uYt8RqEo5LiNxVzSj7A", three, "b6CnMaQd1GhJ4KlPfRyT0w", four, "xE9vUo3HrIz7DsWbNcYk5g")
			actual := strings.NewReplacer("gHf0pM3sT6vXw9ZaBcDe1Q", one)
			ran := 0
			got := block.ReplaceAllStringFunc(string(doc), func(text string) string {
				parts := block.FindStringSubmatch(text)
				out, errs, code := from.ctl(to, strings.Fields(actual.Replace(parts[1]))...)
				if code != 0 {
					t.Errorf("sessionctl %s: exit %d, %s", parts[1], code, errs)
				}
				if strings.HasPrefix(out, "nothing to do") {
					out = parts[2]
				}
				out = shown.Replace(out)
				out = times.ReplaceAllStringFunc(out, func(s string) string {
					if strings.Contains(s, "T") {
						return "2026-01-02T15:04:05Z"
					}
					return "2026-01-02 15:04:05"
				})
				if lines := strings.SplitAfter(out, "\n"); strings.HasPrefix(out, "HANDLE") {
					slices.Sort(lines[1 : len(lines)-1])
					out = strings.Join(lines, "")
				}
				ran++
				return "```console\n$ sessionctl " + parts[1] + "\n" + out + "```"
			})
			if ran < 12 {
				t.Errorf("only %d commands", ran)
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				doc = []byte(got)
			}
			if got != string(doc) {
				t.Errorf("docs/sessionctl.md is out of date (go test -update writes it):\n%s", diff(string(doc), got))
			}
		})
	}
}

// diff returns the lines that differ.
func diff(want, got string) string {
	var b strings.Builder
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		var x, y string
		if i < len(w) {
			x = w[i]
		}
		if i < len(g) {
			y = g[i]
		}
		if x != y {
			fmt.Fprintf(&b, "line %d\n- %s\n+ %s\n", i+1, x, y)
		}
	}
	return b.String()
}
