// Package testenv finds the servers that tests run against.
package testenv

import (
	"os"
	"testing"
)

// Need returns the environment variable that tells where a server is. Without
// it the test is skipped, or fails when SESSIONS_REQUIRE_SERVICES=1 says that
// every server must be there.
func Need(t testing.TB, name string) string {
	t.Helper()
	if v := os.Getenv(name); v != "" {
		return v
	}
	if os.Getenv("SESSIONS_REQUIRE_SERVICES") == "1" {
		t.Fatalf("%s is not set, and SESSIONS_REQUIRE_SERVICES=1 forbids to skip; scripts/services starts the servers", name)
	}
	t.Skipf("needs a server: set %s, or run scripts/services", name)
	return ""
}
