package term

import (
	"io"
	"os"

	"golang.org/x/term"
)

// IsInteractive tells whether w is a terminal that may be written in colour: not
// where NO_COLOR is set (no-color.org).
func IsInteractive(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}
