package report

import (
	"fmt"
	"io"

	"github.com/authcompat/authcompat/conformance"
)

// A TextWriter writes a report for people while the exchanges are replayed: each result when it is
// known. Exchanges that were not tried share a line: what happened is said above it.
type TextWriter struct {
	w     io.Writer
	color bool
	err   error // the first of the writer

	profiles []conformance.ProfileReport // the last one has not ended
	untried  int                         // results that have no line yet
	reason   string                      // of these
}

// NewTextWriter returns a TextWriter that writes each line to w at once. With color it uses ANSI
// colours, for a terminal.
func NewTextWriter(w io.Writer, color bool) *TextWriter { return &TextWriter{w: w, color: color} }

// Begin begins a profile. It fits conformance.Options.Begin.
func (t *TextWriter) Begin(profile, url string) {
	t.endProfile()
	t.profiles = append(t.profiles, conformance.ProfileReport{Profile: profile, URL: url})
	t.printf("%s\n", textHead(&t.profiles[len(t.profiles)-1], t.color))
}

// Result writes a result of the profile that has begun. The error is the first of the writer: a run
// whose results nobody sees can end.
func (t *TextWriter) Result(r *conformance.Result) error {
	p := &t.profiles[len(t.profiles)-1]
	p.Results = append(p.Results, *r)
	if r.Outcome == conformance.NotTried && (t.untried == 0 || t.reason == r.Reason) {
		t.untried, t.reason = t.untried+1, r.Reason
		return t.err
	}
	t.endUntried()
	t.printf("%s", Text(r, t.color))
	return t.err
}

// End ends the report with its totals. The error is the first of the writer.
func (t *TextWriter) End() error {
	t.endProfile()
	if len(t.profiles) > 1 {
		all := conformance.Report{Profiles: t.profiles}
		t.printf("%s: %s\n", paint(t.color, bold, "all"), totals(all.Totals(), t.color))
	}
	return t.err
}

func (t *TextWriter) endProfile() {
	if len(t.profiles) == 0 {
		return
	}
	t.endUntried()
	p := &t.profiles[len(t.profiles)-1]
	t.printf("%s: %s\n\n", paint(t.color, bold, p.Profile), totals(p.Totals(), t.color))
}

func (t *TextWriter) endUntried() {
	if t.untried > 0 {
		t.printf("  %s     %d not tried: %s\n", paint(t.color, yellow, "-"), t.untried, printable(t.reason))
	}
	t.untried = 0
}

func (t *TextWriter) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(t.w, format, args...); t.err == nil {
		t.err = err
	}
}
