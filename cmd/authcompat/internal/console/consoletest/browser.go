// Package consoletest opens the console in a real browser for tests: Debian's chromium, driven by chromedp, and
// axe-core from npm, which make tools installs.
//
// What holds of every page is checked of every page that a test comes by: its
// Content-Security-Policy and size, that it asks no other origin for anything, and that the browser has nothing
// to say about it.
package consoletest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core/testenv"
	"github.com/chromedp/chromedp"
)

// toolsVariable names the folder into which make tools installs axe-core.
const toolsVariable = "AUTHCOMPAT_TEST_CONSOLE_TOOLS"

// A Browser is a running one. Its tabs share nothing: each has cookies of its own.
type Browser struct {
	ctx context.Context
	axe string // the text of axe-core
}

// Start starts a browser, which ends with the test; start one a package and open tabs of it in subtests.
// Where there is no chromium or axe-core the test is skipped, or fails if CI is set.
func Start(t *testing.T) *Browser {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		testenv.Missing(t, "needs a browser (make tools): %v", err)
	}
	folder := os.Getenv(toolsVariable)
	if folder == "" {
		folder = filepath.Join(os.TempDir(), "authcompat-console-tools")
	}
	axe, err := os.ReadFile(filepath.Join(folder, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		testenv.Missing(t, "needs axe-core (make tools; "+toolsVariable+" is its folder): %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium),
		chromedp.Flag("no-sandbox", os.Geteuid() == 0), // as root, chromium has none
		chromedp.Flag("hide-scrollbars", true),
		chromedp.WindowSize(wide, height),
		chromedp.UserDataDir(t.TempDir()),
		// A page that asks for a name of elsewhere finds nothing, and the test says so.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	)
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, _ := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", chromium, err)
	}
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // before its folder is removed
	return &Browser{ctx: ctx, axe: string(axe)}
}

// patience is how long a step in the browser may take before its test fails. Nothing is asserted about the
// time that it does take.
const patience = 30 * time.Second

// pollInterval is how often a page is asked whether it shows what is waited for.
const pollInterval = 20 * time.Millisecond
