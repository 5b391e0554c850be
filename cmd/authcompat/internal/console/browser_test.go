package console_test

import (
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/consoletest"
)

// TestBrowser looks at all pages of a console in a browser.
func TestBrowser(t *testing.T) {
	browser := consoletest.Start(t)
	t.Run("pages", func(t *testing.T) {
		tab := browser.Open(t, address(t))
		if got, want := tab.Path(), "/console/profiles/"; got != want {
			t.Errorf("the key leads to %s, not %s", got, want)
		}
		for _, path := range paths() {
			tab.Go(path)
			t.Logf("%s: first paint after %.0f ms", path, tab.FirstPaint())
			tab.Accessible()
		}
	})
}
