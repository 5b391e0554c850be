// Package testenv says what becomes of tests that need what a machine may not have, such as Python or a browser.
package testenv

import (
	"os"
	"testing"
)

// Missing ends a test that can't run here, and says why, as fmt.Sprintf does. It is skipped, or fails where every test
// has to run: in CI, by whose environment variable CI that is told.
func Missing(tb testing.TB, format string, arguments ...any) {
	tb.Helper()
	if os.Getenv("CI") != "" {
		tb.Fatalf(format, arguments...)
	}
	tb.Skipf(format, arguments...)
}
