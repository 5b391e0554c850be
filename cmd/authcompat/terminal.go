package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal tells whether a person reads along, in colour (no-color.org).
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}
