package browsertest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// patience is how long anything in the browser may take.
const patience = 20 * time.Second

// browsers are the programs that will do, best first.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// findBrowser returns the program of the browser.
func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("SESSIONS_REQUIRE_SERVICES") == "1" {
		t.Fatalf("none of %q is installed, and SESSIONS_REQUIRE_SERVICES=1 forbids to skip; on Debian: apt-get install chromium", browsers)
	}
	t.Skipf("needs a browser, one of %q; on Debian: apt-get install chromium", browsers)
	return ""
}

// startBrowser starts a browser with an empty profile. The context is for
// [newVisitor].
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(findBrowser(t)),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, // which root cannot use
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.WSURLReadTimeout(patience),
	)
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, closeAll := chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	t.Cleanup(closeAll)
	version, err := chromedp.CallBrowser(ctx, browser.GetVersion, struct{}{})
	if err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	t.Logf("%s", version.Product)
	return ctx
}
