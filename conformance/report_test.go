package conformance_test

import (
	"testing"

	"github.com/authcompat/authcompat/conformance"
)

func TestReportOutcome(t *testing.T) {
	report := func(outcomes ...conformance.Outcome) *conformance.Report {
		p := conformance.ProfileReport{Profile: "p"}
		for _, o := range outcomes {
			p.Results = append(p.Results, conformance.Result{Outcome: o})
		}
		return &conformance.Report{Profiles: []conformance.ProfileReport{p}}
	}
	for _, test := range []struct {
		report *conformance.Report
		want   conformance.Outcome
	}{
		{report(conformance.Passed, conformance.NotReplayable), conformance.Passed},
		{report(conformance.Passed, conformance.CouldNotRun), conformance.CouldNotRun},
		{report(conformance.Passed, conformance.CouldNotRun, conformance.Mismatch), conformance.Mismatch},
		{report(conformance.NotReplayable), conformance.CouldNotRun},
		{&conformance.Report{}, conformance.CouldNotRun},
	} {
		if got := test.report.Outcome(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
