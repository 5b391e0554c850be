package server

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// newLog makes the log of a server: with "auto", text where a person reads along
// and JSON where a program does.
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
