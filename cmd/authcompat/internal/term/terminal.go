package term

import (
	"io"
	"os"

	"golang.org/x/term"
)

// IsInteractive reports whether w is a terminal that shows progress bars, which is not the
// case if NO_COLOR is set (no-color.org).
func IsInteractive(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}
