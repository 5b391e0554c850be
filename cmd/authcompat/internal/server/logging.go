package server

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// newLog returns the log of a server. With "auto" it is text on a terminal and JSON
// elsewhere.
func newLog(w io.Writer, format string) (*slog.Logger, error) {
	file, ok := w.(*os.File)
	person := ok && term.IsTerminal(int(file.Fd()))
	switch {
	case format == "text", format == "auto" && person:
		return slog.New(slog.NewTextHandler(w, nil)), nil
	case format == "json", format == "auto":
		return slog.New(slog.NewJSONHandler(w, nil)), nil
	}
	return nil, fmt.Errorf("--log-format %q: want auto, text or json", format)
}
