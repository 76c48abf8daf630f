package sessions

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/go-session2/sessions"

// TestDependencies keeps the arrows pointing one way: a program gets the SDKs
// of the backends that it imports and of no others, and one framework never
// brings the other.
func TestDependencies(t *testing.T) {
	const wire = "github.com/tinylib/msgp" // MessagePack
	const redact = module + "/internal/redact"
	core := []string{module, module + "/backend", module + "/backend/nullbackend", module + "/codec", redact}
	for pkg, allowed := range map[string]struct {
		own     []string // packages of this module
		foreign []string // modules, by prefix
	}{
		"backend":        {own: []string{module + "/backend", redact}},
		"codec":          {own: []string{module + "/codec", redact}, foreign: []string{wire}},
		"":               {own: core, foreign: []string{wire}},
		"sessionstest":   {own: append(core, module+"/sessionstest", module+"/backend/memorybackend"), foreign: []string{wire}},
		"ginsession":     {own: append(core, module+"/ginsession", module+"/internal/commit"), foreign: []string{wire, "github.com/gin-gonic/gin"}},
		"echosession":    {own: append(core, module+"/echosession", module+"/internal/commit"), foreign: []string{wire, "github.com/labstack/echo/v4"}},
		"echosession/v5": {own: append(core, module+"/echosession/v5", module+"/internal/commit"), foreign: []string{wire, "github.com/labstack/echo/v5"}},
	} {
		path := strings.TrimSuffix(module+"/"+pkg, "/")
		// What the frameworks themselves need is theirs to decide.
		foreign := allowed.foreign
		for _, framework := range allowed.foreign {
			if framework != wire {
				foreign = append(foreign, deps(t, framework)...)
			}
		}
		foreign = append(foreign, deps(t, wire+"/msgp")...)
		for _, dep := range deps(t, path) {
			switch first, _, _ := strings.Cut(dep, "/"); {
			case dep == "testing":
				t.Errorf("%s pulls in package testing, and so its flags", path)
			case !strings.Contains(first, "."): // standard library
			case strings.HasPrefix(dep, module):
				if !slices.Contains(allowed.own, dep) {
					t.Errorf("%s imports %s", path, dep)
				}
			default:
				if !slices.ContainsFunc(foreign, func(ok string) bool { return dep == ok || strings.HasPrefix(dep, ok+"/") }) {
					t.Errorf("%s pulls in %s", path, dep)
				}
			}
		}
	}
}

// TestTelemetryIsOptional checks that the API of OpenTelemetry comes with
// otelsession alone, and its SDK not even with that: it is the program's
// choice.
func TestTelemetryIsOptional(t *testing.T) {
	const otel = "go.opentelemetry.io/otel"
	for _, dep := range deps(t, module+"/otelsession") {
		if strings.HasPrefix(dep, otel+"/sdk") || strings.HasPrefix(dep, module+"/backend/") && dep != module+"/backend/nullbackend" {
			t.Errorf("otelsession pulls in %s", dep)
		}
	}
	for _, pkg := range []string{"", "/ginsession", "/echosession", "/echosession/v5"} {
		for _, dep := range deps(t, module+pkg) {
			if strings.HasPrefix(dep, otel) {
				t.Errorf("%s pulls in %s", module+pkg, dep)
			}
		}
	}
}

// TestBackendsAreIndependent checks that no backend imports another one.
func TestBackendsAreIndependent(t *testing.T) {
	out := golist(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/backend/...")
	for _, line := range out {
		fields := strings.Fields(line)
		pkg := fields[0]
		if pkg == module+"/backend/all" {
			continue
		}
		for _, imp := range fields[1:] {
			if strings.HasPrefix(imp, module+"/backend/") && strings.HasSuffix(imp, "backend") {
				t.Errorf("%s imports %s", pkg, imp)
			}
		}
	}
}

func deps(t *testing.T, pkg string) []string {
	t.Helper()
	return golist(t, "-deps", pkg)
}

func golist(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
