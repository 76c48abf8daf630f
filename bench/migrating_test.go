package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// before is what the programs that docs/migrating.md moves from import.
var before = map[string]string{
	"gin": `"net/http"
		"github.com/gin-contrib/sessions"
		"github.com/gin-contrib/sessions/redis"
		"github.com/gin-gonic/gin"`,
	"echo": `"fmt"
		"net/http"
		"github.com/boj/redistore"
		"github.com/gorilla/sessions"
		"github.com/labstack/echo-contrib/session"
		"github.com/labstack/echo/v4"`,
	"scs": `"net/http"
		"time"
		"github.com/alexedwards/scs/goredisstore"
		"github.com/alexedwards/scs/v2"
		"github.com/labstack/echo/v4"
		"github.com/redis/go-redis/v9"`,
}

// TestMigrating compiles them, as this module is the one that
// requires their libraries. What becomes of them is compiled, and run, by the
// tests of the library itself.
func TestMigrating(t *testing.T) {
	guide, err := os.ReadFile("../docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	diffs := regexp.MustCompile("(?s); before: ([a-z]+) -->\n```diff\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	if len(diffs) != len(before) {
		t.Errorf("the guide has %d diffs, want %d", len(diffs), len(before))
	}
	for _, diff := range diffs {
		t.Run(diff[1], func(t *testing.T) {
			program := "package before\n\nimport (\n" + before[diff[1]] + "\n)\n\n"
			for line := range strings.Lines(diff[2]) {
				if line[0] != '+' {
					program += line[1:]
				}
			}
			file := filepath.Join(t.TempDir(), "before.go")
			if err := os.WriteFile(file, []byte(program), 0o644); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
