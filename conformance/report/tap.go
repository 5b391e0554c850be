package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance"
)

const tapBegins = "TAP version 13\n# authcompat conformance\n"

// A tapDetail is the YAML block below a test that is not ok.
type tapDetail struct {
	Message     string          `yaml:"message"`
	Severity    string          `yaml:"severity"`
	Source      string          `yaml:"source"`
	At          string          `yaml:"at"`
	Step        string          `yaml:"step,omitempty"`
	Differences []tapDifference `yaml:"differences,omitempty"`
}

type tapDifference struct {
	At      string   `yaml:"at"`
	Part    string   `yaml:"part"`
	Problem string   `yaml:"problem"`
	Diff    []string `yaml:"diff,omitempty"`
}

// WriteTAP writes a report in version 13 of the Test Anything Protocol (testanything.org), which more
// consumers know than 14: a test for each exchange, with what failed in YAML. Exchanges that are not
// replayable, or were not tried, are skipped; those that could not run are not ok.
func WriteTAP(w io.Writer, r *conformance.Report) error {
	b := bufio.NewWriter(w)
	count := 0
	for i := range r.Profiles {
		count += len(r.Profiles[i].Results)
	}
	fmt.Fprintf(b, "%s1..%d\n", tapBegins, count)
	n := 0
	for i := range r.Profiles {
		p := &r.Profiles[i]
		fmt.Fprintf(b, "# %s\n", textHead(p, false))
		for k := range p.Results {
			n++
			if err := writeTAPTest(b, n, p.Profile, &p.Results[k]); err != nil {
				return err
			}
		}
	}
	return b.Flush()
}

func writeTAPTest(w io.Writer, n int, profile string, r *conformance.Result) error {
	status, directive := "ok", ""
	switch r.Outcome {
	case conformance.Mismatch, conformance.CouldNotRun:
		status = "not ok"
	case conformance.NotReplayable, conformance.NotTried:
		directive = fmt.Sprintf(" # SKIP %s: %s", r.Outcome, printable(r.Reason))
	}
	name := strings.NewReplacer(`\`, `\\`, `#`, `\#`).Replace(profile + ": " + printable(r.Exchange))
	fmt.Fprintf(w, "%s %d - %s%s\n", status, n, name, directive)
	if status == "ok" {
		return nil
	}
	detail := tapDetail{Message: printable(r.Reason), Severity: string(r.Outcome), Source: printable(r.Source), At: r.Position.String()}
	if r.Step != nil {
		detail.Step = step(r.Step)
	}
	for i := range r.Differences {
		d := &r.Differences[i]
		shown := tapDifference{At: d.Position.String(), Part: d.Part, Problem: printable(d.Problem)}
		for _, line := range inTerminal().diff(d.Want, d.Got) {
			shown.Diff = append(shown.Diff, string(line.sign)+" "+line.text)
		}
		detail.Differences = append(detail.Differences, shown)
	}
	if r.Outcome == conformance.Mismatch {
		detail.Message = detail.Differences[0].Problem
	}
	var block strings.Builder
	e := yaml.NewEncoder(&block)
	e.SetIndent(2)
	if err := e.Encode(detail); err != nil {
		return err
	}
	fmt.Fprint(w, "  ---\n")
	for line := range strings.Lines(block.String()) {
		fmt.Fprint(w, "  "+line)
	}
	_, err := fmt.Fprint(w, "  ...\n")
	return err
}
