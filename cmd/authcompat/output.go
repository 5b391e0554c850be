package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
)

// table writes rows for people or, one JSON object a line, for programs.
type table struct {
	json    bool
	encoder *json.Encoder
	columns *tabwriter.Writer
}

// newTable begins a table with its head, which JSON does not have.
func newTable(w io.Writer, asJSON bool, head string) *table {
	t := &table{json: asJSON}
	if asJSON {
		t.encoder = json.NewEncoder(w)
		t.encoder.SetEscapeHTML(false)
		return t
	}
	t.columns = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t.columns, head)
	return t
}

// row adds a row: record as JSON, or the cells.
func (t *table) row(record any, format string, cells ...any) error {
	if t.json {
		return t.encoder.Encode(record)
	}
	return say(t.columns, format+"\n", cells...)
}

// end writes what is left.
func (t *table) end() error {
	if t.json {
		return nil
	}
	return t.columns.Flush()
}

// report says what was done: record as JSON, or a sentence.
func report(w io.Writer, asJSON bool, record any, format string, args ...any) error {
	if asJSON {
		return json.NewEncoder(w).Encode(record)
	}
	return say(w, format+"\n", args...)
}

// say is fmt.Fprintf for people: texts among the arguments are made printable.
func say(w io.Writer, format string, args ...any) error {
	shown := make([]any, len(args))
	for i, arg := range args {
		switch a := arg.(type) {
		case string:
			arg = printable(a)
		case core.Act:
			arg = printable(string(a))
		}
		shown[i] = arg
	}
	_, err := fmt.Fprintf(w, format, shown...)
	return err
}

// when writes a time for people; the zero one is never.
func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// stamp is a time in JSON; the zero one is null.
func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// orDash shows an empty cell.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// printable shows a text in one line of a terminal: what does not print, such as
// control characters, invalid UTF-8 and what turns the direction of writing, is
// escaped as in Go. Names come from strangers.
func printable(s string) string {
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

// printableLines is printable for a text of several lines.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}
