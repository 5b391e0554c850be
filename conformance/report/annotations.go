package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/authcompat/authcompat/conformance"
)

// maxAnnotations is how many errors of a step GitHub shows (docs.github.com, Workflow commands, limits
// of annotations).
const maxAnnotations = 10

// WriteAnnotations writes the exchanges that failed or could not run as commands of GitHub's workflows,
// which show them at the lines of files that isOwn knows: those of the repository, rather than built in
// ones. The tenth and last says how many there are besides.
func WriteAnnotations(w io.Writer, r *conformance.Report, isOwn func(file string) bool) error {
	b := bufio.NewWriter(w)
	t := r.Totals()
	left := t.Mismatches + t.CouldNotRun
	written := 0
	for i := range r.Profiles {
		p := &r.Profiles[i]
		for k := range p.Results {
			result := &p.Results[k]
			if result.Outcome != conformance.Mismatch && result.Outcome != conformance.CouldNotRun {
				continue
			}
			if written == maxAnnotations-1 && left > 1 {
				fmt.Fprintf(b, "::error title=conformance::%d more exchanges failed or could not run\n", left)
				return b.Flush()
			}
			annotate(b, p.Profile, result, isOwn)
			written, left = written+1, left-1
		}
	}
	return b.Flush()
}

func annotate(w io.Writer, profile string, r *conformance.Result, isOwn func(file string) bool) {
	at, message := r.Position, "could not run: "+r.Reason
	if r.Outcome == conformance.Mismatch {
		d := &r.Differences[0]
		at, message = d.Position, fmt.Sprintf("%s: %s", r.Step.Request, d.Problem)
		if more := len(r.Differences) - 1; more > 0 {
			message += fmt.Sprintf(" (and %d more)", more)
		}
	}
	place := ""
	if isOwn(at.File) {
		place = fmt.Sprintf("file=%s,line=%d,col=%d,", property(at.File), at.Line, at.Column)
	} else {
		message = at.String() + ": " + message
	}
	fmt.Fprintf(w, "::error %stitle=%s::%s\n", place, property(profile+": "+r.Exchange), data(message))
}

// data escapes the message of a command (actions/toolkit 1.11, packages/core/src/command.ts).
func data(text string) string { return strings.ReplaceAll(printable(text), "%", "%25") }

// property escapes the value of a command's property.
func property(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data(text))
}
