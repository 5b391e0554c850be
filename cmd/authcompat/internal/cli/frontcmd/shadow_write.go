package frontcmd

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/conformance/shadow"
)

// jsonSummary returns the summary with lists that are never null.
func jsonSummary(s shadow.Summary) shadow.Summary {
	s.Rows = append([]shadow.Row{}, s.Rows...)
	s.Found = append([]shadow.Found{}, s.Found...)
	return s
}

// writeSummary writes a report for people.
func writeSummary(w io.Writer, s shadow.Summary) error {
	if len(s.Rows) == 0 {
		return term.Printf(w, "nothing is in the journal yet: servers write every 10 seconds what they have compared\n")
	}
	t := term.NewTable(w, false, "PROFILE\tENDPOINT\tASKED\tCOMPARED\tSAME\tNOISE\tKNOWN\tDIFFER\tUSERS\tSKIPPED\tAT MOST")
	for _, r := range append(slices.Clone(s.Rows), s.Total) {
		if err := t.Row(nil, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s", cmp.Or(r.Profile, "all"), term.Dash(r.Endpoint), r.Asked, r.Compared, r.Same, r.Noise, r.Known, r.Differ, r.Users, r.Skipped, shadow.Percent(r.UpperBound)); err != nil {
			return err
		}
	}
	if err := t.End(); err != nil {
		return err
	}
	if len(s.Total.Reasons) > 0 {
		var reasons []string
		for _, reason := range slices.Sorted(maps.Keys(s.Total.Reasons)) {
			reasons = append(reasons, fmt.Sprintf("%s %d", term.Printable(string(reason)), s.Total.Reasons[reason]))
		}
		if err := term.Printf(w, "skipped: %s\n", strings.Join(reasons, ", ")); err != nil {
			return err
		}
	}
	if s.Total.Compared > 0 {
		if err := term.Printf(w, "compared on %s (UTC), from %s to %s\n", term.Count(s.Days, "day", "days"), term.FormatTime(s.First), term.FormatTime(s.Last)); err != nil {
			return err
		}
	}
	return writeFound(w, s.Found)
}

// writeFound writes the differences.
func writeFound(w io.Writer, found []shadow.Found) error {
	if len(found) == 0 {
		return nil
	}
	if err := term.Printf(w, "\n"); err != nil {
		return err
	}
	t := term.NewTable(w, false, "COUNT\tENDPOINT\tPLACE\tKIND\tOLD\tOURS\tFIRST\tREQUEST\tKNOWN")
	for _, f := range found {
		request := strings.TrimSpace(fmt.Sprintf("%s %d %s", f.Method, f.Status, f.Request))
		if err := t.Row(nil, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", f.Count, f.Endpoint, f.Place, string(f.Kind), term.Dash(f.Old), term.Dash(f.Ours), term.FormatTime(f.First), request, term.Dash(f.Known)); err != nil {
			return err
		}
	}
	return t.End()
}

// gateRecord is the verdict of a gate in JSON.
type gateRecord struct {
	Verdict    shadow.Readiness   `json:"verdict"`
	Criteria   []shadow.Criterion `json:"criteria"`
	UpperBound float64            `json:"upper_bound"`
}

// writeGate writes the verdict of a gate.
func writeGate(w io.Writer, asJSON bool, verdict shadow.Readiness, criteria []shadow.Criterion, s shadow.Summary) error {
	if asJSON {
		return term.Report(w, true, gateRecord{verdict, criteria, s.Total.UpperBound}, "")
	}
	t := term.NewTable(w, false, "CRITERION\tHAS\tWANT\tENOUGH")
	for _, c := range criteria {
		enough := "yes"
		if !c.OK {
			enough = "no"
		}
		if err := t.Row(nil, "%s\t%s\t%s\t%s", c.Name, c.Has, c.Want, enough); err != nil {
			return err
		}
	}
	if err := t.End(); err != nil {
		return err
	}
	line := string(verdict)
	switch verdict {
	case shadow.Ready:
		line = fmt.Sprintf("ready: at most %s of the requests differ, with a confidence of 95 %%, if those compared are like all others", shadow.Percent(s.Total.UpperBound))
	case shadow.Differences:
		line = "not ready: there are differences; shadow report shows where. List those that do not matter under known, with a reason"
	case shadow.TooLittle:
		line = "not ready: there is too little evidence yet"
	}
	return term.Printf(w, "%s\n", line)
}
