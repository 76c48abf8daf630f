// Package browsertest visits the two examples with a real browser: Chromium,
// without a window. It is a module of its own, so that what drives the browser
// is not among the requirements of the library:
//
//	cd internal/browsertest && go test ./...
//
// The pictures that the tests take are kept with -artifacts -outputdir DIR.
// Without a Chromium the tests are skipped, unless SESSIONS_REQUIRE_SERVICES=1
// forbids that.
package browsertest
