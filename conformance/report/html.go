package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/authcompat/authcompat/conformance"
)

const htmlBegins = "<!DOCTYPE html>\n<!-- authcompat conformance -->\n"

//go:embed report.html
var page string

// WriteHTML writes a report as one page that loads nothing and needs no script: totals, a list of what
// failed, and for each exchange the differences and, if the run had transcripts, the requests as they were
// sent, the whole answers, and the commands that send them again.
func WriteHTML(w io.Writer, r *conformance.Report) error {
	document := template.New("report").Funcs(template.FuncMap{
		"line": printable, "lines": printableLines, "step": step, "time": moment, "milliseconds": milliseconds,
		"diff": markedDiff, "sum": totalsInWords, "failed": isFailed, "id": func(i, k int) string { return fmt.Sprintf("e%d-%d", i+1, k+1) },
		"content": func(c conformance.Content) string { return printable(string(c)) },
		"body":    func(c conformance.Content) string { return printableLines(string(c)) },
	})
	return write(w, htmlBegins, template.Must(document.Parse(page)), r)
}

// write writes a document behind what it begins with, which a template would leave out if it is a
// comment.
func write(w io.Writer, begins string, document *template.Template, data any) error {
	if _, err := io.WriteString(w, begins); err != nil {
		return err
	}
	return document.Execute(w, data)
}

func isFailed(r conformance.Result) bool {
	return r.Outcome == conformance.Mismatch || r.Outcome == conformance.CouldNotRun
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

func totalsInWords(t conformance.Totals) string { return totals(t, false) }

// printableLines is printable for text with line feeds.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// A MarkedLine is a line of a diff in three parts, of which the middle one differs.
type MarkedLine struct {
	Class string // want, got or both
	Sign  string // -, + or a blank

	Before, Marked, After string
}

// markedDiff returns the whole diff of a difference; none for a status, which the problem has.
func markedDiff(d conformance.Difference) []MarkedLine {
	if d.Part == "status" {
		return nil
	}
	return marked(unlimited().diff(d.Want, d.Got))
}

// Marked returns the diff of an expected and another text, with what differs in each line. It has the part of long lines
// around the difference, and the beginning of long changes, so that it fits a page with other things on it.
func Marked(want, got string) []MarkedLine {
	return marked(diffSize{width: 240, lines: 12, hunks: 4}.diff(want, got))
}

func marked(diff []diffLine) []MarkedLine {
	var lines []MarkedLine
	for _, l := range diff {
		runes := []rune(l.text)
		line := MarkedLine{map[byte]string{'-': "want", '+': "got", ' ': "both"}[l.sign], string(l.sign), string(runes[:l.from]), string(runes[l.from:l.to]), string(runes[l.to:])}
		lines = append(lines, line)
	}
	return lines
}
