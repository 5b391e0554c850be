package term

import (
	"io"
	"os"

	"golang.org/x/term"
)

// IsInteractive reports whether w is a terminal, on which lines can be written over: progress is shown
// there.
func IsInteractive(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// ShowsColors reports whether w is a terminal on which colors are wanted, which is not the case if NO_COLOR
// is set (no-color.org).
func ShowsColors(w io.Writer) bool { return IsInteractive(w) && os.Getenv("NO_COLOR") == "" }
