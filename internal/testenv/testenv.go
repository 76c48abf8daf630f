// Package testenv finds the servers and Python environments that tests need.
package testenv

import (
	"os"
	"strings"
	"testing"
)

// Need returns the environment variable that tells where a server, or a Python
// with Flask, is. Without it the test is skipped, or fails when
// SESSIONS_REQUIRE_SERVICES=1 says that all must be there.
func Need(t testing.TB, name string) string {
	t.Helper()
	if v := os.Getenv(name); v != "" {
		return v
	}
	script := "scripts/services"
	if strings.HasPrefix(name, "FLASK_") {
		script = "scripts/flask"
	}
	if os.Getenv("SESSIONS_REQUIRE_SERVICES") == "1" {
		t.Fatalf("%s is not set, and SESSIONS_REQUIRE_SERVICES=1 forbids to skip; see %s", name, script)
	}
	t.Skipf("needs %s: see %s", name, script)
	return ""
}
