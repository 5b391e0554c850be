package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/authcompat/authcompat/conformance"
)

// WriteText writes a report for people: a line for each exchange, the differences below those that
// failed, and totals for each profile. With color it uses ANSI colours, for a terminal.
func WriteText(w io.Writer, r *conformance.Report, color bool) error {
	b := bufio.NewWriter(w)
	t := NewTextWriter(b, color)
	for i := range r.Profiles {
		p := &r.Profiles[i]
		t.Begin(p.Profile, p.URL)
		for k := range p.Results {
			if err := t.Result(&p.Results[k]); err != nil {
				return err
			}
		}
	}
	return cmp.Or(t.End(), b.Flush())
}

func textHead(p *conformance.ProfileReport, color bool) string {
	if p.URL == "" {
		return paint(color, bold, p.Profile)
	}
	return paint(color, bold, p.Profile) + " at " + printable(p.URL)
}

// Text returns a result as WriteText shows it: one line, or several for a failure, each ended by a
// newline.
func Text(r *conformance.Result, color bool) string {
	name := printable(r.Exchange)
	switch r.Outcome {
	case conformance.Passed:
		return fmt.Sprintf("  %s    %s\n", paint(color, green, "ok"), name)
	case conformance.NotReplayable:
		return fmt.Sprintf("  %s     %s (not replayable: %s)\n", paint(color, yellow, "-"), name, printable(r.Reason))
	case conformance.NotTried:
		return fmt.Sprintf("  %s     %s (not tried: %s)\n", paint(color, yellow, "-"), name, printable(r.Reason))
	case conformance.CouldNotRun:
		return fmt.Sprintf("  %s %s: could not run: %s\n", paint(color, red, "ERROR"), name, printable(r.Reason))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  %s  %s\n", paint(color, red, "FAIL"), name)
	fmt.Fprintf(&b, "        %s\n", printable(r.Source))
	fmt.Fprintf(&b, "        %s, %s\n", printable(r.Position.String()), step(r.Step))
	for _, d := range r.Differences {
		fmt.Fprintf(&b, "        %s: %s\n", printable(d.Position.String()), printable(d.Problem))
		if d.Part == "status" {
			continue // the problem has both statuses
		}
		for _, line := range inTerminal().diff(d.Want, d.Got) {
			b.WriteString(line.draw(color))
		}
	}
	return b.String()
}

// step names a failed step, with its line and column in the exchange file.
func step(s *conformance.FailedStep) string {
	if s.Number == 0 {
		return fmt.Sprintf("creation of a user at %d:%d: %s", s.Position.Line, s.Position.Column, printable(s.Request))
	}
	return fmt.Sprintf("step %d at %d:%d: %s", s.Number, s.Position.Line, s.Position.Column, printable(s.Request))
}

// draw returns a line of a diff. Without colours, a second line marks the part that differs.
func (l diffLine) draw(color bool) string {
	const indent = "          "
	shade := map[byte]string{'-': red, '+': green, ' ': ""}[l.sign]
	runes := []rune(l.text)
	if l.from >= l.to || l.to-l.from == len(runes) {
		return indent + paint(color, shade, string(l.sign)+" "+l.text) + "\n"
	}
	before, differs, after := string(runes[:l.from]), string(runes[l.from:l.to]), string(runes[l.to:])
	if color {
		return indent + paint(true, shade, string(l.sign)+" "+before) + paint(true, shade+reverse, differs) + paint(true, shade, after) + "\n"
	}
	return indent + string(l.sign) + " " + l.text + "\n" +
		indent + "  " + strings.Repeat(" ", l.from) + strings.Repeat("^", l.to-l.from) + "\n"
}

func totals(t conformance.Totals, color bool) string {
	parts := []string{paint(color, green, fmt.Sprintf("%d passed", t.Passed))}
	for _, p := range []struct {
		n           int
		shade, what string
	}{{t.Mismatches, red, "failed"}, {t.CouldNotRun, red, "could not run"}, {t.NotReplayable, yellow, "not replayable"}, {t.NotTried, yellow, "not tried"}} {
		if p.n > 0 {
			parts = append(parts, paint(color, p.shade, fmt.Sprintf("%d %s", p.n, p.what)))
		}
	}
	return strings.Join(parts, ", ")
}

const (
	bold    = "\x1b[1m"
	red     = "\x1b[31m"
	green   = "\x1b[32m"
	yellow  = "\x1b[33m"
	reverse = "\x1b[7m"
	reset   = "\x1b[0m"
)

func paint(color bool, shade, text string) string {
	if !color || shade == "" || text == "" {
		return text
	}
	return shade + text + reset
}
