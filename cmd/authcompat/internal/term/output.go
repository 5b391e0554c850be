// Package term writes the output of commands: tables, sentences and progress for people at
// a terminal, JSON for programs. Strings from users are escaped, so that a terminal finds
// no control sequence in them.
package term

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
)

// Table writes rows in aligned columns for people or, one JSON object a line, for
// programs.
type Table struct {
	json    bool
	encoder *json.Encoder
	columns *Columns
}

// NewTable begins a table on w. The head has the names of the columns, separated
// by tabs; JSON has none.
func NewTable(w io.Writer, asJSON bool, head string) *Table {
	t := &Table{json: asJSON}
	if asJSON {
		t.encoder = json.NewEncoder(w)
		t.encoder.SetEscapeHTML(false)
		return t
	}
	t.columns = NewColumns(w)
	fmt.Fprintln(t.columns, head)
	return t
}

// Fit cuts the rows to the width of the terminal, if they are written to one: for a table whose last column tells only
// more of what the others name.
func (t *Table) Fit() *Table {
	if !t.json && IsInteractive(t.columns.out) {
		t.columns.width = Width(t.columns.out)
	}
	return t
}

// Row adds a row: record as JSON, or the cells as Printf formats them, separated by
// tabs. The error is that of the writer or of the JSON encoder.
func (t *Table) Row(record any, format string, cells ...any) error {
	if t.json {
		return t.encoder.Encode(record)
	}
	return Printf(t.columns, format+"\n", cells...)
}

// End writes the rows, which are buffered to align the columns. The error is that of the
// writer.
func (t *Table) End() error {
	if t.json {
		return nil
	}
	return t.columns.Flush()
}

// Report writes the result of a command to w: record as JSON, or format and args as Printf
// formats them, with a newline.
func Report(w io.Writer, asJSON bool, record any, format string, args ...any) error {
	if asJSON {
		return json.NewEncoder(w).Encode(record)
	}
	return Printf(w, format+"\n", args...)
}

// Printf is fmt.Fprintf with every argument that is a string or a core.Action made
// Printable. The error is that of the writer.
func Printf(w io.Writer, format string, args ...any) error {
	shown := make([]any, len(args))
	for i, arg := range args {
		switch a := arg.(type) {
		case string:
			arg = Printable(a)
		case core.Action:
			arg = Printable(string(a))
		}
		shown[i] = arg
	}
	_, err := fmt.Fprintf(w, format, shown...)
	return err
}

// Count writes how many of something there are, with the word for one or that for any other
// number.
func Count[N ~int | ~int64](n N, one, many string) string {
	if n == 1 {
		many = one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// FormatTime formats a time in UTC, to the second, for people; the zero time is
// "never".
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// JSONTime returns a time for encoding/json: nil, which is written as null, for the zero
// time.
func JSONTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Dash returns "-" for an empty cell, and any other as it is.
func Dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// Printable returns a string for one line of a terminal. What is not printable, such as
// control characters, invalid UTF-8 and marks of text direction, is escaped as in Go:
// users choose their own names.
func Printable(s string) string {
	var b strings.Builder
	for i, size := 0, 0; i < len(s); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(s[i:])
		switch quoted := strconv.QuoteRune(r); {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// PrintableLines is Printable for each line of a text.
func PrintableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Printable(line)
	}
	return strings.Join(lines, "\n")
}
